import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { endAt, placesOf, pointAt, wayBetween } from '../../src/page/ring-geometry.js'

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
