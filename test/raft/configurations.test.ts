import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  changed,
  entryKinds,
  isJoint,
  leaving,
  type Membership,
  type MembershipChange,
  membershipRun,
  type NodeId,
  packCommands,
  quorumIndex,
  readMembership,
  readRun,
  stampRun,
} from '../../src/raft/index.js'
import { appendEntries, Bench, installSnapshot, votersOf } from './support/bench.js'

const idArbitrary = fc.integer({ min: 1, max: 2 ** 52 })
const idsArbitrary = fc.uniqueArray(idArbitrary, { maxLength: 7 })

/** Any configuration: voters and learners apart, outgoing voters from anywhere. */
const membershipArbitrary = fc
  .tuple(idArbitrary, idsArbitrary, idsArbitrary, idsArbitrary)
  .map(([first, voters, votersOutgoing, learners]) => ({
    voters: [...new Set([first, ...voters])],
    votersOutgoing,
    learners: learners.filter((id) => id !== first && !voters.includes(id)),
  }))

/** An entry of configurations with these bytes as its command. */
function runWith(command: Uint8Array) {
  return stampRun(packCommands([command]), 1, 1, entryKinds.membership)
}

/** The bytes of the one command of an entry. */
function commandOf(membership: Membership): Uint8Array {
  return membershipRun(1, 1, membership).bytes.subarray(36)
}

describe('the entry of a configuration', () => {
  test('[EN5] what is packed is read back, and so is its run', () => {
    fc.assert(
      fc.property(membershipArbitrary, (membership) => {
        const run = membershipRun(7, 3, membership)
        expect(readMembership(run)).toEqual(membership)
        expect(readRun(run.bytes)).toEqual(run)
      }),
      { seed: 31, numRuns: 200 },
    )
  })

  test('[EN5] bytes that were cut, lengthened or changed are no other configuration by chance, and stop nobody', () => {
    fc.assert(
      fc.property(membershipArbitrary, fc.nat(), fc.nat(255), (membership, at, byte) => {
        const whole = commandOf(membership)
        expect(readMembership(runWith(whole.subarray(0, at % whole.byteLength)))).toBe(undefined)
        expect(readMembership(runWith(Uint8Array.of(...whole, byte)))).toBe(undefined)
        const damaged = whole.slice()
        damaged[at % whole.byteLength] = byte
        expect(() => readMembership(runWith(damaged))).not.toThrow()
      }),
      { seed: 32, numRuns: 200 },
    )
  })

  const unfit: readonly [string, Membership][] = [
    ['no voter', { voters: [], votersOutgoing: [1], learners: [2] }],
    ['the id 0', votersOf(1, 0)],
    ['an id that is no whole number', votersOf(1, 1.5)],
    ['a voter twice', votersOf(1, 2, 2)],
    ['an outgoing voter twice', { voters: [1], votersOutgoing: [2, 2], learners: [] }],
    ['a learner that is an incoming voter', { voters: [1, 2], votersOutgoing: [], learners: [2] }],
  ]

  test.each(unfit)('[EN5] %s makes none', (_, membership) => {
    expect(readMembership(membershipRun(1, 1, membership))).toBe(undefined)
  })

  test('[EN5] an outgoing voter that will be a learner makes one', () => {
    const membership = { voters: [1, 2], votersOutgoing: [1, 2, 3], learners: [3] }
    expect(readMembership(membershipRun(1, 1, membership))).toEqual(membership)
  })

  test.each<[string, object]>([
    ['no bytes that hold a frame', { bytes: new Uint8Array(3) }],
    ['bytes that end too early', { bytes: membershipRun(1, 1, votersOf(1)).bytes.slice(0, 40) }],
    ['a command that is none', { bytes: runWith(Uint8Array.of(1)).bytes }],
    ['two configurations', { count: 2 }],
    ...unfit.map(([what, membership]) => [what, membershipRun(1, 1, membership)] as [string, object]),
  ])('[TM9] a message with a configuration of %s is dropped, and stops nobody', (_, fields) => {
    const bench = new Bench({ term: 1 })
    const run = { ...membershipRun(1, 1, votersOf(1, 2, 3)), ...fields }
    expect(bench.receive(appendEntries({ entries: [run] }))).toEqual([])
    expect(bench.node.events.at(-1)).toEqual({ type: 'messageDropped', from: 2, reason: 'contradictory' })
    expect(bench.state.log.lastIndex).toBe(0)
  })

  test.each(unfit.filter(([what]) => !what.includes('id ')))(
    '[TM9] a snapshot with a configuration of %s is dropped',
    (_, membership) => {
      const bench = new Bench({ term: 1 })
      const chunk = installSnapshot({ index: 3, term: 1, membership, size: 20 }, new Uint8Array(10))
      expect(bench.receive(chunk)).toEqual([])
      expect(bench.node.events.at(-1)).toEqual({ type: 'messageDropped', from: 2, reason: 'contradictory' })
    },
  )
})

describe('what follows on a configuration', () => {
  const everyone = [1, 2, 3, 4, 5]
  const subsets = Array.from({ length: 32 }, (_, bits) => everyone.filter((id) => bits & (1 << (id - 1))))
  const someVoters = subsets.filter((voters) => voters.length > 0)

  const isQuorum = (membership: Membership, nodes: readonly NodeId[]) =>
    quorumIndex(membership, (id) => (nodes.includes(id) ? 1 : 0)) === 1

  /** True when no majority of the one is apart from all nodes of some majority of the other. */
  function haveCommonMajorities(one: Membership, other: Membership): boolean {
    return subsets.every((nodes) => {
      const rest = everyone.filter((id) => !nodes.includes(id))
      return !(isQuorum(one, nodes) && isQuorum(other, rest))
    })
  }

  /** What turns some voters into others, all of them members before and after. */
  function changesBetween(before: readonly NodeId[], after: readonly NodeId[]): MembershipChange[] {
    return everyone.flatMap((nodeId) => {
      if (before.includes(nodeId) === after.includes(nodeId)) return []
      return { type: after.includes(nodeId) ? 'promote' : 'demote', nodeId } as const
    })
  }

  test('[CF4] any change among five nodes keeps a common node in all majorities of before and after, step by step', () => {
    let joint = 0
    for (const before of someVoters) {
      for (const after of someVoters) {
        const learners = everyone.filter((id) => !before.includes(id))
        const from = { ...votersOf(...before), learners }
        const steps = [from, changed(from, changesBetween(before, after))]
        const [, next = from] = steps
        if (isJoint(next)) steps.push(leaving(next))
        if (isJoint(next)) joint++
        for (const [at, step] of steps.slice(1).entries())
          expect(haveCommonMajorities(steps[at] ?? from, step), `${before} to ${after}`).toBe(true)
        expect(steps.at(-1)).toEqual({
          ...votersOf(...after),
          learners: everyone.filter((id) => !after.includes(id)),
        })
      }
    }
    expect(joint).toBeGreaterThan(500)
  })

  test('[CF4] two voters at once have none in common without a joint configuration between', () => {
    expect(haveCommonMajorities(votersOf(1, 2, 3), votersOf(3, 4, 5))).toBe(false)
    expect(haveCommonMajorities(votersOf(1, 2, 3), votersOf(1, 2, 3, 4, 5))).toBe(false)
  })

  const from = { voters: [1, 2, 3], votersOutgoing: [], learners: [4, 5] }
  test.each<[string, MembershipChange[], Membership]>([
    ['a learner that is added', [{ type: 'addLearner', nodeId: 6 }], { ...from, learners: [4, 5, 6] }],
    ['a learner that is removed', [{ type: 'remove', nodeId: 5 }], { ...from, learners: [4] }],
    ['one promotion', [{ type: 'promote', nodeId: 4 }], { ...votersOf(1, 2, 3, 4), learners: [5] }],
    ['one demotion', [{ type: 'demote', nodeId: 1 }], { ...votersOf(2, 3), learners: [1, 4, 5] }],
    ['one removal', [{ type: 'remove', nodeId: 2 }], { ...votersOf(1, 3), learners: [4, 5] }],
    [
      'a replacement',
      [
        { type: 'promote', nodeId: 4 },
        { type: 'remove', nodeId: 2 },
      ],
      { voters: [1, 3, 4], votersOutgoing: [1, 2, 3], learners: [5] },
    ],
    [
      'two demotions',
      [
        { type: 'demote', nodeId: 2 },
        { type: 'demote', nodeId: 3 },
      ],
      { voters: [1], votersOutgoing: [1, 2, 3], learners: [2, 3, 4, 5] },
    ],
  ])('[CF4] %s', (_, changes, expected) => {
    expect(changed(from, changes)).toEqual(expected)
  })
})
