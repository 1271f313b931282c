import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  firstWindow,
  indexAt,
  type LogWindow,
  moved,
  settled,
  showing,
  whole,
  xOf,
  zoomed,
} from '../../src/page/log-window.js'

const room = { lastIndex: 10_000, widthPx: 520 }
const atEnd = settled(firstWindow, room)

/** The entries of which any part is seen. */
function seen(window: LogWindow, widthPx = room.widthPx): [number, number] {
  return [indexAt(window, 0), indexAt(window, widthPx - 1)]
}

describe('the window on the logs', () => {
  test('follows the end of the longest log, with room for the arrow of the next entry', () => {
    expect(xOf(atEnd, room.lastIndex + 1)).toBeCloseTo(room.widthPx - 28)
    const later = settled(atEnd, { ...room, lastIndex: 20_000 })
    expect(xOf(later, 20_001)).toBeCloseTo(room.widthPx - 28)
  })

  test('shows a short log from its first entry on', () => {
    expect(settled(firstWindow, { ...room, lastIndex: 3 }).left).toBe(1)
  })

  test('stays where it was moved to while the log grows', () => {
    const back = moved(atEnd, -100, room)
    expect(back.isFollowing).toBe(false)
    expect(settled(back, { ...room, lastIndex: 20_000 })).toEqual(back)
  })

  test('follows again when it is moved to the end', () => {
    const back = moved(atEnd, -100, room)
    expect(moved(back, 50, room).isFollowing).toBe(false)
    expect(moved(back, 200, room)).toEqual(atEnd)
  })

  test('keeps the entry under the pointer where it is when it zooms', () => {
    const back = moved(atEnd, -5000, room)
    const nearer = zoomed(back, 0.25, 200, room)
    expect(nearer.left + 200 / nearer.entryPx).toBeCloseTo(back.left + 200 / back.entryPx)
  })

  test('zooms from ten entries to the whole of millions', () => {
    const millions = { lastIndex: 3_000_000, widthPx: 520 }
    const near = zoomed(settled(firstWindow, millions), 1e9, 0, millions)
    expect(millions.widthPx / near.entryPx).toBe(10)
    const far = zoomed(near, 1e-12, 0, millions)
    expect(far).toEqual(whole(millions))
    expect(seen(far)[0]).toBe(1)
    expect(seen(far)[1]).toBeGreaterThanOrEqual(3_000_000)
  })

  test('moves no further than needed to show an entry', () => {
    const shown = showing(atEnd, 5000, room)
    expect(xOf(shown, 5000)).toBeCloseTo(0)
    expect(showing(shown, 5003, room)).toEqual(shown)
    expect(xOf(showing(shown, 5100, room), 5101)).toBeCloseTo(room.widthPx)
  })

  test('never leaves the logs', () => {
    const steps = fc.array(
      fc.oneof(
        fc.double({ min: -1e7, max: 1e7, noNaN: true }).map((by) => ({ by })),
        fc
          .tuple(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), fc.nat(520))
          .map(([factor, x]) => ({ factor, x })),
      ),
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5_000_000 }), steps, (lastIndex, taken) => {
        const bounds = { lastIndex, widthPx: 520 }
        let window = settled(firstWindow, bounds)
        for (const step of taken)
          window = 'by' in step ? moved(window, step.by, bounds) : zoomed(window, step.factor, step.x, bounds)
        expect(window.left).toBeGreaterThanOrEqual(1)
        if (window.left > 1) expect(xOf(window, lastIndex + 1)).toBeGreaterThan(520 - 28.001)
        expect(window.entryPx).toBeLessThanOrEqual(52)
      }),
      { seed: 1 },
    )
  })
})
