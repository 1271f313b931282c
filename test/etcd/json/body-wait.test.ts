/** A body that is late because a fault keeps the client and the gateway apart. */
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { Door } from '../../../src/etcd/door.js'
import { createGateway, type GatewayOptions } from '../../../src/etcd/json/gateway.js'
import { protos } from '../../../src/etcd/protos.js'
import type { Valve } from '../../../src/etcd/valve.js'

const open = { isOpen: true, delayOf: undefined }
const shut = { isOpen: false, delayOf: undefined }
const kv = {
  definition: protos['etcdserverpb.KV'],
  implementation: { Range: (_call: unknown, answer: (...args: unknown[]) => void) => answer(null, {}) },
}

test('a body is waited for while a fault keeps the client and the gateway apart', async () => {
  const gateway = createGateway({
    services: [kv] as unknown as GatewayOptions['services'],
    version: { etcdserver: '3.4.23', etcdcluster: '3.4.0' },
    isHealthy: async () => true,
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    bounds: { requestBytesMax: 1000, bodyMs: 100, headersMs: 10_000 },
  })
  const valves: Valve[] = []
  const http1 = (valve: Valve): void => {
    valves.push(valve)
    gateway.emit('connection', valve)
  }
  const door = new Door({ http2: () => undefined, http1 }, { connectionsMax: 10, silentMs: 600_000 })
  const port = await door.open([0])
  onTestFinished(() => door.close())
  const begun = (): ClientRequest => {
    const asked = request({ host: '127.0.0.1', port, path: '/v3/kv/range', method: 'POST' })
    asked.on('error', () => undefined).write('{"key":')
    return asked
  }
  const codeOf = async (asked: ClientRequest): Promise<number | undefined> => {
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return response.resume().statusCode
  }
  gateway.once('request', () => valves[0]?.set(shut, shut))
  const late = begun()
  const answered = codeOf(late)
  await once(gateway, 'request')
  // Others whose ways are open are sent away meanwhile.
  for (let count = 0; count < 2; count++) expect(await codeOf(begun())).toBe(408)
  late.end('"YQ=="}')
  valves[0]?.set(open, open)
  expect(await answered).toBe(200)
})
