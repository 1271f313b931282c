/** The vitals that a node tells: what they say of its protocol, and when they are told. */
import { expect, test } from 'vitest'
import type { Message, RaftEvent, RaftView } from '../../src/raft/index.js'
import {
  allocateVitals,
  type TermRun,
  ToldMemory,
  VitalSigns,
  type Vitals,
} from '../../src/telemetry/index.js'
import { RaftNetwork } from '../../src/testing/index.js'
import { Chaos } from '../raft/support/chaos.js'

const nothingWaits = { proposals: 0, reads: 0, readBytes: 0 }
const isLeaseHeld = (): boolean => true

function newVitals(tickMs = 50) {
  const memory = allocateVitals()
  const told = new ToldMemory<Vitals>(memory)
  return { signs: new VitalSigns(memory, tickMs), told }
}

function vitalsOf(state: RaftView): Vitals | undefined {
  const { signs, told } = newVitals()
  signs.tell(state, 0)
  return told.read()
}

/** The runs of terms, from the term of each entry. */
function runsOf({ log }: RaftView): TermRun[] {
  const runs: TermRun[] = []
  for (let index = log.firstIndex; index <= log.lastIndex; index++) {
    const term = log.termAt(index) ?? 0
    if (runs.at(-1)?.term !== term) runs.push({ firstIndex: index, term })
  }
  return runs
}

test('terms are those of the log, whatever was cut off, compacted, installed and restarted', () => {
  const sum = { truncations: 0, snapshots: 0, crashes: 0 }
  const wrong: string[] = []
  for (let seed = 1; seed <= 6; seed++) {
    const chaos = new Chaos(seed)
    const { nodes } = chaos.network
    for (let step = 0; step < 500; step++) {
      chaos.step()
      for (const { id, state } of nodes.filter(({ isUp }) => isUp)) {
        const told = JSON.stringify(vitalsOf(state)?.terms)
        if (told !== JSON.stringify(runsOf(state)))
          wrong.push(`seed ${seed}, step ${step}, node ${id}: ${told}`)
      }
    }
    for (const what of ['truncations', 'snapshots', 'crashes'] as const) sum[what] += chaos.tally[what]
  }
  expect(wrong).toEqual([])
  expect(Math.min(...Object.values(sum)), 'a run in which nothing happens proves nothing').toBeGreaterThan(3)
})

test('of more than 64 terms the last are told', () => {
  const log = Array.from({ length: 100 }, (_, at) => at + 1)
  const network = new RaftNetwork({ nodes: { 1: { log } } })
  const terms = vitalsOf(network.node(1).state)?.terms
  expect(terms).toEqual(log.slice(-64).map((term) => ({ firstIndex: term, term })))
})

test('a leader tells how far each node is, and what waits', () => {
  const network = new RaftNetwork({ nodes: 3 })
  const leader = network.elect(1)
  network.settle()
  network.link(3, 1).drop()
  leader.disk.isHeld = true
  leader.propose('a', 'b')
  network.settle()
  const { lastIndex } = leader.state.log
  const vitals = vitalsOf(leader.state)
  expect(vitals?.votes, 'it is no candidate').toEqual([])
  expect(vitals?.progress).toEqual([
    { nodeId: 2, nextIndex: lastIndex + 1, matchIndex: lastIndex, bytesInFlight: 0, isSnapshotSent: false },
    {
      ...{ nodeId: 3, nextIndex: lastIndex + 1, matchIndex: lastIndex - 2, isSnapshotSent: false },
      bytesInFlight: expect.toSatisfy((bytes: number) => bytes > 0),
    },
  ])
  const bytes = expect.toSatisfy((some: number) => some > 0)
  expect(vitals?.queues).toEqual({
    uncommitted: { entries: 2, bytes },
    unflushed: { entries: 2, bytes },
    unapplied: { entries: 0, bytes: 0 },
    ...{ writes: 1, messagesAfterFlush: 0, requests: nothingWaits },
  })
  leader.isApplyHeld = true
  network.link(3, 1).pass()
  leader.releaseDisk()
  network.settle()
  expect(vitalsOf(leader.state)?.queues).toMatchObject({
    uncommitted: { entries: 0, bytes: 0 },
    unapplied: { entries: 2, bytes },
  })
})

test('a follower that a snapshot replaced has no entries that wait, and a leader tells that it is sent', () => {
  const network = new RaftNetwork({ nodes: 3 })
  const leader = network.elect(1)
  network.isolate(3)
  leader.propose('a')
  network.settle()
  leader.compact()
  network.heal()
  network.link(1, 3).hold('installSnapshot')
  network.tick(4)
  expect(vitalsOf(leader.state)?.progress.map(({ isSnapshotSent }) => isSnapshotSent)).toEqual([false, true])
  const follower = network.node(3)
  follower.disk.isHeld = true
  network.link(1, 3).pass()
  network.release(1, 3)
  network.settle()
  expect(follower.state.log.base.index).toBe(leader.state.log.base.index)
  expect(follower.state.log.flushedIndex).toBeLessThan(follower.state.log.base.index)
  expect(vitalsOf(follower.state)?.queues.unflushed).toEqual({ entries: 0, bytes: 0 })
})

test('a candidate tells who voted for it, and not who refused', () => {
  const network = new RaftNetwork({ nodes: { 1: { log: [1] }, 2: {}, 3: { log: [1, 1] }, 4: {}, 5: {} } })
  for (const id of [4, 5]) network.cut(1, id)
  const candidate = network.node(1)
  candidate.campaign()
  network.settle()
  expect(candidate.state.role).toBe('preCandidate')
  expect([...candidate.state.votes]).toHaveLength(3)
  const { votes, electionElapsedTicks, electionTimeoutTicks } = vitalsOf(candidate.state) ?? {}
  expect(votes).toEqual([1, 2])
  expect(electionElapsedTicks).toBe(candidate.state.electionElapsedTicks)
  expect(electionTimeoutTicks).toBe(candidate.state.randomizedElectionTimeoutTicks)
})

test('[LK3] vitals are told every 50 ms, however short the ticks, and with ticks of 50 ms on each', () => {
  for (const [tickMs, expected] of [
    [10, [0, 50, 100]],
    [20, [0, 40, 80, 120]],
    [50, [0, 50, 100]],
    [100, [0, 100]],
  ] as const) {
    const { signs, told } = newVitals(tickMs)
    const { state } = new RaftNetwork({ nodes: 1 }).node(1)
    const times = new Set<number | undefined>()
    for (let atMs = 0; atMs <= 120; atMs += tickMs) {
      signs.ticked(state, isLeaseHeld, nothingWaits, atMs)
      times.add(told.read()?.atMs)
    }
    expect([...times], `ticks of ${tickMs} ms`).toEqual(expected)
  }
})

test('[LK3] a new role and a vote are told at the end of their turn, and nothing else before the next tick', () => {
  const { signs, told } = newVitals()
  const leader = new RaftNetwork({ nodes: 1 }).elect(1)
  signs.ticked(leader.state, isLeaseHeld, { ...nothingWaits, reads: 7 }, 0)
  expect(told.read()).toMatchObject({ atMs: 0, isLeaseHeld: true, queues: { requests: { reads: 7 } } })
  const turns: [number, () => void][] = [
    [1, () => signs.received({ type: 'appendEntriesResponse' } as Message)],
    [2, () => signs.received({ type: 'requestVoteResponse' } as Message)],
    [3, () => signs.happened({ type: 'membership' } as RaftEvent)],
    [4, () => signs.happened({ type: 'role' } as RaftEvent)],
    [5, () => undefined],
  ]
  const times = turns.map(([atMs, happens]) => {
    happens()
    signs.turnEnded(leader.state, atMs)
    return told.read()?.atMs
  })
  expect(times).toEqual([0, 2, 2, 4, 4])
  expect(told.read()?.tickedAtMs, 'the ticks are as of the last one').toBe(0)
  expect(told.read(), 'a new role has no lease yet').toMatchObject({ isLeaseHeld: false })
})

test('the largest vitals fit into their memory', () => {
  const most = Number.MAX_SAFE_INTEGER
  const times = <Each>(count: number, each: Each): Each[] => Array(count).fill(each)
  const waiting = { entries: most, bytes: most }
  const largest: Vitals = {
    ...{
      atMs: 1795801545246.8633,
      tickedAtMs: 1795801545246.8633,
      electionElapsedTicks: most,
      electionTimeoutTicks: most,
      isLeaseHeld: false,
      isSnapshotIncoming: false,
    },
    votes: times(25, most),
    progress: times(25, {
      ...{ nodeId: most, nextIndex: most, matchIndex: most, bytesInFlight: most, isSnapshotSent: false },
    }),
    terms: times(64, { firstIndex: most, term: most }),
    queues: {
      ...{ uncommitted: waiting, unflushed: waiting, unapplied: waiting, writes: most },
      ...{ messagesAfterFlush: most, requests: { proposals: most, reads: most, readBytes: most } },
    },
  }
  const { told } = newVitals()
  told.tell(largest)
  expect(told.read()).toEqual(largest)
})
