/** Each figure stands where its name is, in the card and in what `bench` prints for people. */
import { expect, test } from 'vitest'
import { forPeople } from '../../src/cli/bench.js'
import { cellsOf, columns } from '../../src/cli/card.js'
import type { Measurement } from '../../src/load/measure.js'

const result: Measurement = {
  commitsPerSecond: 12_345,
  callsPerSecond: 23_456,
  p50ms: 1.11,
  p99ms: 2.22,
  p999ms: 3.33,
  maxMs: 44.4,
  nodes: 5,
  clients: 64,
  size: 128,
  batch: 1,
  durability: 'flush',
  threads: 'on',
  reads: 'lease',
  readsFrom: 'leader',
  workload: null,
  records: null,
  rate: 777,
  unanswered: 88,
  firstHundredP50ms: 4.56,
  operations: { put: { count: 99_999, p50ms: 1.12, p99ms: 2.23, p999ms: 3.34, maxMs: 55.5 } },
  elections: 6,
  heartbeatLateP999ms: 7.77,
  heartbeats: 1000,
  heartbeatsMissed: 3,
  commits: 66_666,
  notApplied: 13,
  unknown: 14,
  flushesPerCommit: 0.123,
  messagesPerCommit: 0.456,
  bytesFlushed: 9_876_543,
  seconds: 3.2,
  clientThreadBusy: 0.42,
  coresBusy: 1.7,
  cores: 8,
  node: 'v20.0.0',
  platform: 'linux x64',
}

test('the card has each figure in its column', () => {
  const told = Object.fromEntries(cellsOf(result).map((cell, at) => [columns[at], cell]))
  expect(told).toEqual({
    '': 'durable',
    clients: '64',
    'commits/s': '12,345',
    'p50 ms': '1.11',
    'p99 ms': '2.22',
    'p99.9 ms': '3.33',
    'max ms': '44.4',
    flushes: '0.123',
    messages: '0.456',
    elections: '6',
  })
})

test('bench tells people each figure by its name', () => {
  expect(forPeople(result).split('\n')).toEqual([
    '12,345 commits/s, flushed on a majority',
    '5 nodes in worker threads, at most 64 calls on their way, 128-byte commands, 3.2 s',
    '',
    'ms    p50   p99  p99.9   max   calls',
    'put  1.12  2.23   3.34  55.5  99,999',
    '',
    'elections 6, heartbeats late by at most 7.77 ms (p99.9)',
    'per commit 0.123 flushes and 0.456 messages over all nodes; 9,876,543 bytes flushed',
    "1.7 of 8 cores busy, the clients' thread 42 % of the time; Node v20.0.0, linux x64",
    'open loop: 777 calls a second were due, 88 of them unanswered at the end',
    '13 calls were not applied, and of 14 it is not known',
  ])
})
