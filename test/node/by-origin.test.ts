/** Requests from inside of the cluster and all others, parted on their ways to a node and back. */
import { expect, test } from 'vitest'
import { partsOfAnswers, partsOfRequests } from '../../src/node/by-origin.js'
import type { ClientRequest, Settlement, ToNode } from '../../src/transport/index.js'

const request = (id: number): ClientRequest => ({
  request: id,
  type: 'read',
  frame: { bytes: new Uint8Array(0), count: 0 },
})
const message = (...ids: number[]): ToNode => ({
  requests: ids.map(request),
  read: [new ArrayBuffer(8)],
  weight: 7,
})
const idsOf = (part: ToNode | undefined) => part?.requests.map(({ request: id }) => id)

test('a message with requests of one kind stays as it is', () => {
  for (const [ids, kind] of [
    [[2, 4], 'outside'],
    [[3, 5], 'inside'],
    [[], 'outside'],
  ] as const) {
    const whole = message(...ids)
    expect(partsOfRequests(whole)).toEqual({ inside: undefined, outside: undefined, [kind]: whole })
  }
})

test('requests of both kinds are parted in their order, and buffers that were read come back once', () => {
  const whole = message(2, 3, 4, 7, 8)
  const { inside, outside } = partsOfRequests(whole)
  expect([idsOf(inside), idsOf(outside)]).toEqual([
    [3, 7],
    [2, 4, 8],
  ])
  expect([inside?.read, outside?.read]).toEqual([whole.read, []])
})

const applied = (id: number, count: number): Settlement => ({
  request: id,
  outcome: 'applied',
  index: 10 + id,
  count,
})
const refused: Settlement = { request: 5, outcome: 'refused', code: 'notLeader', leaderId: undefined }

/** Results as a node packs them, each behind its length. */
const packed = (...results: string[]) =>
  new Uint8Array(
    Buffer.concat(results.map((result) => Buffer.from([result.length, 0, 0, 0, ...Buffer.from(result)]))),
  )

test('answers are parted with their own results, each part in memory of its own', () => {
  const settled = [applied(2, 2), applied(3, 1), refused, applied(4, 1), applied(7, 2)]
  const results = packed('one', 'two', 'three', 'four', 'five', 'six')
  const { inside, outside } = partsOfAnswers({ settled, results })
  expect(inside).toEqual({
    settled: [applied(3, 1), refused, applied(7, 2)],
    results: packed('three', 'five', 'six'),
  })
  expect(outside).toEqual({ settled: [applied(2, 2), applied(4, 1)], results: packed('one', 'two', 'four') })
  const buffers = [inside, outside].map((part) => part?.results.buffer)
  expect(new Set([...buffers, results.buffer]).size).toBe(3)
  for (const part of [inside, outside]) expect(part?.results.buffer.byteLength).toBe(part?.results.byteLength)
})

test('answers of one kind stay as they are', () => {
  const outside = { settled: [applied(2, 1)], results: packed('one') }
  expect(partsOfAnswers(outside)).toEqual({ inside: undefined, outside })
  const inside = { settled: [applied(3, 1), refused], results: packed('one') }
  expect(partsOfAnswers(inside)).toEqual({ inside, outside: undefined })
})
