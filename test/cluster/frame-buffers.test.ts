import { expect, test } from 'vitest'
import { FrameBuffers } from '../../src/cluster/frame-buffers.js'
import { nodesLedBy } from './nodes.js'

test('buffers of settled frames are used again, a bounded number of them', () => {
  const buffers = new FrameBuffers()
  const frames = Array.from({ length: 20 }, () => new Uint8Array(32 << 10))
  for (const frame of frames) buffers.reuse(frame)
  const taken = Array.from({ length: 20 }, () => buffers.take(32 << 10).buffer)
  expect(taken.filter((buffer) => frames.some((frame) => frame.buffer === buffer)).length).toBe(8)
})

test('buffers that are not worth their memory are not kept', () => {
  const buffers = new FrameBuffers()
  for (const bytes of [100, 2 << 20]) {
    const frame = new Uint8Array(bytes)
    buffers.reuse(frame)
    expect(buffers.take(bytes).buffer).not.toBe(frame.buffer)
  }
  expect(buffers.take(5 << 20).byteLength).toBe(1 << 20)
})

test('[CA2][OU9] a frame keeps its bytes until its calls are settled, whatever is packed meanwhile', async () => {
  const nodes = await nodesLedBy(1)
  for (let round = 0; round < 4; round++) {
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat((60 << 10) + round))
    const calls = texts.map((text) => nodes.call('propose', text))
    const [settled, kept] = [
      nodes.call('propose', 'd'.repeat(300 << 10)),
      nodes.call('propose', 'e'.repeat(40 << 10)),
    ]
    const [first, second] = [await nodes.next(), await nodes.next()]
    const bytes = second.frame.bytes.slice()
    nodes.settle({ request: first.request, outcome: 'applied', index: 1, count: 4 }, 'x', 'x', 'x', 'x')
    await Promise.all([...calls, settled])
    const later = nodes.call('propose', 'f'.repeat(50 << 10))
    const third = await nodes.next()
    nodes.settle({ request: second.request, outcome: 'unknown', why: 'a snapshot' })
    const again = await nodes.next()
    expect(Buffer.compare(again.frame.bytes, bytes)).toBe(0)
    nodes.settle({ request: again.request, outcome: 'applied', index: 5, count: 1 }, 'y')
    nodes.settle({ request: third.request, outcome: 'applied', index: 6, count: 1 }, 'z')
    expect(await Promise.all([kept, later])).toEqual(['5 y', '6 z'])
  }
})
