import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Flights } from '../../src/observer/flights.js'
import type { Carried, CarriedType } from '../../src/telemetry/index.js'

interface Said {
  readonly from: number
  readonly to: number
  readonly type?: CarriedType
  readonly mark: number
  readonly sentAtMs: number
  readonly arrivedAtMs?: number
}

const rowOf = (said: Said, direction: 'sent' | 'received', atMs: number): Carried => {
  const [nodeId, peer] = direction === 'sent' ? [said.from, said.to] : [said.to, said.from]
  const { type = 'heartbeat', mark } = said
  return { atMs, nodeId, direction, peer, type, term: 1, mark, isYes: undefined }
}

const sent = (said: Said) => rowOf(said, 'sent', said.sentAtMs)
const received = (said: Said) => rowOf(said, 'received', said.arrivedAtMs ?? 0)
const taken = (carried: readonly Carried[], leftOut = 0) => ({
  ...{ carried, rowsLost: 0 },
  leftOut: { sent: leftOut, received: 0 },
})

test('a message is found again when it arrives, in the same frame or in a later one', () => {
  const flights = new Flights()
  const quick: Said = { from: 1, to: 2, mark: 7, sentAtMs: 10, arrivedAtMs: 11 }
  const slow: Said = { from: 1, to: 3, mark: 7, sentAtMs: 10, arrivedAtMs: 250 }
  const first = flights.frame(taken([sent(quick), sent(slow), received(quick)]))
  expect(first.messages).toMatchObject([
    { id: 1, from: 1, to: 2, type: 'heartbeat', mark: 7, sentAtMs: 10 },
    { id: 2, from: 1, to: 3 },
  ])
  expect(first.arrivals).toEqual([{ id: 1, atMs: 11 }])
  expect(flights.frame(taken([])).arrivals).toEqual([])
  expect(flights.frame(taken([received(slow)])).arrivals).toEqual([{ id: 2, atMs: 250 }])
})

test('of messages that are the same, the newest is taken to arrive, and the oldest are forgotten', () => {
  const flights = new Flights()
  const lost: Said = { from: 1, to: 2, mark: 7, sentAtMs: 10, arrivedAtMs: 250 }
  for (let at = 0; at < 20; at++) flights.frame(taken([sent(lost)]))
  const { arrivals } = flights.frame(taken(Array.from({ length: 20 }, () => received(lost))))
  expect(arrivals.map(({ id }) => id)).toEqual([20, 19, 18, 17, 16, 15, 14, 13])
})

test('a message that arrives twice, and one that nobody knows, arrive as nothing', () => {
  const flights = new Flights()
  const said: Said = { from: 1, to: 2, mark: 7, sentAtMs: 10, arrivedAtMs: 11 }
  const { arrivals } = flights.frame(taken([sent(said), received(said), received(said)]))
  expect(arrivals).toEqual([{ id: 1, atMs: 11 }])
  expect(flights.frame(taken([received({ ...said, mark: 8 })])).arrivals).toEqual([])
})

test('of many, elections come before heartbeats, and these before entries; the others are counted', () => {
  const flights = new Flights()
  const many = (type: CarriedType, count: number, from: number): Carried[] =>
    Array.from({ length: count }, (_, at) => sent({ from, to: 9, type, mark: at, sentAtMs: at }))
  const { messages, messagesLeftOut } = flights.frame(
    taken([...many('requestVote', 10, 3), ...many('heartbeat', 20, 2), ...many('appendEntries', 200, 1)], 5),
  )
  const count = (type: CarriedType) => messages.filter((message) => message.type === type).length
  expect([count('requestVote'), count('heartbeat'), count('appendEntries')]).toEqual([10, 20, 30])
  expect(messagesLeftOut).toBe(5 + 170)
})

test('no arrival is told before its message, and none twice', () => {
  const message = fc.record({
    from: fc.integer({ min: 1, max: 3 }),
    to: fc.integer({ min: 1, max: 3 }),
    mark: fc.integer({ min: 0, max: 5 }),
    type: fc.constantFrom<CarriedType>('heartbeat', 'appendEntries', 'requestVote'),
    sentAtMs: fc.integer({ min: 0, max: 100 }),
    takesMs: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 200 }), (messages) => {
      const said = messages.map(({ takesMs, ...rest }) =>
        takesMs === undefined ? rest : { ...rest, arrivedAtMs: rest.sentAtMs + takesMs },
      )
      const rows = [...said.map(sent), ...said.filter((each) => 'arrivedAtMs' in each).map(received)]
      rows.sort((one, other) => one.atMs - other.atMs)
      const flights = new Flights()
      const [told, arrived] = [new Map<number, number>(), new Set<number>()]
      for (let fromMs = 0; fromMs < 500; fromMs += 50) {
        const frame = flights.frame(taken(rows.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 50)))
        for (const { id, sentAtMs } of frame.messages) told.set(id, sentAtMs)
        for (const { id, atMs } of frame.arrivals) {
          expect(told.get(id)).toBeLessThanOrEqual(atMs)
          expect(arrived.has(id)).toBe(false)
          arrived.add(id)
        }
      }
    }),
  )
})
