import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  endAt,
  placesOf,
  pointAt,
  seenShare,
  wayBetween,
  wordsBeside,
  wordsLinePx,
} from '../../src/page/ring-geometry.js'

const size = { width: 490, height: 330 }

const voters = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ nodeId: at + 1, member: 'voter' as const }))

function spotsOf(count: number, learners = 0) {
  const nodes = [
    ...voters(count),
    ...Array.from({ length: learners }, (_, at) => ({ nodeId: 100 + at, member: 'learner' as const })),
  ]
  return placesOf(nodes, size).spots
}

describe('the places of the ring', () => {
  test('begin at the top, and go clockwise by id', () => {
    const spots = spotsOf(4)
    const [top, right, bottom, left] = [1, 2, 3, 4].map((nodeId) => spots.get(nodeId))
    expect(top!.y).toBeLessThan(right!.y)
    expect(right!.x).toBeGreaterThan(top!.x)
    expect(bottom!.y).toBeGreaterThan(right!.y)
    expect(left!.x).toBeLessThan(bottom!.x)
  })

  test('do not depend on the order in which the nodes are told', () => {
    expect(placesOf(voters(5).reverse(), size)).toEqual(placesOf(voters(5), size))
  })

  test('keep 1 to 25 voters and some learners within the picture, and apart from each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 25 }), fc.integer({ min: 0, max: 5 }), (count, learners) => {
        const spots = [...spotsOf(count, learners)].filter(([end]) => end !== 'clients')
        for (const [end, { x, y, r }] of spots) {
          expect(Math.min(x, size.width - x, y, size.height - y), `node ${end}`).toBeGreaterThan(r)
          for (const [other, spot] of spots)
            if (other !== end)
              expect(Math.hypot(spot.x - x, spot.y - y), `nodes ${end}, ${other}`).toBeGreaterThan(r + spot.r)
        }
      }),
    )
  })

  test('put learners right of all voters', () => {
    const spots = spotsOf(5, 2)
    const rightmost = Math.max(...[1, 2, 3, 4, 5].map((nodeId) => spots.get(nodeId)!.x))
    expect(Math.min(spots.get(100)!.x, spots.get(101)!.x)).toBeGreaterThan(rightmost)
  })

  test('have room for words only for a few nodes in a wide picture', () => {
    expect(placesOf(voters(9), size).hasWords).toBe(true)
    expect(placesOf(voters(10), size).hasWords).toBe(false)
    expect(placesOf(voters(3), { ...size, width: 400 }).hasWords).toBe(false)
  })
})

describe('a way between two nodes', () => {
  const from = { x: 0, y: 0, r: 10, side: 'left' as const }
  const to = { x: 100, y: 0, r: 20, side: 'right' as const }

  test('leads from rim to rim', () => {
    const [start, end] = wayBetween(from, to)
    expect([start.x, end.x]).toEqual([16, 74])
  })

  test('keeps to the right, so that the two directions pass each other', () => {
    const [there] = wayBetween(from, to, 4)
    const [back] = wayBetween(to, from, 4)
    expect(there.y).toBe(4)
    expect(back.y).toBe(-4)
    const [down] = wayBetween(from, { ...to, x: 0, y: 100 }, 4)
    expect(down.x).toBe(-4)
  })

  test('is passed by shares', () => {
    expect(
      pointAt(
        [
          { x: 0, y: 0 },
          { x: 10, y: 20 },
        ],
        0.5,
      ),
    ).toEqual({ x: 5, y: 10 })
  })
})

test('a pointer is over a node a little beyond its rim, and over nothing further away', () => {
  const spots = spotsOf(3)
  const { x, y, r } = spots.get(2)!
  expect(endAt(spots, { x: x + r + 8, y })).toBe(2)
  expect(endAt(spots, { x: x + r + 12, y })).toBeUndefined()
})

test('before the nodes are known, the clients have a place already', () => {
  const { x, y } = placesOf([], size).spots.get('clients')!
  expect([x, y].every(Number.isFinite)).toBe(true)
})

describe('a mark on a way', () => {
  const clients = { x: 100, y: 100 }

  test('is in the middle, where nothing hides it', () => {
    expect(
      seenShare(
        [
          { x: 0, y: 0 },
          { x: 200, y: 0 },
        ],
        clients,
        0.5,
      ),
    ).toBe(0.5)
  })

  test('moves out from below the clients, on the way of two nodes that face each other', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }), (angle) => {
        const [dx, dy] = [150 * Math.cos(angle), 100 * Math.sin(angle)]
        const line = [
          { x: 100 - dx, y: 100 - dy },
          { x: 100 + dx, y: 100 + dy },
        ] as const
        const { x, y } = pointAt(line, seenShare(line, clients, 0.5))
        // The box of the clients is 72 pixels wide and 28 high.
        expect(Math.abs(x - 100) > 36 || Math.abs(y - 100) > 14).toBe(true)
      }),
    )
  })
})

describe('words beside a way', () => {
  const middle = { x: 100, y: 100 }
  const level = [
    { x: 0, y: 100 },
    { x: 200, y: 100 },
  ] as const
  const upright = [
    { x: 100, y: 0 },
    { x: 100, y: 200 },
  ] as const

  test('stand on the right of its direction', () => {
    const below = wordsBeside(level, middle, 1)
    expect([below.anchor, below.y > 100 + wordsLinePx / 2]).toEqual(['middle', true])
    const left = wordsBeside(upright, middle, 1)
    expect([left.anchor, left.x < 100]).toEqual(['end', true])
  })

  test('stand away from a point, if one is given', () => {
    expect(wordsBeside(level, middle, 1, { x: 100, y: 300 }).y).toBeLessThan(100 - wordsLinePx / 2)
    const right = wordsBeside(upright, middle, 1, { x: 0, y: 100 })
    expect([right.anchor, right.x > 100]).toEqual(['start', true])
  })

  test('stay beside it with all of their lines', () => {
    const lines = 3
    const { y } = wordsBeside(level, middle, lines, { x: 100, y: 300 })
    expect(y + (lines - 1) * wordsLinePx).toBeLessThan(100 - wordsLinePx / 2)
    const beside = wordsBeside(upright, middle, lines)
    expect(beside.y + ((lines - 1) * wordsLinePx) / 2).toBe(100)
  })
})
