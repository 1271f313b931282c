import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { protos } from '../../../src/etcd/protos.js'
import { startedEtcd, TestClient } from '../support.js'

const garbage = [
  Buffer.from([0x0a]),
  Buffer.from([0x0a, 0x7f, 1]),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0x0b, 0x0b, 0x0b]),
  Buffer.alloc(1000, 0x5b),
  // A text with bytes that are none.
  Buffer.from([0x0a, 2, 0xc3, 0x28, 0x12, 2, 0xc3, 0x28, 0x1a, 2, 0xc3, 0x28]),
]

const methods: readonly MethodDefinition<unknown, unknown>[] = Object.values(protos).flatMap((entry) =>
  'format' in entry ? [] : Object.values(entry as ServiceDefinition),
)

/** Streams that go on until the client leaves. Each answers a request that it understands. */
const endless = ['/v3electionpb.Election/Observe', '/grpc.health.v1.Health/Watch']

/** The code with which each call of garbage ends. A client of an endless stream leaves at the first answer. */
function codesOf(client: TestClient, { path, requestStream }: (typeof methods)[number]): Promise<number[]> {
  const asItIs = (bytes: Buffer) => bytes
  return Promise.all(
    garbage.map(
      (bytes) =>
        new Promise<number>((resolve) => {
          const deadline = Date.now() + 20_000
          const stream = client.grpc.makeBidiStreamRequest(path, asItIs, asItIs, { deadline })
          stream.on('error', () => undefined).on('status', ({ code }) => resolve(code))
          stream.on('data', () => endless.includes(path) && stream.cancel())
          stream.write(bytes)
          if (requestStream) stream.write(bytes)
          stream.end()
        }),
    ),
  )
}

test('no bytes of a request end a server, or the calls of others', async () => {
  const { endpoints } = await startedEtcd({ nodes: 1 })
  const client = new TestClient(endpoints[0] ?? '')
  expect(methods.length).toBeGreaterThan(40)
  // Garbage that is a request asks for this election, so that its observer has something to be told.
  await client.call('etcdserverpb.KV/Put', { key: Buffer.from([0xc3, 0x28, ...Buffer.from('/1')]) })
  for (const method of methods) {
    // A garbled request may still be one: then it is served. No call ends by its deadline, and none loses its server.
    const codes = await codesOf(client, method)
    const broken = codes.filter((code) => [4, 14].includes(code))
    expect([method.path, broken]).toEqual([method.path, []])
    const left = endless.includes(method.path) && codes.includes(1)
    expect([method.path, left]).toEqual([method.path, endless.includes(method.path)])
  }
  await client.put('k', 'v')
  expect(await client.get('k')).toBe('v')
})
