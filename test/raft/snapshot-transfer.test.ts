import { describe, expect, test } from 'vitest'
import { defaultLogBounds, type Message, Random } from '../../src/raft/index.js'
import { type NetworkNode, RaftNetwork } from '../../src/testing/index.js'
import { accepted, Bench, installSnapshotResponse, refused } from './support/bench.js'

const limits = { snapshotChunkBytes: 50 }

/** Three nodes led by 1, whose log is cut; node 3 missed all of it and can be reached again. */
function behind(): { network: RaftNetwork; leader: NetworkNode; follower: NetworkNode } {
  const network = new RaftNetwork({ nodes: 3, limits })
  const leader = network.elect(1)
  network.tick(2)
  network.isolate(3)
  leader.propose('a', 'b', 'c', 'd')
  network.tick(2)
  leader.compact()
  leader.propose('e')
  network.tick(2)
  network.heal()
  return { network, leader, follower: network.node(3) }
}

const chunks = (network: RaftNetwork) => network.inFlight.filter(({ type }) => type === 'installSnapshot')

/** Ticks without delivering snapshot messages, until the first chunk is on its way. */
function untilFirstChunk(network: RaftNetwork): void {
  for (let ticks = 0; chunks(network).length === 0 && ticks < 10; ticks++) {
    for (const node of network.nodes) node.tick()
    network.settle(({ type }) => !type.startsWith('installSnapshot'))
  }
}

/** Loses some of the messages in flight, doubles others, and changes their order. */
function scramble(network: RaftNetwork, random: Random): void {
  const messages: Message[] = []
  for (const message of network.take()) {
    if (random.chance(0.3)) continue
    messages.push(message)
    if (random.chance(0.3)) messages.push(message)
  }
  while (messages.length > 0) network.inject(...messages.splice(random.below(messages.length), 1))
}

/** Snapshots that the store of this node has to keep. */
function beingSentBy({ raft, state }: NetworkNode): readonly number[] {
  const { snapshot } = state.log
  return snapshot === undefined ? [] : raft.cutBehind(snapshot, defaultLogBounds).beingSent
}

describe('the sending side (§7)', () => {
  test('[SN1] a snapshot is sent when the entry that is needed next is no longer in the log', () => {
    const { network, leader, follower } = behind()
    untilFirstChunk(network)
    expect(leader.state.leadership?.progress.get(3)).toMatchObject({
      state: 'snapshot',
      snapshot: { index: 5 },
      isChunkSent: true,
    })
    expect(leader.events.at(-1)).toMatchObject({ type: 'snapshotSending', to: 3, index: 5 })
    expect(beingSentBy(leader)).toEqual([5])
    network.tick(4)
    expect(follower.applied).toEqual(leader.applied)
    expect(follower.terms).toEqual([1])
    expect(leader.state.leadership?.progress.get(3)).toMatchObject({ state: 'replicate', matchIndex: 6 })
    expect(beingSentBy(leader)).toEqual([])
  })

  test('[SN4] the next chunk leaves when the one before is answered', () => {
    const { network } = behind()
    untilFirstChunk(network)
    const offsets: number[] = []
    while (chunks(network).length > 0) {
      expect(chunks(network)).toHaveLength(1)
      const [chunk] = chunks(network)
      if (chunk?.type === 'installSnapshot') offsets.push(chunk.offset)
      network.deliver({ type: 'installSnapshot' })
      network.deliver({ type: 'installSnapshotResponse' })
    }
    expect(offsets.length).toBeGreaterThan(3)
    expect(offsets).toEqual(offsets.map((_, position) => position * 50))
  })

  test('[SN16] when it is done the log follows from there, also when nothing is to be sent', () => {
    const network = new RaftNetwork({ nodes: 3, limits })
    const leader = network.elect(1)
    network.isolate(3)
    leader.propose('a')
    network.tick(2)
    leader.compact()
    network.heal()
    network.tick(6)
    expect(leader.state.leadership?.progress.get(3)).toMatchObject({ state: 'replicate', matchIndex: 2 })
    leader.propose('b')
    network.settle()
    expect(network.node(3).entries.at(-1)?.command).toBe('b')
  })

  test('[SN9] a lost chunk, and a lost answer, are made up for after the next heartbeats', () => {
    for (const type of ['installSnapshot', 'installSnapshotResponse'] as const) {
      const { network, leader, follower } = behind()
      untilFirstChunk(network)
      for (let losses = 0; losses < 3; losses++) {
        network.settle((message) => message.type !== type)
        expect(network.take({ type }).length).toBeGreaterThan(0)
        for (let ticks = 0; ticks < 6; ticks++) {
          for (const node of network.nodes) node.tick()
          network.settle((message) => !message.type.startsWith('installSnapshot'))
        }
      }
      network.tick(6)
      expect(follower.applied).toEqual(leader.applied)
    }
  })

  test('[SN9] the same answer twice sends the same chunk once', () => {
    const { network } = behind()
    untilFirstChunk(network)
    network.deliver({ type: 'installSnapshot' })
    const [answer] = network.take({ type: 'installSnapshotResponse' })
    if (answer === undefined) throw new Error('an answer')
    network.inject(answer, answer, answer)
    network.settle({ type: 'installSnapshotResponse' })
    expect(chunks(network)).toHaveLength(1)
  })

  test('[SN16] done twice, and answers about another snapshot, change nothing', () => {
    const bench = new Bench({ snapshot: { applied: [1, 1, 1] }, log: [1] }).become('leader')
    bench.receive(refused(4, { term: 2, conflictIndex: 1 }))
    expect(bench.state.leadership?.progress.get(2)?.state).toBe('snapshot')
    bench.receive(installSnapshotResponse({ term: 2, lastIncludedIndex: 2, done: true }))
    expect(bench.state.leadership?.progress.get(2)?.state).toBe('snapshot')
    bench.receive(installSnapshotResponse({ term: 2, lastIncludedIndex: 3, done: true }))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({
      state: 'replicate',
      matchIndex: 3,
      nextIndex: 6,
    })
    bench.receive(accepted(5, { term: 2 }))
    bench.receive(installSnapshotResponse({ term: 2, lastIncludedIndex: 3, done: true }))
    expect(bench.state.leadership?.progress.get(2)).toMatchObject({
      state: 'replicate',
      matchIndex: 5,
      nextIndex: 6,
    })
  })

  test('[SN1] while a snapshot is sent, no entries are', () => {
    const bench = new Bench({ snapshot: { applied: [1, 1, 1] }, log: [1] }).become('leader')
    bench.receive(refused(4, { term: 2, conflictIndex: 1 }), refused(0, { term: 2, conflictIndex: 1 }))
    bench.node.propose('x')
    expect(bench.sentOf('appendEntries').filter(({ to }) => to === 2)).toEqual([])
    expect(bench.state.leadership?.progress.get(2)?.state).toBe('snapshot')
  })

  test('[SN11] when the store has dropped it, the newest one is sent from its beginning', () => {
    const { network, leader, follower } = behind()
    untilFirstChunk(network)
    leader.compact()
    leader.disk.dropSnapshot(5)
    network.tick(8)
    expect(leader.events.filter(({ type }) => type === 'snapshotSending')).toMatchObject([
      { index: 5 },
      { index: 6 },
    ])
    expect(follower.applied).toEqual(leader.applied)
  })

  test('[SN11] a snapshot taken meanwhile does not disturb one that is on its way', () => {
    const { network, leader, follower } = behind()
    untilFirstChunk(network)
    leader.compact()
    network.tick(8)
    expect(follower.events.filter(({ type }) => type === 'snapshotInstalling')).toMatchObject([
      { index: 5 },
      { index: 6 },
    ])
    expect(follower.applied).toEqual(leader.applied)
  })

  test('[SN12] the leader fails in the middle: the next one begins anew', () => {
    const { network, leader, follower } = behind()
    network.node(2).compact()
    untilFirstChunk(network)
    network.deliver({ type: 'installSnapshot' })
    leader.crash()
    network.elect(2)
    network.tick(8)
    expect(follower.applied).toEqual(network.node(2).applied)
    expect(follower.applied.length).toBeGreaterThan(5)
  })

  test('[SN10] the follower fails in the middle and begins anew', () => {
    const { network, leader, follower } = behind()
    untilFirstChunk(network)
    for (let at = 0; at < 4; at++) {
      network.deliver({ type: 'installSnapshot' })
      network.deliver({ type: 'installSnapshotResponse' })
    }
    follower.crash()
    network.tick(2)
    follower.restart()
    network.tick(8)
    expect(follower.applied).toEqual(leader.applied)
  })

  test('[CQ2][SN16] a transfer that takes longer than an election timeout changes no leader', () => {
    const { network, leader, follower } = behind()
    network.cut(1, 2)
    untilFirstChunk(network)
    for (let ticks = 0; ticks < 100 && follower.applied.length < 5; ticks++) {
      for (const node of network.nodes) node.tick()
      network.settle(({ type }) => !type.startsWith('installSnapshot'))
      if (ticks % 5 === 0) network.deliver({ type: 'installSnapshot' })
      network.settle({ type: 'installSnapshotResponse' })
    }
    expect(follower.applied.length).toBeGreaterThanOrEqual(5)
    expect(leader.state).toMatchObject({ role: 'leader', currentTerm: 1 })
  })

  test('[SN9][SN5] loss, duplication and reordering of its messages, over many seeds', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new Random(seed)
      const { network, leader, follower } = behind()
      for (let ticks = 0; ticks < 60; ticks++) {
        for (const node of network.nodes) node.tick()
        network.settle(({ type }) => !type.startsWith('installSnapshot'))
        scramble(network, random)
        if (random.chance(0.8)) network.deliver()
        if (random.chance(0.8)) network.deliver()
      }
      network.take()
      network.tick(10)
      expect(follower.applied, `seed ${seed}`).toEqual(leader.applied)
    }
  })
})
