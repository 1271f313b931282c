/** Both ends of the way between the client's thread and a node, neither of which reads unless the test says so. */
import { expect, onTestFinished, test } from 'vitest'
import {
  ClientPort,
  createClientWay,
  type FromNode,
  NodePort,
  type ToNode,
} from '../../src/transport/index.js'

const unreadBytesMax = 32 << 20
const large = 1 << 20
/** A bound that does not hold ends a test, and not the machine. */
const sendsMax = 200_000

function way() {
  const [clientEnd, nodeEnd] = createClientWay()
  const atClient: FromNode[] = []
  const atNode: ToNode[] = []
  const woken: ToNode[] = []
  const toNode = new NodePort(clientEnd, (message) => atClient.push(message))
  const toClients = new ClientPort(
    nodeEnd,
    (first) => woken.push(first),
    (message) => atNode.push(message),
  )
  onTestFinished(() => toNode.close())
  return { toNode, toClients, atClient, atNode, woken }
}

const frame = (bytes: number) => ({ bytes: new Uint8Array(bytes), count: 1 })

test('[OV1] a node that does not read is full after a bound of bytes, and has room again for what it has read', () => {
  const { toNode, toClients, atNode } = way()
  let sent = 0
  for (; !toNode.isFull && sent < 100; sent++)
    toNode.send([{ request: sent, type: 'propose', frame: frame(large) }], [])
  expect(sent).toBe(unreadBytesMax / large)
  toClients.drain()
  expect([atNode.length, toNode.isFull]).toEqual([sent, false])
})

test('[OV1] requests of no bytes fill a port too, and so do the buffers that go back', () => {
  const { toNode } = way()
  let sent = 0
  for (; !toNode.isFull && sent < sendsMax; sent++)
    toNode.send([{ request: sent, type: 'read', frame: frame(0) }], [])
  expect(sent).toBeLessThan(100_000)
  const { toNode: another } = way()
  for (let buffers = 0; buffers < unreadBytesMax / large; buffers++)
    another.send([], [new ArrayBuffer(large)])
  expect(another.isFull).toBe(true)
})

test('[OV3] clients that do not read fill the way back, and wake the node that waits once they have read', async () => {
  const { toNode, toClients, atClient, woken } = way()
  toClients.listen()
  let settled = 0
  for (; !toClients.waitsIfFull() && settled < 100; settled++) {
    const results = new Uint8Array(large)
    toClients.settle({
      settled: [{ request: settled, outcome: 'read', count: 1, results }],
      results: new Uint8Array(0),
    })
  }
  expect(settled).toBe(unreadBytesMax / large)
  while (toNode.receiveNext());
  expect([atClient.length, toClients.waitsIfFull()]).toEqual([settled, false])
  while (woken.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(woken).toEqual([{ requests: [], read: [], weight: expect.any(Number) }])
})

test('[OV3] clients wake nobody while the node has room', () => {
  const { toNode, toClients, atNode } = way()
  toClients.settle({ settled: [], results: new Uint8Array(large) })
  expect(toClients.waitsIfFull()).toBe(false)
  expect(toNode.receiveNext()).toBe(true)
  toClients.drain()
  expect(atNode).toEqual([])
})
