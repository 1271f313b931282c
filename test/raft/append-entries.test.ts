import { describe, expect, test } from 'vitest'
import { RaftLog } from '../../src/raft/index.js'
import { runOf, runsOf } from '../../src/testing/index.js'
import { appendEntries, Bench, heartbeat, votersOf } from './support/bench.js'

/** The entries of a log in short after its first `from - 1`, as a leader would send them. */
function entriesFrom(from: number, log: readonly number[]) {
  const last = { index: from - 1, term: log[from - 2] ?? 0 }
  return { prevLogIndex: last.index, prevLogTerm: last.term, entries: runsOf(log.slice(from - 1), last) }
}

describe('AppendEntries, receiver side (Figure 2, §5.3)', () => {
  test('[LR3] false if the term is stale, whatever the entries', () => {
    const bench = new Bench({ log: [1], term: 3 })
    const [answer] = bench.receive(appendEntries({ term: 2, ...entriesFrom(2, [1, 2]) }))
    expect(answer).toMatchObject({ success: false, term: 3, matchIndex: 0 })
    expect(bench.node.terms).toEqual([1])
    expect(bench.state.leaderId).toBe(undefined)
  })

  // The rows of etcd's TestFollowerCheckMessageType: where the logs do not meet.
  test.each([
    ['no entry there', [1, 2], 3, 2, 3, 0],
    ['far beyond the end', [1, 2], 9, 2, 3, 0],
    ['another term there', [1, 2], 2, 1, 2, 2],
    ['a whole term too much', [1, 2, 2, 2], 4, 3, 2, 2],
    ['an empty log', [], 1, 1, 1, 0],
  ])(
    '[LR4] false if the log has no entry at prevLogIndex with prevLogTerm: %s',
    (_, log, prevLogIndex, prevLogTerm, conflictIndex, conflictTerm) => {
      const bench = new Bench({ log, term: 3 })
      const entries = [runOf({ index: prevLogIndex + 1, term: 3 }, 'x')]
      const [answer] = bench.receive(
        appendEntries({ term: 3, prevLogIndex, prevLogTerm, entries, leaderCommit: 9 }),
      )
      expect(answer).toMatchObject({
        success: false,
        prevLogIndex,
        matchIndex: 0,
        conflictIndex,
        conflictTerm,
      })
      expect(bench.node.terms).toEqual(log)
      expect(bench.state.log.commitIndex).toBe(0)
    },
  )

  test('[LR10] the hint never points to what is committed', () => {
    const bench = new Bench({ log: [1, 1, 1, 1], term: 2 })
    bench.receive(appendEntries({ term: 2, prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 2 }))
    const [answer] = bench.receive(appendEntries({ term: 2, prevLogIndex: 4, prevLogTerm: 2 }))
    expect(answer).toMatchObject({ success: false, conflictIndex: 3, conflictTerm: 1 })
  })

  // The rows of etcd's TestFollowerAppendEntries, and more.
  test.each([
    ['appends behind the end', [1, 2], [1, 2, 3], 3, [1, 2, 3]],
    ['replaces a conflicting tail', [1, 2], [1, 3, 4], 2, [1, 3, 4]],
    ['finds all of it there', [1, 2], [1, 2], 1, [1, 2]],
    ['keeps what lies behind what it finds', [1, 2], [1], 1, [1, 2]],
    ['replaces everything', [1, 2], [3], 1, [3]],
    ['replaces a longer tail', [1, 2, 2, 2, 2], [1, 3], 2, [1, 3]],
    ['appends to an empty log', [], [1, 1, 2], 1, [1, 1, 2]],
    ['appends in the middle of a term', [1, 1], [1, 1, 1, 1], 2, [1, 1, 1, 1]],
  ])('[LR5][LR6][DU11] %s, on the disk too', (_, own, leaders, from, expected) => {
    const bench = new Bench({ log: own, term: 4 })
    const [answer] = bench.receive(appendEntries({ term: 4, ...entriesFrom(from, leaders) }))
    expect(answer).toMatchObject({ success: true, matchIndex: leaders.length })
    expect(bench.node.terms).toEqual(expected)
    expect(bench.node.disk.recover().entries.map(({ term }) => term)).toEqual(expected)
  })

  test('[LR6] an old message that comes late removes nothing', () => {
    const bench = new Bench({ term: 1 })
    const first = appendEntries({ ...entriesFrom(1, [1, 1]) })
    bench.receive(first, appendEntries({ ...entriesFrom(3, [1, 1, 1, 1]) }))
    const [answer] = bench.receive(first)
    expect(answer).toMatchObject({ success: true, matchIndex: 2 })
    expect(bench.node.terms).toEqual([1, 1, 1, 1])
    expect(bench.receive(appendEntries({ prevLogIndex: 1, prevLogTerm: 1 }))).toMatchObject([
      { matchIndex: 1 },
    ])
    expect(bench.node.terms).toEqual([1, 1, 1, 1])
    bench.node.crash()
    bench.node.restart()
    expect(bench.node.terms).toEqual([1, 1, 1, 1])
  })

  test('[LR6] messages in any order, each twice, end in the same log', () => {
    const log = [1, 1, 1, 1, 1, 1]
    for (let order = 0; order < 24; order++) {
      const bench = new Bench({ term: 1 })
      const messages = [1, 2, 3, 5].map((from) => appendEntries({ ...entriesFrom(from, log) }))
      const shuffled = [...messages]
      for (let at = 0, rest = order; at < 4; rest = Math.floor(rest / (4 - at)), at++) {
        shuffled.push(...shuffled.splice(rest % (4 - at), 1))
      }
      bench.receive(...shuffled, ...messages)
      expect(bench.node.terms).toEqual(log)
    }
  })

  // The rows of etcd's TestFollowerCommitEntry, and of the sentence's two halves.
  test.each([
    ['all of the new entries', [1, 1], 1, [1, 1, 1], 3, 3],
    ['fewer than the new entries', [1, 1], 1, [1, 1, 1], 2, 2],
    ['more than the new entries', [1, 1], 1, [1, 1, 1], 9, 3],
    ['an own tail behind the last new entry', [1, 1, 1, 1], 1, [1, 1], 4, 2],
  ])(
    '[LR7] commitIndex is the lesser of leaderCommit and the last new entry: %s',
    (_, own, from, leaders, leaderCommit, expected) => {
      const bench = new Bench({ log: own })
      bench.receive(appendEntries({ ...entriesFrom(from, leaders), leaderCommit }))
      expect(bench.state.log.commitIndex).toBe(expected)
      expect(bench.node.applied.map(({ index }) => index)).toEqual(
        Array.from({ length: expected }, (_, at) => at + 1),
      )
    },
  )

  test('[LR7][CM4] an empty message commits no further than the entry it refers to', () => {
    const bench = new Bench({ log: [1, 2, 2, 2], term: 3 })
    bench.receive(heartbeat({ term: 3, leaderCommit: 4 }))
    expect(bench.state.log.commitIndex).toBe(0)
    bench.receive(appendEntries({ term: 3, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 4 }))
    expect(bench.state.log.commitIndex).toBe(1)
  })

  test('[CM5] a message with a lower leaderCommit takes nothing back', () => {
    const bench = new Bench({ log: [1, 1, 1] })
    bench.receive(appendEntries({ prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 3 }))
    bench.receive(appendEntries({ prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 1 }))
    expect(bench.state.log.commitIndex).toBe(3)
  })

  test('[LR15] a conflict inside a run of many commands keeps the part before it', () => {
    const bench = new Bench({ log: [1, { term: 2, commands: ['a', 'b', 'c', 'd'] }], term: 3 })
    const entries = [runOf({ index: 4, term: 3 }, 'x', 'y')]
    bench.receive(appendEntries({ term: 3, prevLogIndex: 3, prevLogTerm: 2, entries }))
    const expected = ['1@1', 'a', 'b', 'x', 'y']
    expect(bench.node.entries.map(({ command }) => command)).toEqual(expected)
    expect(bench.node.terms).toEqual([1, 2, 2, 3, 3])
    bench.node.crash()
    bench.node.restart()
    expect(bench.node.entries.map(({ command }) => command)).toEqual(expected)
  })

  test('[LR15] a run that overlaps what is here is taken from where it is new', () => {
    const bench = new Bench({ log: [{ term: 1, commands: ['a', 'b', 'c'] }] })
    const entries = [runOf({ index: 2, term: 1 }, 'b', 'c', 'd', 'e'), runOf({ index: 6, term: 1 }, 'f')]
    const [answer] = bench.receive(appendEntries({ prevLogIndex: 1, prevLogTerm: 1, entries }))
    expect(answer).toMatchObject({ success: true, matchIndex: 6 })
    expect(bench.node.entries.map(({ command }) => command).join('')).toBe('abcdef')
  })

  test('[LR22] a message from below what is committed, or cut, is taken from where it is new', () => {
    const bench = new Bench({ snapshot: { applied: [1, 1, 1] }, log: [1], term: 2 })
    const log = [1, 1, 1, 1, 2]
    for (const from of [1, 2, 3, 4, 5]) {
      const [answer] = bench.receive(appendEntries({ term: 2, ...entriesFrom(from, log) }))
      expect(answer).toMatchObject({ success: true, matchIndex: 5 })
    }
    expect(bench.node.terms).toEqual([1, 2])
    expect(bench.receive(appendEntries({ term: 2, ...entriesFrom(1, [1, 1]) }))).toMatchObject([
      { matchIndex: 2 },
    ])
    expect(bench.node.terms).toEqual([1, 2])
  })

  test('[LR21] entries that do not follow each other, or come from a later term, are not taken', () => {
    const run = (index: number, term: number) => runOf({ index, term }, 'x')
    for (const entries of [[run(2, 1)], [run(1, 1), run(3, 1)], [run(1, 2), run(2, 1)], [run(1, 3)]]) {
      const bench = new Bench()
      expect(bench.receive(appendEntries({ term: 2, entries }))).toEqual([])
      expect(bench.node.terms).toEqual([])
      expect(bench.node.events.at(-1)).toMatchObject({ type: 'messageDropped', reason: 'contradictory' })
    }
    expect(() => new RaftLog({ index: 3, term: 2 }, undefined, [run(4, 1)], votersOf(1))).toThrow(
      'terms in a log never decrease',
    )
    expect(() => new RaftLog({ index: 3, term: 2 }, undefined, [run(5, 2)], votersOf(1))).toThrow(
      'without a gap',
    )
  })

  test('[LR4][CM11] a leader whose log differs from what is committed is our own bug', () => {
    for (const setup of [{ log: [1, 1] }, { snapshot: { applied: [1, 1] }, log: [] }]) {
      const bench = new Bench(setup)
      bench.receive(heartbeat({ prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 2 }))
      const conflicting = appendEntries({ term: 3, prevLogIndex: 2, prevLogTerm: 2 })
      expect(() => bench.receive(conflicting)).toThrow('log matching')
    }
  })

  test('[LR5][CM11] a committed entry is never removed: the node stops instead', () => {
    const bench = new Bench({ log: [1, 1] })
    bench.receive(appendEntries({ prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 2 }))
    expect(() => bench.receive(appendEntries({ term: 3, ...entriesFrom(2, [1, 2]) }))).toThrow(
      'a committed entry is never removed',
    )
  })
})
