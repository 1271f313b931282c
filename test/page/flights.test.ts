import { describe, expect, test } from 'vitest'
import type { Frame, MessageFrame } from '../../src/observer/index.js'
import { Flights } from '../../src/page/flights.js'
import { madeFrame } from './made-frames.js'

const noDelay = () => 0
let ids = 0

function message(type: MessageFrame['type'], from: number, to: number, sentAtMs = 0): MessageFrame {
  return { id: ++ids, from, to, type, term: 1, mark: 0, isYes: undefined, sentAtMs }
}

function frame(number: number, messages: readonly MessageFrame[], arrived: readonly MessageFrame[]): Frame {
  return { ...madeFrame(number, 0), messages, arrivals: arrived.map(({ id }) => ({ id, atMs: 0 })) }
}

/** The shares of their ways, by the names of the ways, at a moment. */
function seen(flights: Flights, nowMs: number): Record<string, number> {
  return Object.fromEntries(
    flights.passings(nowMs).map(({ message: { from, to }, at }) => [`${from}>${to}`, Math.round(at * 100)]),
  )
}

describe('a message in the ring', () => {
  test('that has arrived goes the whole way, and is gone', () => {
    const flights = new Flights()
    const vote = message('requestVote', 1, 2)
    flights.take(frame(1, [vote], [vote]), 1000, noDelay)
    expect(seen(flights, 1000)).toEqual({ '1>2': 0 })
    expect(seen(flights, 1190)).toEqual({ '1>2': 50 })
    expect(flights.isMoving(1379)).toBe(true)
    expect(seen(flights, 1380)).toEqual({})
    expect(flights.isMoving(1380)).toBe(false)
  })

  test('is answered when it has been seen to arrive', () => {
    const flights = new Flights()
    const asked = message('requestVote', 1, 2, 5)
    const answer = message('requestVoteResponse', 2, 1, 6)
    flights.take(frame(1, [answer, asked], [asked, answer]), 1000, noDelay)
    expect(seen(flights, 1100)).toEqual({ '1>2': 26 })
    expect(seen(flights, 1380)).toEqual({ '2>1': 0 })
  })

  test('that never arrives stops half-way, and fades', () => {
    const flights = new Flights()
    flights.take(frame(1, [message('requestVote', 1, 2)], []), 1000, noDelay)
    expect(seen(flights, 2400)).toEqual({ '1>2': 50 })
    const [fading] = flights.passings(2850)
    expect(fading?.at).toBeCloseTo(0.5, 2)
    expect(fading?.opacity).toBeCloseTo(0.5)
    expect(seen(flights, 3200)).toEqual({})
  })

  test('that is slow is not lost while a fault may hold it up', () => {
    const flights = new Flights()
    const slow = message('requestVote', 1, 2)
    flights.take(frame(1, [slow], []), 1000, () => 5000)
    expect(flights.passings(7400)[0]?.opacity).toBe(1)
    flights.take(frame(2, [], [slow]), 7400, noDelay)
    expect(seen(flights, 7495)).toEqual({ '1>2': 75 })
  })

  test('is not drawn where five are on the same way already', () => {
    const flights = new Flights()
    const many = Array.from({ length: 9 }, (_, at) => message('appendEntries', 1, 2, at))
    flights.take(frame(1, many, many), 1000, noDelay)
    expect(flights.passings(1000)).toHaveLength(5)
  })

  test('of a frame that came before is not drawn twice', () => {
    const flights = new Flights()
    const vote = message('requestVote', 1, 2)
    flights.take(frame(1, [vote], []), 1000, noDelay)
    flights.take(frame(1, [vote], []), 1050, noDelay)
    expect(flights.passings(1060)).toHaveLength(1)
  })
})

describe('heartbeats', () => {
  const round = (number: number) => {
    const [asked, answer] = [message('heartbeat', 1, 2, 1), message('heartbeatResponse', 2, 1, 2)]
    return frame(number, [asked, answer], [asked, answer])
  }

  test('are drawn a round at a time, each with its answer', () => {
    const flights = new Flights()
    flights.take(round(1), 1000, noDelay)
    flights.take(round(2), 1100, noDelay)
    expect(seen(flights, 1100)).toEqual({ '1>2': 26 })
    expect(seen(flights, 1480)).toEqual({ '2>1': 26 })
    expect(flights.isMoving(1800)).toBe(false)
    flights.take(round(3), 4000, noDelay)
    expect(seen(flights, 4000)).toEqual({ '1>2': 0 })
  })

  test('leave the ring calm, and a vote does not', () => {
    const flights = new Flights()
    flights.take(round(1), 1000, noDelay)
    expect(flights.isCalm(1000)).toBe(true)
    flights.take(frame(2, [message('preVote', 3, 1)], []), 1010, noDelay)
    expect(flights.isCalm(1010)).toBe(false)
  })
})
