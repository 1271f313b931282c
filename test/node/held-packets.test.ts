/** What a fault of a link holds back. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { heldBytesMax, heldMessagesMax } from '../../src/faults/index.js'
import { HeldPackets } from '../../src/node/held-packets.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** How many of many packets of so many bytes arrive at last. */
function arrivalsOf(byteLength: number, from: readonly ('clients' | number)[]): number {
  const held = new HeldPackets()
  let arrived = 0
  for (let packet = 0; packet < 2 * heldMessagesMax; packet++) {
    for (const sender of from) {
      held.hold({ from: sender, message: undefined, byteLength }, 1000, () => {
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
  const packet = { from: 'clients', message: undefined, byteLength: 1 } as const
  const arrived: string[] = []
  held.hold(packet, 1000, () => arrived.push('before'))
  held.close()
  held.hold(packet, 1000, () => arrived.push('after'))
  held.release(() => true)
  expect(vi.getTimerCount()).toBe(0)
  expect(arrived).toEqual([])
})
