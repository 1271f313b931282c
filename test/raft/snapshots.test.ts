import { describe, expect, test } from 'vitest'
import type { Snapshot } from '../../src/raft/index.js'
import { encodeApplied, entriesOf, type LogSpec, RaftNetwork, runsOf } from '../../src/testing/index.js'
import {
  appendEntries,
  Bench,
  endTurn,
  heartbeat,
  installSnapshot,
  requestVote,
  votersOf,
} from './support/bench.js'

/** A snapshot of a state machine that holds the given log, with its bytes. */
function snapshotOf(log: LogSpec, membership = votersOf(1, 2, 3)): [Snapshot, Uint8Array] {
  const applied = entriesOf(runsOf(log))
  const data = encodeApplied(applied)
  const last = applied.at(-1) ?? { index: 0, term: 0 }
  return [{ index: last.index, term: last.term, membership, size: data.byteLength }, data]
}

/** The message cut into pieces of the given length. */
function chunksOf([snapshot, data]: [Snapshot, Uint8Array], length: number, fields = {}) {
  const chunks = []
  for (let offset = 0; offset < data.byteLength; offset += length) {
    chunks.push(installSnapshot(snapshot, data.slice(offset, offset + length), { offset, ...fields }))
  }
  return chunks
}

describe('InstallSnapshot, receiver side (Figure 13)', () => {
  test('[SN2] a stale term is answered at once, and nothing is written', () => {
    const bench = new Bench({ term: 4 })
    const sent = bench.receive(installSnapshot(...snapshotOf([1, 1]), { term: 3 }))
    expect(sent).toMatchObject([
      { type: 'installSnapshotResponse', term: 4, done: false, lastIncludedIndex: 0 },
    ])
    expect(bench.state.incomingSnapshot).toBe(undefined)
  })

  test('[SN3][SN4] chunks are written in order, each is answered with the offset wanted next, the last with done', () => {
    const bench = new Bench()
    const source = snapshotOf([1, 1, 2])
    const chunks = chunksOf(source, 30, { term: 2 })
    expect(chunks.length).toBeGreaterThan(3)
    chunks.forEach((chunk, position) => {
      const isLast = position === chunks.length - 1
      const offset = isLast ? source[0].size : (position + 1) * 30
      expect(bench.receive(chunk)).toMatchObject([{ offset, done: isLast, lastIncludedIndex: 3 }])
    })
    expect(bench.node.applied.map(({ term }) => term)).toEqual([1, 1, 2])
    expect(bench.state.log).toMatchObject({
      base: { index: 3, term: 2 },
      commitIndex: 3,
      lastApplied: 3,
      flushedIndex: 3,
    })
    expect(bench.node.events.filter(({ type }) => type === 'snapshotInstalling')).toHaveLength(1)
  })

  test('[SN4] a chunk is answered once it is on disk', () => {
    const bench = new Bench({ term: 1 })
    bench.node.disk.isHeld = true
    const [first, second] = chunksOf(snapshotOf([1, 1]), 30)
    if (first === undefined || second === undefined) throw new Error('two chunks')
    expect(bench.receive(first)).toEqual([])
    expect(bench.receive(second)).toEqual([])
    bench.node.flushNext()
    expect(bench.sent()).toMatchObject([{ offset: 30 }])
    bench.node.flushNext()
    expect(bench.sent()).toMatchObject([{ offset: 60 }])
  })

  test('[SN5] a chunk out of order is not written, and answered with the offset that is wanted', () => {
    const bench = new Bench()
    const [first, second, third] = chunksOf(snapshotOf([1, 1, 1]), 30)
    if (first === undefined || second === undefined || third === undefined) throw new Error('three chunks')
    const offsets = [third, first, third, first, second, second].map((chunk) => {
      const [answer] = bench.receive(chunk)
      return answer?.type === 'installSnapshotResponse' ? answer.offset : -1
    })
    expect(offsets).toEqual([0, 30, 30, 30, 60, 60])
    expect(bench.receive({ ...third, length: 7 })).toMatchObject([{ offset: 60, done: false }])
  })

  test('[SN5] chunks in any order, each twice, end in the same snapshot', () => {
    const source = snapshotOf([1, 1, 2, 2])
    for (let shift = 0; shift < 5; shift++) {
      const bench = new Bench()
      const chunks = chunksOf(source, 40, { term: 2 })
      for (let round = 0; round <= chunks.length; round++) {
        const turned = [...chunks.slice(shift), ...chunks.slice(0, shift)]
        bench.receive(...turned, ...turned.reverse())
      }
      expect(bench.node.applied).toEqual(entriesOf(runsOf([1, 1, 2, 2])))
      expect(bench.node.events.filter(({ type }) => type === 'snapshotInstalling')).toHaveLength(1)
    }
  })

  test('[SN6] when the log holds the last included entry, it is kept, and committed up to there', () => {
    const bench = new Bench({ log: [1, 1, 1, 2, 2] })
    const [answer] = bench.receive(installSnapshot(...snapshotOf([1, 1, 1]), { term: 2 }))
    expect(answer).toMatchObject({ done: true, lastIncludedIndex: 3 })
    expect(bench.node.terms).toEqual([1, 1, 1, 2, 2])
    expect(bench.state.log).toMatchObject({ commitIndex: 3, lastApplied: 3, snapshot: undefined })
  })

  test('[SN7] otherwise the whole log is discarded, the state machine reset, and the membership taken', () => {
    const membership = votersOf(1, 2, 3, 4)
    const bench = new Bench({ log: [1, 2, 2, 2, 2], term: 3 })
    bench.receive(heartbeat({ term: 3 }))
    bench.receive(installSnapshot(...snapshotOf([1, 1, 3], membership), { term: 3 }))
    expect(bench.node.terms).toEqual([])
    expect(bench.state.membership).toEqual(membership)
    expect(bench.node.applied.map(({ term }) => term)).toEqual([1, 1, 3])
    bench.node.crash()
    bench.node.restart()
    expect(bench.node.terms).toEqual([])
    expect(bench.state.log).toMatchObject({ base: { index: 3, term: 3 }, commitIndex: 3, lastApplied: 3 })
    expect(bench.state.membership).toEqual(membership)
  })

  test('[SN7] replication goes on behind it', () => {
    const bench = new Bench({ log: [1, 1], term: 3 })
    bench.receive(installSnapshot(...snapshotOf([1, 2, 3]), { term: 3 }))
    const entries = runsOf([3, 3], { index: 3, term: 3 })
    const [answer] = bench.receive(
      appendEntries({ term: 3, prevLogIndex: 3, prevLogTerm: 3, entries, leaderCommit: 5 }),
    )
    expect(answer).toMatchObject({ success: true, matchIndex: 5 })
    expect(bench.node.applied.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5])
  })

  test('[SN8] a late snapshot takes nothing back', () => {
    const bench = new Bench({ log: [1, 1, 1, 1] })
    bench.receive(appendEntries({ prevLogIndex: 4, prevLogTerm: 1, leaderCommit: 3 }))
    for (const log of [[1], [1, 1], [1, 1, 1]]) {
      const [answer] = bench.receive(installSnapshot(...snapshotOf(log)))
      expect(answer).toMatchObject({ done: true })
    }
    expect(bench.node.terms).toEqual([1, 1, 1, 1])
    expect(bench.state.log).toMatchObject({ commitIndex: 3, lastApplied: 3, snapshot: undefined })
  })

  test('[SN8] nor does one of entries that were cut off already', () => {
    const bench = new Bench({ snapshot: { applied: [1, 1, 1, 1] }, log: [1, 1] })
    for (const chunk of chunksOf(snapshotOf([1, 1]), 30))
      expect(bench.receive(chunk)).toMatchObject([{ done: true }])
    expect(bench.node.events.filter(({ type }) => type === 'snapshotInstalling')).toEqual([])
    expect(bench.state.log).toMatchObject({ base: { index: 4 }, lastIndex: 6, commitIndex: 4 })
    expect(bench.node.applied).toHaveLength(4)
  })

  test('[SN8] the same snapshot again, or its last chunk, is answered and installed no second time', () => {
    const bench = new Bench()
    const chunks = chunksOf(snapshotOf([1, 1]), 30)
    bench.receive(...chunks)
    for (const chunk of chunks) expect(bench.receive(chunk)).toMatchObject([{ done: true }])
    expect(bench.node.events.filter(({ type }) => type === 'snapshotInstalling')).toHaveLength(1)
  })

  test('[SN8] it is told done only when what it stands for is on disk', () => {
    const bench = new Bench({ term: 1 })
    bench.node.disk.isHeld = true
    bench.receive(appendEntries({ entries: runsOf([1, 1, 1]), leaderCommit: 3 }))
    expect(bench.receive(installSnapshot(...snapshotOf([1, 1])))).toEqual([])
    expect(bench.receive(installSnapshot(...snapshotOf([1, 1, 1])))).toEqual([])
    bench.node.releaseDisk()
    expect(bench.sent().filter(({ type }) => type === 'installSnapshotResponse')).toMatchObject([
      { done: true, lastIncludedIndex: 2 },
      { done: true, lastIncludedIndex: 3 },
    ])
  })

  test('[SN8] a received snapshot is not told done before its install is on disk, however long the log was', () => {
    const bench = new Bench({ log: [1, 1, 1, 1] })
    bench.node.disk.isHeld = true
    bench.node.disk.writesInFlightMax = 0
    const whole = installSnapshot(...snapshotOf([1, 1, 2]), { term: 2 })
    expect(bench.receive(whole, whole)).toEqual([])
    expect(bench.state.log).toMatchObject({ lastIndex: 3, commitIndex: 3 })
    // The driver took nothing of it: a crash leaves the log as it was.
    bench.node.crash()
    bench.node.restart()
    expect(bench.state.log).toMatchObject({ lastIndex: 4, commitIndex: 0, snapshot: undefined })
    expect(bench.sent()).toEqual([])
    bench.node.disk.writesInFlightMax = 1
    bench.node.releaseDisk()
    expect(bench.receive(whole)).toMatchObject([{ done: true, lastIncludedIndex: 3 }])
    expect(bench.node.disk.recover()).toMatchObject({ snapshot: { index: 3 }, entries: [] })
  })

  test('[SN12] a new leader’s snapshot is received from its beginning: chunks of two are not mixed', () => {
    const bench = new Bench()
    const source = snapshotOf([1, 1, 1])
    const other: [Snapshot, Uint8Array] = [source[0], source[1].map((byte) => byte)]
    const [first] = chunksOf(source, 60)
    const [otherFirst, ...otherRest] = chunksOf(other, 60, { from: 3, term: 2 })
    if (first === undefined || otherFirst === undefined) throw new Error('chunks')
    bench.receive(first)
    expect(bench.receive(...otherRest)[0]).toMatchObject({ offset: 0, done: false })
    bench.receive(otherFirst, ...otherRest)
    expect(bench.node.applied).toHaveLength(3)
  })

  test('[SN3] a newer snapshot replaces one that is half received', () => {
    const bench = new Bench()
    bench.receive(...chunksOf(snapshotOf([1, 1, 1]), 30).slice(0, 2))
    bench.receive(...chunksOf(snapshotOf([1, 1, 1, 1, 1]), 30))
    expect(bench.node.applied).toHaveLength(5)
  })

  test('[SN10] after a restart it is received from its beginning', () => {
    const bench = new Bench()
    const chunks = chunksOf(snapshotOf([1, 1, 1]), 30)
    bench.receive(...chunks.slice(0, 3))
    bench.node.crash()
    bench.node.restart()
    expect(bench.receive(...chunks.slice(3, 4))).toMatchObject([{ offset: 0, done: false }])
    bench.receive(...chunks)
    expect(bench.node.applied).toHaveLength(3)
  })

  test('[SN17] nothing behind a snapshot is applied before the state machine holds the snapshot', () => {
    const bench = new Bench({ term: 1 })
    bench.node.disk.isHeld = true
    bench.receive(installSnapshot(...snapshotOf([1, 1])))
    const entries = runsOf([1], { index: 2, term: 1 })
    bench.receive(appendEntries({ prevLogIndex: 2, prevLogTerm: 1, entries, leaderCommit: 3 }))
    expect(bench.node.raft.step(endTurn()).apply).toEqual([])
    expect(bench.node.applied).toEqual([])
    bench.node.releaseDisk()
    expect(bench.node.applied.map(({ index }) => index)).toEqual([1, 2, 3])
  })

  test('[SN18] chunks of another one are ignored while a received snapshot waits for the store', () => {
    const bench = new Bench({ term: 1 })
    bench.node.disk.isHeld = true
    bench.node.disk.writesInFlightMax = 1
    bench.receive(appendEntries({ entries: runsOf([1]) }))
    const ones = (count: number) => snapshotOf(new Array<number>(count).fill(1))
    bench.receive(installSnapshot(...ones(5)))
    const next = chunksOf(ones(8), 30)
    for (const chunk of next) expect(bench.receive(chunk)).toEqual([])
    expect(bench.state.incomingSnapshot).toBe(undefined)
    bench.node.releaseDisk()
    expect(bench.state.log).toMatchObject({ flushedIndex: 5, lastApplied: 5 })
    bench.receive(...next)
    expect(bench.state.log).toMatchObject({ flushedIndex: 8, lastApplied: 8 })
  })

  test('[SN7][DU14] an earlier write that is flushed after a snapshot was received does no harm', () => {
    const bench = new Bench({ term: 1 })
    bench.node.disk.isHeld = true
    bench.node.disk.writesInFlightMax = 1
    bench.receive(appendEntries({ entries: runsOf([1, 1, 1]), leaderCommit: 3 }))
    bench.receive(installSnapshot(...snapshotOf([1, 1, 1, 1, 1])))
    bench.node.flushNext()
    expect(bench.state.log.flushedIndex).toBe(3)
    bench.node.flushNext()
    expect(bench.state.log).toMatchObject({ flushedIndex: 5, submittedIndex: 5 })
    bench.receive(installSnapshot(...snapshotOf(new Array<number>(8).fill(1))))
    bench.receive(installSnapshot(...snapshotOf(new Array<number>(9).fill(1))))
    bench.node.releaseDisk()
    expect(bench.state.log).toMatchObject({ flushedIndex: 9, lastApplied: 9 })
  })
})

describe('snapshots of the own state machine (§7)', () => {
  test('[SN13] the log is cut behind it, and the node still knows the last entry it cut', () => {
    const bench = new Bench({ log: [1, 1, 2, 2], term: 2 })
    bench.receive(appendEntries({ term: 2, prevLogIndex: 4, prevLogTerm: 2, leaderCommit: 3 }))
    bench.node.compact()
    expect(bench.node.terms).toEqual([2])
    expect(bench.state.log).toMatchObject({ base: { index: 3, term: 2 }, firstIndex: 4, lastIndex: 4 })
    expect(bench.receive(appendEntries({ term: 2, prevLogIndex: 3, prevLogTerm: 2 }))).toMatchObject([
      { success: true },
    ])
    bench.node.crash()
    bench.node.restart()
    expect(bench.node.terms).toEqual([2])
    expect(bench.state.log).toMatchObject({ commitIndex: 3, lastApplied: 3 })
  })

  test('[SN14] it may be cut inside a run', () => {
    const bench = new Bench({ log: [{ term: 1, commands: ['a', 'b', 'c', 'd', 'e'] }] })
    bench.receive(appendEntries({ prevLogIndex: 5, prevLogTerm: 1, leaderCommit: 4 }))
    bench.node.compact(1)
    expect(bench.node.entries.map(({ command }) => command)).toEqual(['d', 'e'])
    expect(bench.state.log.base).toEqual({ index: 3, term: 1 })
    bench.node.crash()
    bench.node.restart()
    expect(bench.node.entries.map(({ command }) => command)).toEqual(['d', 'e'])
  })

  test('[SN15] a log that is cut whole ends in the snapshot’s last entry, also for elections', () => {
    const bench = new Bench({ snapshot: { applied: [1, 1, 2] }, term: 2 })
    expect(bench.receive(requestVote({ term: 3, lastLogIndex: 2, lastLogTerm: 2 }))).toMatchObject([
      { voteGranted: false },
    ])
    expect(bench.receive(requestVote({ term: 3, lastLogIndex: 3, lastLogTerm: 2 }))).toMatchObject([
      { voteGranted: true },
    ])
    bench.node.tick(21)
    bench.node.campaign()
    expect(bench.sentOf('preVote')[0]).toMatchObject({ lastLogIndex: 3, lastLogTerm: 2 })
  })

  test('[SN13] it holds what was applied and flushed, and no more', () => {
    const bench = new Bench({ log: [1, 1, 1] })
    bench.receive(appendEntries({ prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 2 }))
    const snapshot = { ...snapshotOf([1, 1, 1])[0] }
    expect(() => bench.node.step({ type: 'compacted', snapshot, base: { index: 3, term: 1 } })).toThrow(
      'what was applied',
    )
    const slow = new Bench({ term: 1 })
    slow.node.disk.isHeld = true
    slow.receive(appendEntries({ entries: runsOf([1, 1]), leaderCommit: 2 }))
    expect(slow.state.log.lastApplied).toBe(2)
    const [unflushed] = snapshotOf([1, 1])
    expect(() => slow.node.step({ type: 'compacted', snapshot: unflushed, base: unflushed })).toThrow(
      'our own disk',
    )
  })

  test('[SN13] one that is finished after a leader’s newer one was received is too late', () => {
    const bench = new Bench({ log: [1, 1, 1] })
    bench.receive(appendEntries({ prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 3 }))
    const [late] = snapshotOf([1, 1, 1])
    bench.receive(installSnapshot(...snapshotOf([1, 1, 1, 1, 1, 1])))
    bench.node.step({ type: 'compacted', snapshot: late, base: { index: 2, term: 1 } })
    expect(bench.state.log).toMatchObject({ base: { index: 6 }, snapshot: { index: 6 } })
  })

  test('[SN13] it equals what every node applied up to there', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    leader.propose('a', 'b')
    network.tick(2)
    const snapshot = network.node(2).compact()
    const data = network.node(2).disk.snapshotData(snapshot.index)
    expect(data).toEqual(encodeApplied(leader.applied.slice(0, snapshot.index)))
  })
})
