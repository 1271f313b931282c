/** Changes of the members among several nodes, and what becomes of those that are removed. */
import { describe, expect, test } from 'vitest'
import type { Membership, MembershipChange, NodeId } from '../../src/raft/index.js'
import { type NodeSetup, RaftNetwork } from '../../src/testing/index.js'
import { addLearner, demote, promote, remove, votersOf } from './support/bench.js'

const timeout = 20

/** So many nodes, of which the named ones are voters, and the others are there and belong to nobody. */
function networkOf(nodes: number, ...voters: readonly NodeId[]): RaftNetwork {
  return new RaftNetwork({ nodes, membership: votersOf(...voters) })
}

function change(network: RaftNetwork, ...changes: readonly MembershipChange[]): void {
  const leader = leaderOf(network)
  const answer = leader.changeMembership(...changes)
  if ('code' in answer) throw new Error(`the leader refuses: ${answer.why}`)
  network.settle()
}

function leaderOf(network: RaftNetwork) {
  const [leader, ...others] = network.leaders
  if (leader === undefined || others.length > 0) throw new Error(`${network.leaders.length} nodes lead`)
  return leader
}

const commandsOf = (network: RaftNetwork, id: NodeId) =>
  network.node(id).applied.flatMap(({ command }) => (/^[a-z]+$/.test(command) ? [command] : []))

/** No two nodes applied different entries at one index. */
function expectOneHistory(network: RaftNetwork): void {
  const histories = network.nodes.map(({ applied }) => applied).sort((a, b) => b.length - a.length)
  const [longest = []] = histories
  for (const history of histories) expect(history).toEqual(longest.slice(0, history.length))
}

/** Lets only these nodes hear each other. */
function onlyAmong(network: RaftNetwork, ...ids: readonly NodeId[]): void {
  network.heal()
  for (const one of network.nodes)
    for (const other of network.nodes)
      if (one.id < other.id && !(ids.includes(one.id) && ids.includes(other.id)))
        network.cut(one.id, other.id)
}

describe('growing and shrinking', () => {
  test('[CF9][CF8] a node that is added catches up as a learner, is promoted, and is needed from then on', () => {
    const network = networkOf(4, 1, 2, 3)
    network.elect(1)
    network.node(1).propose('x')
    change(network, addLearner(4))
    network.tick(2)
    expect(commandsOf(network, 4)).toEqual(['x'])
    change(network, promote(4))
    network.isolate(2)
    network.isolate(3)
    network.node(1).propose('y')
    network.settle()
    expect(commandsOf(network, 1)).toEqual(['x'])
    network.heal()
    network.tick(8)
    expect(network.nodes.map(({ id }) => commandsOf(network, id))).toEqual(Array(4).fill(['x', 'y']))
  })

  test('[CF9][SN1] a node that is added to a log that was cut gets the snapshot first', () => {
    const network = networkOf(4, 1, 2, 3)
    network.elect(1)
    for (const command of ['x', 'y']) network.node(1).propose(command)
    network.tick(2)
    network.node(1).compact()
    change(network, addLearner(4))
    network.tick(4)
    change(network, promote(4))
    network.tick(2)
    expect(commandsOf(network, 4)).toEqual(['x', 'y'])
    expect(network.node(4).state.membership).toEqual(votersOf(1, 2, 3, 4))
  })

  test('[CF4] from three to seven and back to three others, with a command after each step', () => {
    const network = networkOf(7, 1, 2, 3)
    network.elect(1)
    const steps: readonly MembershipChange[][] = [
      [4, 5, 6, 7].map(addLearner),
      [promote(4), promote(5)],
      [promote(6), promote(7)],
      [remove(2), demote(3)],
      [remove(4), remove(3)],
    ]
    for (const [at, changes] of steps.entries()) {
      change(network, ...changes)
      expect(leaderOf(network).propose('abcdefg'.charAt(at))).toMatchObject({ first: { term: 1 } })
      network.tick(4)
    }
    expect(network.node(1).state.membership).toEqual(votersOf(1, 5, 6, 7))
    for (const id of [1, 5, 6, 7]) expect(commandsOf(network, id)).toEqual([...'abcde'])
    expectOneHistory(network)
  })

  test('[CF10] dead nodes of five are removed one by one, and the last three go on', () => {
    const network = networkOf(5, 1, 2, 3, 4, 5)
    network.elect(1)
    for (const id of [4, 5]) network.node(id).crash()
    network.tick(2)
    change(network, remove(4))
    change(network, remove(5))
    network.node(3).crash()
    network.node(1).propose('x')
    network.settle()
    expect(commandsOf(network, 1)).toEqual(['x'])
  })

  test('[CF4] a dead voter is replaced in one step by a node that has caught up', () => {
    const network = networkOf(4, 1, 2, 3)
    network.elect(1)
    network.node(3).crash()
    change(network, addLearner(4))
    network.tick(2)
    change(network, promote(4), remove(3))
    expect(network.node(1).state.membership).toEqual(votersOf(1, 2, 4))
    network.node(2).crash()
    network.node(1).propose('x')
    network.settle()
    expect(commandsOf(network, 1)).toEqual(['x'])
  })

  test('[CF1][CF3] each node that starts again after any step goes by what it went by before', () => {
    const network = networkOf(5, 1, 2, 3)
    network.elect(1)
    const steps = [[addLearner(4), addLearner(5)], [promote(4), remove(2)], [promote(5)], [demote(4)]]
    for (const [at, changes] of steps.entries()) {
      change(network, ...changes)
      network.tick(2)
      for (const node of network.nodes) {
        if (node.id === 1) continue
        const { membership } = node.state
        if (at % 2 === 0 && node.applied.length > 0) node.compact()
        node.crash()
        node.restart()
        expect(node.state.membership).toEqual(membership)
      }
      network.tick(2)
    }
  })
})

describe('a leader that dies in the middle of a change', () => {
  const steps = Array.from({ length: 14 }, (_, step) => step)

  test.each(steps)(
    '[CF5][CF13] after %d messages: the next leader ends it or takes it back, and all agree',
    (step) => {
      const network = networkOf(5, 1, 2, 3)
      network.elect(1)
      change(network, addLearner(4), addLearner(5))
      network.tick(2)
      const before = network.node(1).state.membership
      network.node(1).changeMembership(promote(4), promote(5), remove(2), demote(3))
      for (let delivered = 0; delivered < step; delivered++) network.deliver()
      network.node(1).crash()
      network.take()
      network.tick(6 * timeout)
      expect(leaderOf(network).propose('x')).toMatchObject({ first: {} })
      network.tick(4)
      const { membership } = leaderOf(network).state
      const after: Membership = { ...votersOf(1, 4, 5), learners: [3] }
      expect([before, after]).toContainEqual(membership)
      network.node(1).restart()
      network.tick(4)
      for (const { id, state } of network.nodes)
        if (id !== 2) expect(state.membership, `node ${id}`).toEqual(membership)
      expectOneHistory(network)
    },
  )

  test('[CF2] a change that no majority has is taken back by its own leader, and the node that it added is none', () => {
    const network = networkOf(4, 1, 2, 3)
    network.elect(1)
    network.isolate(1)
    network.node(1).changeMembership(addLearner(4))
    expect(network.node(1).state.membership.learners).toEqual([4])
    network.elect(2)
    network.heal()
    network.tick(4)
    expect(network.node(1).state.membership).toEqual(votersOf(1, 2, 3))
    expect(network.node(4).state.log.lastIndex).toBe(0)
  })
})

describe('[CF7] changes by leaders of several terms (Ongaro 2015)', () => {
  test('[CF7] two configurations without a common majority never count both', () => {
    const membership = { ...votersOf(1, 2, 3, 4), learners: [5] }
    const network = new RaftNetwork({ nodes: 5, membership })
    network.elect(1)
    network.tick(2)
    // Node 1 makes node 5 a voter, and only node 5 learns of it.
    onlyAmong(network, 1, 5)
    network.node(1).changeMembership(promote(5))
    network.settle()
    // Nodes 2, 3 and 4 elect node 2, which would remove node 1. Only node 3 hears of it.
    onlyAmong(network, 2, 3, 4)
    for (const id of [3, 4]) network.node(id).waitOutPromise()
    network.node(2).campaign()
    network.settle(({ type }) => type !== 'appendEntries')
    network.take()
    expect(network.node(2).state.role).toBe('leader')
    onlyAmong(network, 2, 3)
    const asked = network.node(2).changeMembership(remove(1))
    network.node(2).tick(2)
    network.settle()
    network.node(2).tick(2)
    network.settle()
    const committed = network.node(2).state.log.commitIndex
    // Nodes 1, 4 and 5 are a majority of the configuration of node 1.
    onlyAmong(network, 1, 4, 5)
    network.elect(1)
    network.tick(4)
    network.heal()
    network.tick(4 * timeout)
    expectOneHistory(network)
    expect(asked).toMatchObject({ code: 'changeInProgress' })
    expect(network.node(2).state.log.commitIndex).toBeGreaterThan(committed)
  })
})

describe('a leader that is removed', () => {
  test.each([3, 4])(
    '[CF12] of %d voters leads until that is committed, and does not count itself',
    (count) => {
      const network = new RaftNetwork({ nodes: count })
      network.elect(1)
      network.tick(2)
      network.node(1).changeMembership(remove(1))
      network.deliver({ to: 2 })
      network.settle({ from: 2, to: 1 })
      // Nodes 1 and 2 hold it. Node 2 alone counts, and is no majority of the others.
      expect(network.node(1).state).toMatchObject({ role: 'leader', log: { commitIndex: 1 } })
      network.settle()
      expect(network.node(1).state).toMatchObject({ role: 'follower', log: { commitIndex: 2 } })
    },
  )

  test.each([
    ['removed', remove(1)],
    ['demoted', demote(1)],
  ])('[CF12][TL2] %s, it hands over without a tick, and knows what became of all that it took', (_, what) => {
    const network = networkOf(3, 1, 2, 3)
    network.elect(1)
    network.tick(2)
    network.node(1).changeMembership(what)
    network.node(1).propose('x', 'y')
    network.settle()
    expect(network.leaders).toHaveLength(1)
    expect(leaderOf(network).id).not.toBe(1)
    expect(commandsOf(network, 1)).toEqual(['x', 'y'])
    expect(leaderOf(network).propose('z')).toMatchObject({ first: { term: 2 } })
    network.settle()
    expect(commandsOf(network, leaderOf(network).id)).toEqual(['x', 'y', 'z'])
  })

  test('[CF12] five times in a row, each time replaced: no tick is lost between one leader and the next', () => {
    const network = networkOf(8, 1, 2, 3)
    network.elect(1)
    for (let round = 0; round < 5; round++) {
      const { id } = leaderOf(network)
      change(network, addLearner(4 + round))
      network.tick(2)
      const { currentTerm } = leaderOf(network).state
      change(network, promote(4 + round), remove(id))
      expect(leaderOf(network).id).not.toBe(id)
      expect(leaderOf(network).state.currentTerm).toBe(currentTerm + 1)
      network.node(id).crash()
      leaderOf(network).propose('abcde'.charAt(round))
      network.tick(2)
    }
    expect(commandsOf(network, leaderOf(network).id)).toEqual([...'abcde'])
    expectOneHistory(network)
  })

  test('[CF12] where no voter that may lead answers for an election timeout, it becomes a follower', () => {
    const network = new RaftNetwork({ nodes: { 1: {}, 2: { priority: 0 }, 3: { priority: 0 } } })
    network.elect(1)
    network.tick(2)
    change(network, remove(1))
    network.tick(timeout - 1)
    expect(network.node(1).state).toMatchObject({ role: 'leader', log: { commitIndex: 2 } })
    network.tick()
    expect(network.node(1).state).toMatchObject({ role: 'follower' })
    const stepDown = { type: 'role', role: 'follower', term: 1, leaderId: undefined, reason: 'removed' }
    expect(network.node(1).events).toContainEqual(stepDown)
    expect(network.node(1).events.filter(({ type }) => type.startsWith('transfer'))).toEqual([])
  })

  test('[CF12][TL7] before any voter has told that it may lead, it waits, and takes no node of priority 0', () => {
    const network = new RaftNetwork({ nodes: { 1: {}, 2: { priority: 0 }, 3: {} } })
    network.elect(1)
    network.node(1).changeMembership(remove(1))
    network.settle()
    expect(network.node(1).state).toMatchObject({ role: 'leader', log: { commitIndex: 2 } })
    expect(network.node(1).propose('x')).toMatchObject({ code: 'transferring' })
    network.tick(2)
    expect(leaderOf(network)).toMatchObject({ id: 3, state: { currentTerm: 2 } })
  })

  test('[CF12][TL4] a successor that dies is given up after an election timeout, and others elect a leader', () => {
    const network = networkOf(4, 1, 2, 3, 4)
    network.elect(1)
    network.tick(2)
    network.node(1).changeMembership(remove(1))
    network.settle(({ type }) => type !== 'timeoutNow')
    const [told] = network.take({ type: 'timeoutNow' })
    expect(network.node(1).state.role).toBe('follower')
    network.node(told?.to ?? 0).crash()
    network.tick(3 * timeout)
    expect(leaderOf(network).state.membership).toEqual(votersOf(2, 3, 4))
  })

  test('[CF13] of two voters one removes itself and dies: only the removed one can lead the other to its configuration', () => {
    const network = networkOf(2, 1, 2)
    network.elect(1)
    network.isolate(1)
    network.node(1).changeMembership(remove(1))
    network.node(1).crash()
    network.heal()
    network.node(1).restart()
    expect(network.node(1).state.membership).toEqual(votersOf(2))
    network.tick(6 * timeout)
    expect(leaderOf(network).id).toBe(2)
    expect(network.node(2).state).toMatchObject({ membership: votersOf(2) })
    expect(network.node(2).propose('x')).toMatchObject({ first: {} })
    expect(commandsOf(network, 2)).toEqual(['x'])
  })

  test('[CF13] also when it was no voter at first, and does not know after its restart how far its log is committed', () => {
    const network = networkOf(2, 1)
    network.elect(1)
    change(network, addLearner(2))
    network.tick(2)
    change(network, promote(2))
    network.node(1).transfer(2)
    network.settle()
    network.isolate(2)
    network.node(2).changeMembership(demote(2))
    network.node(2).crash()
    network.heal()
    network.node(2).restart()
    expect(network.node(2).state).toMatchObject({ membership: { voters: [1] }, log: { commitIndex: 0 } })
    network.tick(6 * timeout)
    expect(leaderOf(network).id).toBe(1)
    expect(network.node(1).state.membership).toEqual({ ...votersOf(1), learners: [2] })
  })

  test('[CF13] it does not campaign any more once it knows that it was removed', () => {
    const network = networkOf(3, 1, 2, 3)
    network.elect(1)
    change(network, remove(1))
    for (const id of [2, 3]) network.node(id).crash()
    network.tick(5 * timeout)
    expect(network.node(1).state).toMatchObject({ role: 'follower', currentTerm: 1 })
  })
})

describe('a follower that is removed', () => {
  const setups: Record<NodeId, NodeSetup> = { 1: {}, 2: {}, 3: {}, 4: {} }

  /** Node 4 was removed and never learned of it. */
  function removedBehindItsBack(): RaftNetwork {
    const network = new RaftNetwork({ nodes: setups })
    network.elect(1)
    network.tick(2)
    network.isolate(4)
    change(network, remove(4))
    network.heal()
    return network
  }

  test('[CF14] and does not know of it disturbs nobody for a hundred election timeouts', () => {
    const network = removedBehindItsBack()
    const before = network.node(1).events.length
    network.tick(100 * timeout)
    expect(network.leaders.map(({ id }) => id)).toEqual([1])
    for (const { state } of network.nodes) expect(state.currentTerm).toBe(1)
    expect(
      network
        .node(1)
        .events.slice(before)
        .filter(({ type }) => type === 'role'),
    ).toEqual([])
    expect(network.node(4).state.role).not.toBe('candidate')
  })

  test('[CF14] is not elected either when the leader dies, and the others elect one of them', () => {
    const network = removedBehindItsBack()
    network.node(1).crash()
    network.tick(4 * timeout)
    expect([2, 3]).toContain(leaderOf(network).id)
    expect(network.node(4).state.currentTerm).toBeLessThanOrEqual(leaderOf(network).state.currentTerm)
    expect(leaderOf(network).propose('x')).toMatchObject({ first: {} })
  })

  test('[EL14] its vote does not count, and neither does a learner’s', () => {
    const network = new RaftNetwork({ nodes: 5, membership: { ...votersOf(1, 2, 3), learners: [4] } })
    network.elect(1)
    network.tick(2)
    for (const id of [1, 3]) network.node(id).crash()
    network.tick(5 * timeout)
    expect(network.leaders).toEqual([])
    expect(network.node(2).state.currentTerm).toBe(1)
    expect(network.node(4).events.some((event) => event.type === 'role' && event.role !== 'follower')).toBe(
      false,
    )
  })
})
