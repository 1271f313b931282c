/** Operations whose cluster is played by the test: what is asked again, what is told at once, and what stays behind. */
import { describe, expect, test } from 'vitest'
import type { ChangeOutcome } from '../../src/driver/index.js'
import { failure } from '../../src/errors/index.js'
import {
  addNode,
  carryOut,
  changeMembership,
  type Procedure,
  removeNodes,
  replaceNode,
  stopNodes,
  transferLeadership,
} from '../../src/membership/index.js'
import { done, membership, PlayedCluster, refused, unknown } from './played-cluster.js'

const withinMs = 2000

/** The result of a procedure that has ended when this returns. */
function resultOf<Outcome>(procedure: Procedure<Outcome>) {
  let result: unknown
  carryOut(procedure, (ended) => {
    result = ended
  })
  return result
}

const promotion = [{ type: 'promote', nodeId: 4 }] as const

test('[MC1] a refusal that may pass is asked again, of whoever leads then', () => {
  const cluster = new PlayedCluster([
    (played) => {
      played.leaderId = 2
      return refused('notLeader')
    },
    refused('transferring'),
    refused('changeInProgress'),
    refused('notCaughtUp'),
    refused('replaced'),
    done([1, 2, 3, 4]),
  ])
  expect(resultOf(changeMembership(cluster, promotion, { withinMs }))).toMatchObject({ ok: true })
  expect(cluster.asked).toEqual(['1: promote 4', ...Array(5).fill('2: promote 4')])
})

test('[MC1] a change that no cluster could make is refused at once', () => {
  const cluster = new PlayedCluster([refused('invalid', 'node 4 is a voter already')])
  const details = { what: 'promoting node 4', why: 'node 4 is a voter already' }
  expect(resultOf(changeMembership(cluster, promotion, { withinMs }))).toEqual({
    ok: false,
    code: 'INVALID_CHANGE',
    details,
  })
  expect(cluster.asked).toHaveLength(1)
})

test('[MC2] at the deadline a change that was refused each time is told as not done, with what stood in the way', () => {
  const cluster = new PlayedCluster([refused('notCaughtUp', 'node 4 has not caught up')])
  expect(resultOf(changeMembership(cluster, promotion, { withinMs }))).toMatchObject({
    code: 'NOT_CHANGED',
    details: { why: 'node 4 has not caught up' },
  })
  expect(cluster.now()).toBe(withinMs)
})

test('[MC2] at the deadline a change whose outcome is not known is told as unknown', () => {
  const cluster = new PlayedCluster([unknown, refused('notLeader')])
  expect(resultOf(changeMembership(cluster, promotion, { withinMs }))).toMatchObject({
    code: 'UNKNOWN_OUTCOME',
  })
})

test('[MC2] while no node leads nothing is asked', () => {
  const cluster = new PlayedCluster([unknown])
  cluster.leaderId = undefined
  expect(resultOf(changeMembership(cluster, promotion, { withinMs }))).toMatchObject({
    code: 'NOT_CHANGED',
    details: { why: 'no node leads' },
  })
  expect(cluster.asked).toEqual([])
})

test('[MC2] errors name the nodes that failed where no node leads, and why', () => {
  const failures = 'nodes 2 and 3 failed: disk full'
  const why = `no node leads: ${failures}`
  const leaderless = new PlayedCluster([])
  Object.assign(leaderless, { leaderId: undefined, failures })
  const calls: Procedure<unknown>[] = [
    changeMembership(leaderless, promotion, { withinMs }),
    transferLeadership(leaderless, 2, { withinMs }),
  ]
  for (const call of calls) expect(resultOf(call)).toMatchObject({ code: 'NOT_CHANGED', details: { why } })
  const abandoned = () => {
    const gone = (played: PlayedCluster) => void Object.assign(played, { leaderId: undefined, failures })
    return new PlayedCluster(
      [
        (played) => {
          gone(played)
          return unknown
        },
      ],
      [
        (played) => {
          gone(played)
          return { outcome: 'done' }
        },
      ],
    )
  }
  expect(resultOf(changeMembership(abandoned(), promotion, { withinMs }))).toMatchObject({
    code: 'UNKNOWN_OUTCOME',
    details: { why: `promoting node 4: node 1 failed; and then: ${why}` },
  })
  expect(resultOf(transferLeadership(abandoned(), 2, { withinMs }))).toMatchObject({
    code: 'NOT_CHANGED',
    details: { why },
  })
})

test('[MC1] a change of nothing is refused in a whole sentence', () => {
  const cluster = new PlayedCluster([refused('invalid', 'at least one node is added')])
  expect(resultOf(changeMembership(cluster, [], { withinMs }))).toMatchObject({
    code: 'INVALID_CHANGE',
    details: { what: 'changing the members' },
  })
})

test('[MC2] a cluster that is closed ends the call, whose outcome is unknown only where the change was sent', () => {
  for (const [outcome, code] of [
    [refused('notLeader'), 'STOPPED'],
    [unknown, 'UNKNOWN_OUTCOME'],
  ] as const) {
    const cluster = new PlayedCluster([
      (played) => {
        played.isClosed = true
        return outcome
      },
    ])
    expect(resultOf(changeMembership(cluster, promotion, { withinMs }))).toMatchObject({ code })
  }
})

test.each<[string, (cluster: PlayedCluster) => Procedure<unknown>, string]>([
  [
    'a removal whose node still leads',
    (cluster) => removeNodes(cluster, [1], { keep: true, withinMs }),
    '1: remove 1',
  ],
  [
    'an addition of a learner that is to vote',
    (cluster) => addNode(cluster, { learner: false, withinMs }),
    '1: promote 4',
  ],
  [
    'a transfer after which no node leads yet',
    (cluster) => transferLeadership(cluster, 2, { withinMs }),
    '1: hand over to 2',
  ],
])('[MC2] %s has an unknown outcome once the cluster is closed', (_, start, last) => {
  const cluster = new PlayedCluster(
    [
      (played) => {
        played.isClosed = played.asked.at(-1) === last
        return done([1, 2, 3])
      },
      (played) => {
        played.isClosed = true
        return refused('notCaughtUp')
      },
    ],
    [
      (played) => {
        played.isClosed = true
        return { outcome: 'done' }
      },
    ],
  )
  expect(resultOf(start(cluster))).toMatchObject({ ok: false, code: 'UNKNOWN_OUTCOME' })
  expect(cluster.asked.at(-1)).toBe(last)
})

test.each<[string, (cluster: PlayedCluster) => Procedure<unknown>]>([
  ['a removal', (cluster) => removeNodes(cluster, [3], { keep: false, withinMs })],
  ['a replacement', (cluster) => replaceNode(cluster, 3, { keep: false, withinMs })],
])(
  '[MC2] %s that was made has an unknown outcome where the folder of the node cannot be removed',
  (_, start) => {
    const cluster = new PlayedCluster([done([1, 2])])
    cluster.discarded = failure('DIRECTORY_UNUSABLE', { dir: '/kept', why: 'EBUSY' })
    expect(resultOf(start(cluster))).toMatchObject({
      code: 'UNKNOWN_OUTCOME',
      details: { why: 'the members changed, and then /kept cannot be used: EBUSY' },
    })
  },
)

test('[MC3] after an unknown outcome a change that holds already is done once it is committed', () => {
  const cluster = new PlayedCluster([
    unknown,
    (played) => {
      played.goesBy(membership([1, 2, 3, 4]), false)
      return refused('invalid', 'node 4 is a voter already')
    },
    (played) => {
      played.goesBy(membership([1, 2, 3, 4]), true)
      return refused('invalid', 'node 4 is a voter already')
    },
  ])
  expect(resultOf(changeMembership(cluster, promotion, { withinMs }))).toMatchObject({ ok: true })
  expect(cluster.asked).toHaveLength(3)
})

test('[MC3] after an unknown outcome a joint configuration is not the end', () => {
  const cluster = new PlayedCluster([
    unknown,
    (played) => {
      played.goesBy({ ...membership([1, 2, 3, 4]), votersOutgoing: [1, 2, 3] })
      return refused('invalid')
    },
    (played) => {
      played.goesBy(membership([1, 2, 3, 4]))
      return refused('invalid')
    },
  ])
  expect(resultOf(changeMembership(cluster, promotion, { withinMs }))).toMatchObject({ ok: true })
  expect(cluster.asked).toHaveLength(3)
})

test('[MC4] a node that is added is a learner first, and votes once it has caught up', () => {
  const cluster = new PlayedCluster([done([1, 2, 3], [4]), refused('notCaughtUp'), done([1, 2, 3, 4])])
  expect(resultOf(addNode(cluster, { learner: false, withinMs }))).toEqual({ ok: true, value: 4 })
  expect(cluster.asked).toEqual(['launch 4', '1: addLearner 4', '1: promote 4', '1: promote 4'])
})

test('[MC4] a node that did not become a member is ended again', () => {
  const cluster = new PlayedCluster([refused('changeInProgress')])
  expect(resultOf(addNode(cluster, { learner: true, withinMs }))).toMatchObject({ code: 'NOT_CHANGED' })
  expect(cluster.asked.at(-1)).toBe('drop 4')
})

test('[MC2] a node whose start takes all the time is ended again, and the leader is not asked', () => {
  const cluster = new PlayedCluster([unknown])
  cluster.launchMs = withinMs
  expect(resultOf(addNode(cluster, { learner: true, withinMs }))).toMatchObject({
    code: 'NOT_CHANGED',
    details: { why: 'the time was over before the leader was asked' },
  })
  expect(cluster.asked).toEqual(['launch 4', 'drop 4'])
})

test('[MC4] a node of which nobody knows whether it became a member goes on', () => {
  const cluster = new PlayedCluster([unknown])
  expect(resultOf(addNode(cluster, { learner: true, withinMs }))).toMatchObject({ code: 'UNKNOWN_OUTCOME' })
  expect(cluster.asked.at(-1)).toBe('1: addLearner 4')
})

test('[MC4] a node that does not catch up in time stays a learner, and the error says how to go on', () => {
  const cluster = new PlayedCluster([done([1, 2, 3], [4]), refused('notCaughtUp', 'it is behind')])
  expect(resultOf(addNode(cluster, { learner: false, withinMs }))).toMatchObject({
    code: 'NOT_CHANGED',
    details: { why: 'it is behind; node 4 stays a learner: promote it later, or remove it' },
  })
})

test('[MC5] a node that is removed is ended once it does not lead any more', () => {
  const cluster = new PlayedCluster([done([2, 3])])
  expect(resultOf(removeNodes(cluster, [1], { keep: true, withinMs }))).toMatchObject({ ok: true })
  expect(cluster.asked).toEqual(['1: remove 1', 'keep 1'])
  expect(cluster.now()).toBe(2 * cluster.electionTimeoutMs)
})

test('[MC5] a node that is no member is ended, and the last voter stays', () => {
  const cluster = new PlayedCluster([refused('invalid')])
  expect(resultOf(removeNodes(cluster, [4], { keep: false, withinMs }))).toMatchObject({ ok: true })
  expect(cluster.asked).toEqual(['1: remove 4', 'drop 4'])
  expect(resultOf(removeNodes(cluster, [3], { keep: false, withinMs }))).toMatchObject({
    code: 'INVALID_CHANGE',
  })
  expect(cluster.asked.at(-1)).toBe('1: remove 3')
})

test('[MC9] a node that is no member is not ended while a node is being added', () => {
  const cluster = new PlayedCluster([
    refused('invalid'),
    (played) => {
      played.goesBy(membership([1, 2, 3], [4]))
      played.nodesJoining = 0
      return done([1, 2, 3])
    },
  ])
  cluster.nodesJoining = 1
  expect(resultOf(removeNodes(cluster, [4], { keep: false, withinMs }))).toMatchObject({ ok: true })
  expect(cluster.asked).toEqual(['1: remove 4', '1: remove 4', 'drop 4'])
})

test('[MC9] a node joins no longer once its adding has ended, however that was', () => {
  const isJoining: number[] = []
  const seen = (outcome: ChangeOutcome) => (played: PlayedCluster) => {
    isJoining.push(played.nodesJoining)
    return outcome
  }
  for (const outcome of [done([1, 2, 3], [4]), refused('invalid'), unknown]) {
    const cluster = new PlayedCluster([seen(outcome)])
    resultOf(addNode(cluster, { learner: true, withinMs: 1 }))
    expect(cluster.nodesJoining).toBe(0)
  }
  expect(isJoining).toEqual([1, 1, 1])
})

test('[MC6] a voter is replaced in one joint change, once the new node has caught up', () => {
  const cluster = new PlayedCluster([done([1, 2, 3], [4]), refused('notCaughtUp'), done([1, 2, 4])])
  expect(resultOf(replaceNode(cluster, 3, { keep: false, withinMs }))).toEqual({ ok: true, value: 4 })
  const swap = '1: promote 4, remove 3'
  expect(cluster.asked).toEqual(['launch 4', '1: addLearner 4', swap, swap, 'drop 3'])
})

test('[MC6] a learner is replaced by a learner', () => {
  const cluster = new PlayedCluster([done([1, 2], [3, 4]), done([1, 2], [4])])
  cluster.goesBy(membership([1, 2], [3]))
  expect(resultOf(replaceNode(cluster, 3, { keep: false, withinMs }))).toEqual({ ok: true, value: 4 })
  expect(cluster.asked).toEqual(['launch 4', '1: addLearner 4', '1: remove 3', 'drop 3'])
})

test('[MC6] a node that is no member is not replaced, and no node is added for it', () => {
  const cluster = new PlayedCluster([])
  cluster.goesBy(membership([1, 2]))
  expect(resultOf(replaceNode(cluster, 3, { keep: false, withinMs }))).toMatchObject({
    ok: false,
    code: 'INVALID_CHANGE',
  })
  expect(cluster.asked).toEqual([])
})

test('[MC6] where the old node left meanwhile, the error says that the new one stays', () => {
  const cluster = new PlayedCluster([done([1, 2, 3], [4]), refused('invalid')])
  expect(resultOf(replaceNode(cluster, 3, { keep: false, withinMs }))).toMatchObject({
    code: 'NOT_CHANGED',
    details: { why: expect.stringContaining('node 4 stays a learner') },
  })
})

test('[MC7] a transfer is told as done once the other node leads', () => {
  const cluster = new PlayedCluster(
    [],
    [
      refused('transferring'),
      (played) => {
        played.leaderId = 3
        return { outcome: 'done' }
      },
    ],
  )
  expect(resultOf(transferLeadership(cluster, 3, { withinMs }))).toEqual({ ok: true, value: 3 })
  expect(cluster.asked).toHaveLength(2)
})

test('[MC7] a transfer after which another node leads, or the same again, is told as not done', () => {
  for (const leaderId of [1, 2]) {
    const cluster = new PlayedCluster(
      [],
      [
        (played) => {
          played.leaderId = leaderId
          return { outcome: 'done' }
        },
      ],
    )
    expect(resultOf(transferLeadership(cluster, 3, { withinMs }))).toMatchObject({
      code: 'NOT_CHANGED',
      details: { why: `node ${leaderId} leads` },
    })
  }
})

test('[MC7] a transfer to a node that does not take over is not tried again, since commands wait meanwhile', () => {
  const why = 'node 3 did not take over'
  const cluster = new PlayedCluster([], [refused('timedOut', why)])
  expect(resultOf(transferLeadership(cluster, 3, { withinMs }))).toMatchObject({
    code: 'NOT_CHANGED',
    details: { why },
  })
  expect(cluster.asked).toHaveLength(1)
  expect(cluster.now()).toBe(2 * cluster.electionTimeoutMs)
})

test('[MC7] a transfer to a node that takes over after its leader has given up is done', () => {
  const slow = (played: PlayedCluster) => {
    played.afterwards(played.electionTimeoutMs, () => {
      played.leaderId = 3
    })
    return refused('timedOut')
  }
  const cluster = new PlayedCluster([], [slow])
  expect(resultOf(transferLeadership(cluster, undefined, { withinMs }))).toEqual({ ok: true, value: 3 })
})

describe('[MC8] a node that is stopped', () => {
  const takenOverBy = (nodeId: number) => (played: PlayedCluster) => {
    played.leaderId = nodeId
    return { outcome: 'done' } as const
  }

  test('hands over first, if it leads, to the voter that it finds best', () => {
    const cluster = new PlayedCluster([], [takenOverBy(3)])
    expect(resultOf(stopNodes(cluster, [1], [2, 3]))).toEqual({ ok: true, value: undefined })
    expect(cluster.asked).toEqual(['1: hand over to undefined', 'end 1'])
  })

  test('is ended at once if it does not lead, if no node leads, or if no other voter goes on', () => {
    const cluster = new PlayedCluster([])
    resultOf(stopNodes(cluster, [2], [1, 3]))
    resultOf(stopNodes(cluster, [1, 3], []))
    cluster.leaderId = undefined
    resultOf(stopNodes(cluster, [1], [2, 3]))
    expect(cluster.asked).toEqual(['end 2', 'end 1', 'end 3', 'end 1'])
    expect(cluster.now()).toBe(0)
  })

  test('hands over to none that is stopped with it, and to the next where one does not take over', () => {
    const cluster = new PlayedCluster([], [refused('timedOut'), takenOverBy(5)])
    resultOf(stopNodes(cluster, [1, 2], [4, 5, 3]))
    expect(cluster.asked).toEqual(['1: hand over to 4', '1: hand over to 5', 'end 1', 'end 2'])
  })

  test('is ended all the same if none takes over within two election timeouts', () => {
    const cluster = new PlayedCluster([], [refused('notCaughtUp')])
    expect(resultOf(stopNodes(cluster, [1], [2, 3]))).toMatchObject({ ok: true })
    expect(cluster.asked.at(-1)).toBe('end 1')
    expect(cluster.now()).toBe(2 * cluster.electionTimeoutMs)
  })

  test('asks no other leader to hand over', () => {
    const cluster = new PlayedCluster(
      [],
      [
        (played) => {
          played.leaderId = 2
          return refused('notLeader')
        },
      ],
    )
    resultOf(stopNodes(cluster, [1], [2, 3]))
    expect(cluster.asked).toEqual(['1: hand over to undefined', 'end 1'])
  })
})
