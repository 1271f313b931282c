/** Warnings to a program: once each, and none for an event that has a cause. */
import { expect, test } from 'vitest'
import { Warnings } from '../../src/cluster/warnings.js'
import type { Happened, Happening } from '../../src/telemetry/index.js'

/** The warnings of a cluster on threads, whose election timeout is 500 ms. */
function warned(...told: readonly (Happening & Partial<Happened>)[]): string[] {
  const lines: string[] = []
  const options = { electionTimeoutMs: 500, heartbeatIntervalMs: 100, host: 'threads' } as const
  const warnings = new Warnings(options, (line) => lines.push(line))
  for (const [at, happening] of told.entries())
    warnings.heard({ sequence: at + 1, atMs: at, nodeId: 2, cause: undefined, ...happening } as Happened)
  return lines
}

const timedOut = {
  type: 'role',
  role: 'preCandidate',
  term: 1,
  leaderId: undefined,
  reason: 'electionTimeout',
} as const

test('[WN1] a cluster of two is warned of, and no other', () => {
  for (const nodes of [1, 2, 3, 4]) {
    const lines: string[] = []
    const options = { electionTimeoutMs: 500, heartbeatIntervalMs: 100, host: 'threads' } as const
    new Warnings(options, (line) => lines.push(line)).begins(nodes)
    expect(lines.length, `${nodes} nodes`).toBe(nodes === 2 ? 1 : 0)
  }
})

test('[WN2] a thread that stood still for half the election timeout is warned of, with a timeout that holds', () => {
  expect(warned({ type: 'threadStood', forMs: 249 })).toEqual([])
  expect(warned({ type: 'threadStood', forMs: 60_000 }), 'the process was suspended').toEqual([])
  expect(warned({ type: 'threadStood', forMs: 310 }, { type: 'threadStood', forMs: 400 })).toEqual([
    'the thread of node 2 stood still for 310 ms, and a leader that is silent for 500 ms, the election timeout, is replaced: give the machine less to do, or set electionTimeoutMs to 1300 or more',
  ])
})

test('[WN2] an election that began though nothing had failed is warned of', () => {
  const missed = { type: 'heartbeatMissed', from: 1, silentMs: 210 } as const
  expect(warned(missed, { ...timedOut, elapsedTicks: 6, cause: 1 })).toEqual([
    'node 2 heard nothing of a leader for 600 ms, and a leader that is silent for 500 ms, the election timeout, is replaced: give the machine less to do, or set electionTimeoutMs to 2400 or more',
  ])
  expect(warned({ ...missed, cause: 9 }, { ...timedOut, elapsedTicks: 6, cause: 1 })).toEqual([])
  expect(warned({ ...timedOut, elapsedTicks: 6 })).toEqual([])
})

test('[WN3] a program that blocks its event loop for an election timeout is warned of', () => {
  expect(warned({ type: 'hostBlocked', forMs: 499 })).toEqual([])
  expect(warned({ type: 'hostBlocked', forMs: 812.4 }, { type: 'hostBlocked', forMs: 2000 })).toEqual([
    'the event loop of this program stood still for 812 ms, and all calls and their answers waited: if the program was busy, move its long work into a worker thread, or let the loop turn in between (setImmediate); if it got no processor, give the machine less to do',
  ])
})

test('[WN4] a disk that takes half an election timeout for a write is warned of', () => {
  expect(warned({ type: 'flushLate', sinceMs: 260 }, { type: 'flushLate', sinceMs: 300 })).toEqual([
    'a write took the disk of node 2 260 ms, and a leader whose disk finishes no write for 500 ms steps down: put dir on a quicker disk, or set electionTimeoutMs to 1100 or more',
  ])
})

test('[WN5] what has a cause is no reason for a warning: a fault was begun, or a node was paused', () => {
  expect(
    warned({ type: 'flushLate', sinceMs: 400, cause: 7 }, { type: 'threadStood', forMs: 400, cause: 7 }),
  ).toEqual([])
})
