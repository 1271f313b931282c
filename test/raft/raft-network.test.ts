import { describe, expect, test } from 'vitest'
import { wholeRuns } from '../../src/raft/index.js'
import { ModelDisk, RaftNetwork, runOf } from '../../src/testing/index.js'
import { accepted, heartbeat, requestVote } from './support/bench.js'

describe('messages', () => {
  test('are delivered one by one, oldest first, and only when asked', () => {
    const network = new RaftNetwork({ nodes: 3 })
    network.node(1).campaign()
    expect(network.inFlight.map(({ type, to }) => [type, to])).toEqual([
      ['preVote', 2],
      ['preVote', 3],
    ])
    expect(network.deliver({ to: 3 })).toBe(true)
    expect(network.inFlight.map(({ type }) => type)).toEqual(['preVote', 'preVoteResponse'])
    expect(network.deliver({ type: 'appendEntries' })).toBe(false)
    network.settle()
    expect(network.leaders.map(({ id }) => id)).toEqual([1])
  })

  test('share no bytes with the node that sent them', () => {
    const network = new RaftNetwork({ nodes: 2 })
    const leader = network.elect(1)
    leader.propose('x')
    network.settle()
    const [own] = wholeRuns(leader.state.log.slice(2, 2, 99))
    const [received] = wholeRuns(network.node(2).state.log.slice(2, 2, 99))
    expect(received).toEqual(own)
    expect(received?.bytes.buffer).not.toBe(own?.bytes.buffer)
  })

  test('are lost, held and released by link, direction and type', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.link(1, 2).drop('appendEntries')
    network.link(1, 3).hold('appendEntries')
    leader.propose('x')
    expect(network.inFlight).toEqual([])
    expect(network.link(1, 3).holding).toHaveLength(1)
    network.release(1, 3)
    expect(network.inFlight.map(({ to }) => to)).toEqual([3])
    network.link(1, 3).pass()
    network.settle()
    expect(network.node(3).terms).toEqual([1, 1])
    expect(network.node(2).terms).toEqual([1])
    network.link(1, 2).pass()
    network.link(1, 2).hold()
    leader.tick(2)
    expect(network.link(1, 2).holding).toHaveLength(1)
  })

  test('can be taken, made up and sent again, and nobody hears what is for nobody', () => {
    const network = new RaftNetwork({ nodes: 1, membership: { voters: [1, 2, 3] } })
    network.inject(requestVote({ term: 1 }), accepted(0), heartbeat({ to: 9 }))
    expect([1, 2, 3].map(() => network.deliver())).toEqual([true, true, true])
    expect(network.take({ type: 'requestVoteResponse' })).toMatchObject([{ to: 2, voteGranted: true }])
    expect(network.inFlight).toEqual([])
  })

  test('that come back for ever are noticed', () => {
    const network = new RaftNetwork({ nodes: 1, membership: { voters: [1] } })
    expect(() => network.elect(2)).toThrow('there is no node 2')
    network.inject(accepted(0))
    let again = true
    expect(() =>
      network.settle((message) => {
        if (again) network.inject(message)
        again = network.inFlight.length < 200_000
        return true
      }),
    ).toThrow('does not come to rest')
  })
})

describe('elect', () => {
  test.each([
    ['of two nodes', 2, undefined],
    ['of three, one of which is down', 3, 3],
  ])('deposes a leader whose vote is needed: %s', (_, nodes, down) => {
    const network = new RaftNetwork({ nodes })
    const old = network.elect(1)
    if (down !== undefined) network.node(down).crash()
    expect(network.elect(2).state).toMatchObject({ role: 'leader', currentTerm: 2 })
    expect(old.state).toMatchObject({ role: 'follower', leaderId: 2 })
    expect(network.leaders).toHaveLength(1)
  })

  test('leaves a leader alone whose vote is not needed, until it hears of the next one', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const old = network.elect(1)
    network.isolate(1)
    network.elect(2)
    expect(network.leaders).toEqual([old, network.node(2)])
  })

  test('says when a node does not win', () => {
    const network = new RaftNetwork({ nodes: 2, membership: { voters: [1, 2, 3] } })
    network.cut(1, 2)
    expect(() => network.elect(1)).toThrow('node 1 was not elected')
  })
})

describe('a node that is driven by hand', () => {
  /** A leader by hand that was given a command, and the kinds of its effects so far. */
  function byHand() {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.settle()
    leader.isByHand = true
    return { network, leader, next: () => leader.doNext()?.type }
  }

  test('tells whether there is work, and asking takes none', () => {
    const { leader, next } = byHand()
    expect(leader.hasWork).toBe(false)
    expect(next()).toBe(undefined)
    leader.propose('x')
    for (let asked = 0; asked < 3; asked++) expect(leader.hasWork).toBe(true)
    while (leader.hasWork) expect(next()).not.toBe(undefined)
    expect(next()).toBe(undefined)
  })

  test('does one effect at a time, in the order of the border', () => {
    const { network, leader, next } = byHand()
    leader.propose('x')
    expect(network.inFlight).toEqual([])
    expect([next(), next(), next()]).toEqual(['send', 'send', 'write'])
    expect(leader.disk.unflushedCount).toBe(1)
    expect(leader.state.log.flushedIndex).toBe(1)
    expect([next(), leader.state.log.flushedIndex]).toEqual(['flush', 2])
    expect(next()).toBe(undefined)
    network.settle()
    expect([leader.applied.length, next(), leader.applied.length, next()]).toEqual([1, 'apply', 2, undefined])
  })

  test('a crash between two effects loses what was not done', () => {
    const { network, leader, next } = byHand()
    leader.propose('x')
    expect([next(), next(), next()]).toEqual(['send', 'send', 'write'])
    leader.crash()
    leader.restart()
    expect(leader.state.log.lastIndex).toBe(1)
    network.settle()
    expect(network.node(2).state.log.lastIndex).toBe(2)
  })

  test('after the flush of an installed snapshot, its answer leaves and the machine is restored', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    network.isolate(3)
    leader.propose('x')
    network.settle()
    leader.compact()
    network.heal()
    const follower = network.node(3)
    while (network.inFlight.every(({ type }) => type !== 'installSnapshot'))
      network.deliver() || leader.tick()
    follower.isByHand = true
    network.deliver({ type: 'installSnapshot' })
    const kinds = []
    for (let done = follower.doNext(); done !== undefined; done = follower.doNext()) kinds.push(done.type)
    expect(kinds).toEqual(['write', 'flush', 'send', 'restore'])
    expect(follower.applied).toEqual(leader.applied)
  })
})

describe('disks', () => {
  test('that lag behind what is applied give a snapshot of what they hold', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    leader.disk.isHeld = true
    leader.propose('x')
    network.settle()
    expect(leader.state.log).toMatchObject({ lastApplied: 2, flushedIndex: 1 })
    expect(leader.compact()).toMatchObject({ index: 1 })
    leader.releaseDisk()
    expect(leader.compact()).toMatchObject({ index: 2 })
  })

  test('keep what was flushed and nothing else', () => {
    const network = new RaftNetwork({ nodes: 3 })
    const leader = network.elect(1)
    leader.propose('kept')
    leader.disk.isHeld = true
    leader.propose('flushed')
    leader.propose('lost')
    expect(leader.flushNext()).toBe(true)
    leader.crash()
    expect(() => leader.raft).toThrow('node 1 is down')
    leader.restart()
    expect(leader.entries.map(({ command }) => command)).toEqual(['', 'kept', 'flushed'])
    expect(leader.flushNext()).toBe(false)
  })

  test('say when a node writes what does not follow', () => {
    const disk = new ModelDisk({ log: [1] })
    const nothing = {
      sequence: 1,
      hardState: undefined,
      snapshotChunks: [],
      install: undefined,
      truncateFrom: undefined,
    }
    disk.write({ ...nothing, entries: [runOf({ index: 3, term: 1 }, 'x')], messages: [] })
    expect(() => disk.flushNext()).toThrow('follow each other')
    const snapshot = {
      index: 4,
      term: 1,
      membership: { voters: [1], votersOutgoing: [], learners: [] },
      size: 3,
    }
    disk.write({
      ...nothing,
      snapshotChunks: [{ snapshot, offset: 1, data: new Uint8Array(2) }],
      entries: [],
      messages: [],
    })
    expect(() => disk.flushNext()).toThrow('continues the one before')
    disk.write({ ...nothing, install: snapshot, entries: [], messages: [] })
    expect(() => disk.flushNext()).toThrow('installed whole')
  })

  test('begin as the test says', () => {
    const network = new RaftNetwork({
      nodes: {
        4: {
          log: [1, { term: 2, commands: ['a', 'b'] }],
          term: 5,
          votedFor: 3,
          snapshot: { applied: [1, 1] },
        },
      },
    })
    const node = network.node(4)
    expect(node.entries.map(({ index, term, command }) => `${index}@${term} ${command}`)).toEqual([
      '3@1 3@1',
      '4@2 a',
      '5@2 b',
    ])
    expect(node.state).toMatchObject({ currentTerm: 5, votedFor: 3 })
    expect(node.applied.map(({ index }) => index)).toEqual([1, 2])
    expect(() => new RaftNetwork({ nodes: 1 }).node(1).compact()).toThrow(
      'something that was applied and flushed',
    )
  })
})
