import { describe, expect, test } from 'vitest'
import { RaftNetwork } from '../../src/testing/index.js'
import { accepted, Bench } from './support/bench.js'

describe('when an entry is committed (§5.3, §5.4.2)', () => {
  // The rows of etcd's TestLeaderCommitEntry: who acknowledged the leader's entry, its own disk included.
  test.each([
    [1, [], true],
    [3, [], false],
    [3, [2], true],
    [3, [2, 3], true],
    [4, [2], false],
    [4, [2, 3], true],
    [5, [], false],
    [5, [2], false],
    [5, [2, 3], true],
    [5, [2, 3, 4, 5], true],
  ])('[CM1] of %d nodes, the leader and %j hold it: %s', (voterCount, acknowledging, isCommitted) => {
    const bench = new Bench({}, voterCount)
    if (voterCount === 1) bench.node.campaign()
    else bench.become('leader')
    for (const from of acknowledging) bench.receive(accepted(1, { from }))
    for (const from of acknowledging) bench.receive(accepted(1, { from }))
    expect(bench.state.log.commitIndex).toBe(isCommitted ? 1 : 0)
    expect(bench.node.applied).toHaveLength(isCommitted ? 1 : 0)
  })

  // The rows of etcd's TestLeaderOnlyCommitsLogFromCurrentTerm, and more: leader of term 3 with [1, 2, 3].
  test.each([
    [1, 0],
    [2, 0],
    [3, 3],
  ])(
    '[CM2] when a majority holds up to %d of [1, 2, 3], a leader of term 3 commits up to %d',
    (matchIndex, commitIndex) => {
      const bench = new Bench({ log: [1, 2] }, 5).become('leader')
      for (const from of [2, 3]) bench.receive(accepted(matchIndex, { from, term: 3 }))
      expect(bench.state.log.commitIndex).toBe(commitIndex)
    },
  )

  test('[CM2] not even when every node holds it', () => {
    const bench = new Bench({ log: [1, 2] }, 3).become('leader')
    for (const from of [2, 3]) bench.receive(accepted(2, { from, term: 3 }))
    expect(bench.state.log.commitIndex).toBe(0)
  })

  test('[CM3] all entries before a committed one are committed, also those of other leaders', () => {
    const network = new RaftNetwork({ nodes: { 1: { log: [1, 2, 2] }, 2: { log: [1] }, 3: {} } })
    network.elect(1)
    network.tick(2)
    for (const node of network.nodes) {
      expect(node.applied.map(({ index, term }) => [index, term])).toEqual([
        [1, 1],
        [2, 2],
        [3, 2],
        [4, 3],
      ])
    }
  })

  test('[CM7] a new leader opens its term with an empty entry, and so learns what is committed (§8)', () => {
    const bench = new Bench({ log: [1] }).become('leader')
    expect(bench.node.entries.at(-1)).toEqual({ index: 2, term: 2, command: '' })
    bench.receive(accepted(2, { term: 2 }))
    expect(bench.state.log.commitIndex).toBe(2)
  })

  test('[CM8] the leader’s own copy counts once it is on its disk', () => {
    const bench = new Bench({}, 3).become('leader')
    bench.receive(accepted(1))
    bench.node.disk.isHeld = true
    bench.node.propose('x')
    expect(bench.sentOf('appendEntries')).toMatchObject([{ to: 2 }])
    bench.receive(accepted(2))
    expect(bench.state.log.commitIndex).toBe(1)
    bench.node.releaseDisk()
    expect(bench.state.log.commitIndex).toBe(2)
  })

  test('[CM8] a single node commits by its own disk alone, and not before', () => {
    const bench = new Bench({}, 1)
    bench.node.campaign()
    bench.node.disk.isHeld = true
    bench.node.propose('x')
    expect(bench.state.log.commitIndex).toBe(1)
    bench.node.flushNext()
    expect(bench.state.log.commitIndex).toBe(2)
  })

  test('[CM8] the disks of two followers commit before the leader’s own', () => {
    const bench = new Bench({}, 3).become('leader')
    for (const from of [2, 3]) bench.receive(accepted(1, { from }))
    bench.node.disk.isHeld = true
    bench.node.propose('x')
    for (const from of [2, 3]) bench.receive(accepted(2, { from }))
    expect(bench.state.log).toMatchObject({ commitIndex: 2, flushedIndex: 1, lastApplied: 2 })
    // The leader crashes with an entry applied that its disk never held; the others have it.
    bench.node.crash()
    bench.node.restart()
    expect(bench.node.terms).toEqual([1])
    expect(bench.state.log).toMatchObject({ commitIndex: 0, lastApplied: 0 })
  })

  test('[CM9] in a joint configuration both halves must hold an entry', () => {
    const bench = new Bench({}, 3, { voters: [1, 2, 3], votersOutgoing: [4, 5, 6] })
    bench.become('leader')
    for (const from of [2, 3, 4]) bench.receive(accepted(1, { from }))
    expect(bench.state.log.commitIndex).toBe(0)
    bench.receive(accepted(1, { from: 5 }))
    expect(bench.state.log.commitIndex).toBe(1)
  })

  test('[CM10] learners hold the log and do not count', () => {
    const bench = new Bench({}, 3, { learners: [4, 5] }).become('leader')
    for (const from of [4, 5]) bench.receive(accepted(1, { from }))
    expect(bench.state.log.commitIndex).toBe(0)
    expect(bench.state.leadership?.progress.get(4)?.matchIndex).toBe(1)
  })

  test('[CM6] entries are applied in the order of the log, each once', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    const commands = Array.from({ length: 30 }, (_, at) => `c${at}`)
    for (let at = 0; at < 30; at += 3) {
      leader.propose(...commands.slice(at, at + 3))
      if (at % 2 === 0) network.settle()
    }
    network.tick(3)
    for (const node of network.nodes) {
      expect(node.applied.map(({ command }) => command)).toEqual(['', ...commands])
      expect(node.applied.map(({ index }) => index)).toEqual(node.applied.map((_, at) => at + 1))
    }
  })

  test('[CM6] what is committed waits while the state machine is busy', () => {
    const bench = new Bench({}, 1)
    bench.node.isApplyHeld = true
    bench.node.campaign()
    bench.node.propose('x')
    expect(bench.state.log).toMatchObject({ commitIndex: 2, lastApplied: 0 })
    bench.node.isApplyHeld = false
    bench.node.work()
    expect(bench.state.log.lastApplied).toBe(2)
    expect(() => bench.node.step({ type: 'applied', index: 3 })).toThrow(
      'lastApplied never passes commitIndex',
    )
  })

  test('[CM11] a committed entry is in the log of every later leader', () => {
    const network = new RaftNetwork({ nodes: 5 })
    network.elect(1)
    network.isolate(4)
    network.isolate(5)
    network.node(1).propose('kept')
    network.settle()
    expect(network.node(1).applied.at(-1)?.command).toBe('kept')
    network.heal()
    network.isolate(1)
    for (const id of [4, 5]) {
      network.node(id).tick(20)
      expect(() => network.elect(id)).toThrow('was not elected')
    }
    network.elect(2)
    expect(network.node(2).entries.some(({ command }) => command === 'kept')).toBe(true)
    network.tick(3)
    for (const id of [2, 3, 4, 5]) expect(network.node(id).applied[1]?.command).toBe('kept')
  })
})
