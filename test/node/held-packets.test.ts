/** What a fault of a link holds back. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Endpoint, heldBytesMax, heldMessagesMax, type Passage } from '../../src/faults/index.js'
import { HeldPackets } from '../../src/node/held-packets.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A packet that its faults hold back for so many milliseconds. */
function passage(from: Endpoint, waitMs: number, byteLength = 1): Passage {
  const packet = { from, message: undefined, byteLength }
  const waits = [{ faultId: 1, type: 'delay', ms: waitMs }] as const
  return { packet, sentAtMs: performance.now(), copies: 1, lostTo: undefined, port: `${from}`, waits }
}

const inMs = (ms: number) => performance.now() + ms

/** How many of many packets of so many bytes arrive at last. */
function arrivalsOf(byteLength: number, from: readonly ('clients' | number)[]): number {
  const held = new HeldPackets()
  let arrived = 0
  for (let packet = 0; packet < 2 * heldMessagesMax; packet++) {
    for (const sender of from) {
      held.hold(passage(sender, 1000, byteLength), inMs(1000), () => {
        arrived++
      })
    }
  }
  vi.advanceTimersByTime(1001)
  return arrived
}

test('[OV5] a fault holds back a bounded number of messages and bytes of each sender, and more is lost', () => {
  expect(arrivalsOf(1, ['clients'])).toBe(heldMessagesMax)
  expect(arrivalsOf(1 << 20, ['clients'])).toBe(heldBytesMax >> 20)
  expect(arrivalsOf(1 << 20, ['clients', 2])).toBe(2 * (heldBytesMax >> 20))
})

test('[CL2] once a node has ended, no message that still comes out of a closed port is held, and no timer is left', () => {
  const held = new HeldPackets()
  const arrived: string[] = []
  held.hold(passage('clients', 1000), inMs(1000), () => arrived.push('before'))
  held.close()
  held.hold(passage('clients', 1000), inMs(1000), () => arrived.push('after'))
  held.retime(() => 0)
  expect(vi.getTimerCount()).toBe(0)
  expect(arrived).toEqual([])
})

test('packets that are given other times arrive at those, each once, and what is due arrives at once', () => {
  const held = new HeldPackets()
  const arrived: string[] = []
  for (const [name, from] of [
    ['a', 1],
    ['b', 2],
    ['c', 1],
  ] as const)
    held.hold(passage(from, 20_000), inMs(20_000), () => arrived.push(name))
  vi.advanceTimersByTime(100)
  held.retime(({ packet, sentAtMs }) => sentAtMs + (packet.from === 1 ? 50 : 150))
  expect(arrived).toEqual(['a', 'c'])
  vi.advanceTimersByTime(51)
  expect(arrived).toEqual(['a', 'c', 'b'])
  vi.advanceTimersByTime(30_000)
  expect(arrived).toHaveLength(3)
})
