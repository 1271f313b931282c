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

/** The code with which each call of garbage ends. */
function codesOf(
  client: TestClient,
  { path, requestStream, responseStream }: (typeof methods)[number],
): Promise<number[]> {
  const asItIs = (bytes: Buffer) => bytes
  const isEndless = responseStream && !requestStream
  return Promise.all(
    garbage.map(
      (bytes) =>
        new Promise<number>((resolve) => {
          const deadline = Date.now() + (isEndless ? 1000 : 20_000)
          const stream = client.grpc.makeBidiStreamRequest(path, asItIs, asItIs, { deadline })
          stream.on('data', () => undefined).on('error', () => undefined)
          stream.on('status', ({ code }) => resolve(code))
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
  for (const method of methods) {
    // A garbled request may still be one: then it is served, and a stream of answers goes on until its deadline.
    const codes = await codesOf(client, method)
    const broken = codes.filter((code) => code === 14 || (code === 4 && !method.responseStream))
    expect([method.path, broken]).toEqual([method.path, []])
  }
  await client.put('k', 'v')
  expect(await client.get('k')).toBe('v')
})
