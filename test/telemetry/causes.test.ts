/** The causes of happenings that only the merged story can tell. */
import { expect, test } from 'vitest'
import { Causes } from '../../src/telemetry/causes.js'
import type { FaultTold, Happened, Happening } from '../../src/telemetry/index.js'

/** The causes of what is told, a millisecond after the other. `atMs` and `cause` may be given. */
function causesOf(...told: readonly (Happening & Partial<Happened>)[]): (number | undefined)[] {
  const causes = new Causes()
  return told.map((happening, at) => {
    const happened = { sequence: at + 1, atMs: at, nodeId: 1, cause: undefined, ...happening } as Happened
    return causes.explained(happened).cause
  })
}

const role = { type: 'role', term: 1, leaderId: undefined } as const
const asks = { ...role, role: 'preCandidate', reason: 'electionTimeout', elapsedTicks: 6 } as const
const votes = { type: 'voteAnswered', candidateId: 1, term: 2, isPreVote: true } as const
const grants = { ...votes, voteGranted: true, reason: 'logUpToDate' } as const
const wins = { ...role, term: 2, role: 'candidate', reason: 'preVoteWon' } as const

function faultOf(type: string, of: Partial<FaultTold> = {}): FaultTold {
  return { id: 1, type, line: type, nodes: [1], ways: [], messages: undefined, figures: {}, ...of }
}

test('[HP2] of several votes, the last of those that decided is the cause', () => {
  const told = [asks, { ...grants, nodeId: 2 }, { ...grants, nodeId: 3 }, { ...grants, nodeId: 4 }]
  expect(causesOf(...told, { ...wins, decidedBy: [1, 2, 3] }).at(-1)).toBe(3)
})

test('[HP2] a vote that is repeated, and a pre-vote that comes late, decide nothing', () => {
  const vote = { ...grants, isPreVote: false } as const
  const leads = { ...wins, role: 'leader', leaderId: 1, reason: 'electionWon', decidedBy: [1, 2] } as const
  const told = [asks, { ...grants, nodeId: 2 }, { ...wins, decidedBy: [1, 2] }, { ...vote, nodeId: 2 }]
  const repeated = { ...vote, nodeId: 2, reason: 'votedBefore' } as const
  expect(causesOf(...told, repeated, { ...grants, nodeId: 2 }, leads).at(-1)).toBe(4)
})

test('[HP2] a vote that follows a refusal is the cause of a lead', () => {
  const ignored = { ...grants, nodeId: 2, voteGranted: false, reason: 'leaderMayBeAlive' } as const
  const told = [asks, ignored, { ...grants, nodeId: 2 }, { ...wins, decidedBy: [1, 2] }]
  expect(causesOf(...told).at(-1)).toBe(3)
})

test('[HP2] a term that a candidate told has its candidacy for the cause, also when it leads by then', () => {
  const leads = { ...wins, role: 'leader', leaderId: 1, reason: 'electionWon', decidedBy: [1, 3] } as const
  const adopts = { ...role, nodeId: 2, role: 'follower', term: 2, reason: 'higherTerm', from: 1 } as const
  const asked = [asks, { ...wins, decidedBy: [1, 3] }, leads] as const
  expect(causesOf(...asked, { ...adopts, messageType: 'requestVote' }).at(-1)).toBe(2)
  expect(causesOf(...asked, { ...adopts, messageType: 'appendEntries' }).at(-1)).toBe(3)
  const again = { ...asks, term: 2 } as const
  expect(causesOf(...asked, again, { ...adopts, messageType: 'appendEntries' }).at(-1)).toBe(3)
  expect(causesOf(...asked, again, { ...adopts, messageType: 'requestVoteResponse' }).at(-1)).toBe(4)
})

test('[HP2] an answer that comes when its candidate campaigns for another term is not caused by that', () => {
  const again = { ...asks, term: 2 } as const
  expect(causesOf(asks, again, { ...grants, nodeId: 2 }).at(-1)).toBeUndefined()
})

test('[HP2] a vote of an earlier campaign is no cause, and a node that decides alone has none of others', () => {
  const again = [asks, { ...grants, nodeId: 2 }, asks, { ...wins, decidedBy: [1, 2], cause: 3 }]
  expect(causesOf(...again).at(-1)).toBe(3)
  expect(causesOf(asks, { ...wins, decidedBy: [1], cause: 1 }).at(-1)).toBe(1)
})

test('[HP2] a node that was ended explains what its leader lacks, and one that was removed does not', () => {
  const loses = { ...role, role: 'follower', reason: 'quorumLost', elapsedTicks: 6 } as const
  const killed = { type: 'killed', nodeId: 3 } as const
  const removed = { type: 'removed', nodeId: 3 } as const
  for (const late of [loses, { type: 'leaseLost', term: 1 } as const]) {
    expect(causesOf(killed, late).at(-1)).toBe(1)
    expect(causesOf(killed, removed, late).at(-1)).toBeUndefined()
  }
})

test('[HP2] the end of a node that was removed explains no missed heartbeat of its next life', () => {
  const missed = { type: 'heartbeatMissed', nodeId: 2, from: 3, silentMs: 200 } as const
  const killed = { type: 'killed', nodeId: 3 } as const
  const started = { type: 'started', nodeId: 3, lastIndex: 0, snapshotIndex: 0 } as const
  expect(causesOf(killed, started, missed).at(-1)).toBe(1)
  expect(causesOf(killed, { type: 'removed', nodeId: 3 }, started, missed).at(-1)).toBeUndefined()
})

test('[HP2] a standstill within a pause is led to by it, and a later one is not', () => {
  const paused = { type: 'paused' } as const
  const resumed = { type: 'resumed', afterMs: 99, atMs: 100 } as const
  const stood = { type: 'threadStood', forMs: 90 } as const
  expect(causesOf(paused, { ...stood, atMs: 95 }, resumed)).toEqual([undefined, 1, 1])
  expect(causesOf(paused, resumed, { ...stood, atMs: 150 })).toEqual([undefined, 1, 1])
  expect(causesOf(paused, resumed, { ...stood, atMs: 300 }).at(-1)).toBeUndefined()
})

test('[HP2] a pause explains a standstill and a late write also where the node could not tell that it froze', () => {
  const fault = faultOf('pause', { nodes: [1, 2] })
  const begins = { type: 'faultBegan', fault } as const
  const healed = { type: 'faultHealed', by: 'time', fault, atMs: 100 } as const
  const stood = { type: 'threadStood', forMs: 90 } as const
  const flushLate = { type: 'flushLate', sinceMs: 90 } as const
  for (const late of [stood, flushLate]) {
    expect(causesOf(begins, { ...late, atMs: 95 })).toEqual([undefined, 1])
    expect(causesOf(begins, healed, { ...late, atMs: 150 })).toEqual([undefined, 1, 1])
    expect(causesOf(begins, healed, { ...late, atMs: 300 })).toEqual([undefined, 1, undefined])
  }
})

test('[HP2] a slow clock explains a late tick and a late heartbeat, also of a tick that began before it was healed', () => {
  const skew = (drift: number, id = 1) => faultOf('skew', { id, nodes: [1], figures: { offsetMs: 0, drift } })
  const begins = (drift: number, id?: number) => ({ type: 'faultBegan', fault: skew(drift, id) }) as const
  const healed = { type: 'faultHealed', by: 'verb', fault: skew(-0.9), atMs: 100 } as const
  const stood = { type: 'threadStood', forMs: 90 } as const
  const missed = { type: 'heartbeatMissed', nodeId: 2, from: 1, silentMs: 90 } as const
  for (const late of [stood, missed]) {
    expect(causesOf(begins(-0.9), { ...late, atMs: 95 }).at(-1)).toBe(1)
    expect(causesOf(begins(-0.9), healed, { ...late, atMs: 150 }).at(-1)).toBe(1)
    expect(causesOf(begins(-0.9), healed, { ...late, atMs: 300 }).at(-1)).toBeUndefined()
    expect(causesOf(begins(-0.3), begins(-0.3, 2), { ...late, atMs: 95 }).at(-1), 'drifts add up').toBe(2)
    for (const drift of [-0.3, 0, 0.9])
      expect(causesOf(begins(drift), { ...late, atMs: 95 }).at(-1), `drift ${drift}`).toBeUndefined()
  }
  expect(causesOf(begins(-0.9), { ...missed, nodeId: 1, from: 2 }).at(-1)).toBeUndefined()
})

test('[HP2] a fault that was healed at one node stands at the others', () => {
  const kill = (...nodes: number[]) => faultOf('kill', { nodes })
  const begins = { type: 'faultBegan', fault: kill(1, 2) } as const
  const healed = { type: 'faultHealed', by: 'verb', fault: kill(1) } as const
  const killed = { type: 'killed', nodeId: 2 } as const
  expect(causesOf(begins, healed, killed)).toEqual([undefined, 1, 1])
  expect(causesOf(begins, { ...healed, fault: kill(1, 2) }, killed)).toEqual([undefined, 1, undefined])
})

test('[HP2] a leader is not heard since it is gone, a link of that direction is broken, or it leads no more', () => {
  const missed = { type: 'heartbeatMissed', from: 2, silentMs: 200, atMs: 300 } as const
  const cut = (from: number, to: number) =>
    ({ type: 'faultBegan', fault: faultOf('cut', { nodes: [1, 2], ways: [{ from, to }] }) }) as const
  const killed = { type: 'killed', nodeId: 2 } as const
  expect(causesOf(cut(2, 1), missed).at(-1)).toBe(1)
  expect(causesOf(cut(1, 2), missed).at(-1)).toBeUndefined()
  expect(causesOf(cut(2, 1), killed, missed).at(-1), 'a node that is gone says nothing on any link').toBe(2)
  const healed = { type: 'faultHealed', by: 'verb', fault: faultOf('cut', { nodes: [1, 2] }) } as const
  expect(causesOf(cut(2, 1), healed, missed)).toEqual([undefined, 1, undefined])
  const steps = { ...role, nodeId: 2, role: 'follower', reason: 'diskStalled', elapsedTicks: 5 } as const
  expect(causesOf(steps, missed).at(-1)).toBe(1)
  const started = { type: 'started', nodeId: 2, lastIndex: 0, snapshotIndex: 0 } as const
  expect(causesOf(killed, started, missed).at(-1), 'it came back, and leads no more').toBe(1)
  const leads = { ...role, nodeId: 2, role: 'leader', reason: 'electionWon', decidedBy: [2] } as const
  expect(causesOf(killed, started, leads, missed).at(-1)).toBeUndefined()
  const paused = { type: 'paused', nodeId: 2 } as const
  const resumed = { type: 'resumed', nodeId: 2, afterMs: 99, atMs: 200 } as const
  expect(causesOf(paused, resumed, missed).at(-1)).toBe(1)
  expect(causesOf(paused, resumed, { ...missed, atMs: 900 }).at(-1)).toBeUndefined()
})

test('[HP2] a fault that was healed after one of its nodes was removed is the cause of nothing more', () => {
  const fault = faultOf('isolate', { nodes: [1, 2, 3], ways: [{ from: 2, to: 1 }] })
  const removed = { type: 'removed', nodeId: 3 } as const
  const healed = { type: 'faultHealed', by: 'time', fault: { ...fault, nodes: [1, 2] } } as const
  const missed = { type: 'heartbeatMissed', from: 2, silentMs: 200, atMs: 300 } as const
  const began = { type: 'faultBegan', fault } as const
  expect(causesOf(began, removed, missed).at(-1)).toBe(1)
  expect(causesOf(began, removed, healed, missed).at(-1)).toBeUndefined()
  const slow = faultOf('slowDisk', { nodes: [2, 3] })
  const lost = { type: 'leaseLost', term: 1 } as const
  const healedAtRest = { ...healed, fault: { ...slow, nodes: [2] } }
  expect(causesOf({ type: 'faultBegan', fault: slow }, removed, healedAtRest, lost).at(-1)).toBeUndefined()
})

test('[HP2] a lease that was given up has the handing over for its cause, and no fault', () => {
  const delay = faultOf('delay', { nodes: [1, 2], ways: [{ from: 1, to: 2 }] })
  const began = { type: 'faultBegan', fault: delay } as const
  const transfer = { type: 'transferBegan', to: 2 } as const
  const lost = { type: 'leaseLost', term: 1, cause: 2 } as const
  expect(causesOf(began, transfer, { ...lost, reason: 'givenUp' }).at(-1)).toBe(2)
  expect(causesOf(began, transfer, { ...lost, reason: 'givenUp', cause: undefined }).at(-1)).toBeUndefined()
  expect(causesOf(began, transfer, { ...lost, reason: 'unanswered', cause: undefined }).at(-1)).toBe(1)
})

test('[HP2] a node fails, stalls, is killed or comes back by the fault that stands at it, and no other', () => {
  const begins = (type: string, nodeId = 1) =>
    ({ type: 'faultBegan', fault: faultOf(type, { nodes: [nodeId] }) }) as const
  const flushLate = { type: 'flushLate', sinceMs: 300 } as const
  const failed = { type: 'failed', why: 'disk full' } as const
  const killed = { type: 'killed' } as const
  expect(causesOf(begins('slowDisk'), flushLate)).toEqual([undefined, 1])
  expect(causesOf(begins('slowDisk', 2), flushLate)).toEqual([undefined, undefined])
  expect(causesOf(begins('fullDisk'), failed)).toEqual([undefined, 1])
  expect(causesOf(begins('slowDisk'), failed)).toEqual([undefined, undefined])
  const healed = { type: 'faultHealed', by: 'time', fault: faultOf('kill') } as const
  const started = { type: 'started', lastIndex: 0, snapshotIndex: 0 } as const
  expect(causesOf(begins('kill'), killed, healed, started, started)).toEqual([undefined, 1, 1, 3, undefined])
})
