import { describe, expect, test } from 'vitest'
import { explain, explainStall, type Stall } from '../../src/explain/index.js'
import type { Story } from '../../src/telemetry/index.js'
import { links, MadeStory } from './made-story.js'

function stallIn(story: Story): Stall {
  const explained = explainStall(story)
  if (explained.type !== 'stall') throw new Error(explained.why)
  return explained
}

/** A load of a command in 20 ms that stands still from 2000 to `untilMs`; then it goes on under the leader. */
function stalled(breaks: (made: MadeStory) => void, untilMs = 3000, leaderId = 1): Stall {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2)
  breaks(made)
  made.commits(leaderId, untilMs, untilMs + 200, 100)
  return stallIn(made.story)
}

describe('the longest time without a commit', () => {
  test('is one in which nobody led, and the election tells why', () => {
    const stall = stalled((made) => made.tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3]), 2620, 2)
    expect(stall).toMatchObject({ reason: 'noLeader', election: { term: 2 }, isOver: true })
    expect(stall.causes).toMatchObject([{ type: 'killed', nodeId: 1 }])
    expect(stall.forMs).toBeCloseTo(640)
  })

  test('goes on while nobody wins', () => {
    const made = new MadeStory().begins().commits(1, 700, 1990, 2)
    for (const nodeId of [1, 3]) made.tell(2000, nodeId, { type: 'killed' })
    for (const atMs of [2600, 3300, 4000]) made.asks(atMs, 2, 2)
    expect(stallIn(made.story)).toMatchObject({
      reason: 'noLeader',
      isOver: false,
      untilMs: 4000,
      election: { winnerId: undefined },
      causes: [{ type: 'killed', nodeId: 1 }],
    })
  })

  test('is one in which too few followers were left', () => {
    const stall = stalled((made) => {
      made.breaks(1995, { type: 'pause', line: 'pause 2', nodes: [2] }, 2990)
      made.tell(1995, 2, { type: 'paused' }).tell(2990, 2, { type: 'resumed', afterMs: 995 })
      made.breaks(1995, { type: 'cut', line: 'cut 1->3', nodes: [1, 3], ways: [{ from: 1, to: 3 }] }, 2990)
    })
    expect(stall.reason).toBe('noMajority')
    expect(stall.causes).toMatchObject([
      { type: 'paused', nodeId: 2 },
      { type: 'link', faultLine: 'cut 1->3' },
    ])
  })

  test('is not laid on nodes without a vote', () => {
    const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [5] }
    const made = new MadeStory(5).begins().commits(1, 700, 1990, 2)
    made.tell(1000, 4, { type: 'killed' }).tell(1100, 5, { type: 'killed' })
    made.tell(1200, 1, { type: 'membership', index: 20, membership, isCommitted: true })
    // A node that lags tells the configuration before late.
    const before = { voters: [1, 2, 3, 4], votersOutgoing: [], learners: [5] }
    made.tell(1300, 3, { type: 'membership', index: 9, membership: before, isCommitted: true })
    for (const peer of [2, 3])
      made.breaks(1995, { type: 'cut', line: `cut 1-${peer}`, nodes: [1, peer], ways: links(1, peer) }, 2990)
    made.commits(1, 3000, 3200, 100)
    const { reason, causes } = stallIn(made.story)
    expect(reason).toBe('noMajority')
    expect(causes.map(({ faultLine }) => faultLine)).toEqual(['cut 1-2', 'cut 1-3'])
  })

  test('is not laid on one follower that was away', () => {
    const stall = stalled((made) => {
      made.breaks(1995, { type: 'cut', line: 'cut 1-3', nodes: [1, 3], ways: links(1, 3) }, 2990)
    })
    expect(stall).toMatchObject({ reason: 'unknown', causes: [] })
  })

  test('is one in which the disks of a majority were late', () => {
    const stall = stalled((made) => {
      for (const nodeId of [2, 3]) {
        made.tell(2300, nodeId, { type: 'flushLate', sinceMs: 300 })
        made.tell(2995, nodeId, { type: 'flushEnded', afterMs: 995 })
      }
    })
    expect(stall).toMatchObject({ reason: 'disk', causes: [{ nodeId: 2 }, { nodeId: 3 }] })
  })

  test("is one in which the leader's disk was late, and that of a follower it needed", () => {
    const late = (made: MadeStory, nodeId: number): void => {
      made.tell(2300, nodeId, { type: 'flushLate', sinceMs: 300 })
      made.tell(2995, nodeId, { type: 'flushEnded', afterMs: 995 })
    }
    const stall = stalled((made) => {
      for (const nodeId of [1, 3]) late(made, nodeId)
    })
    expect(stall).toMatchObject({ reason: 'disk', causes: [{ nodeId: 1 }, { nodeId: 3 }] })
    // The other two are a majority.
    expect(stalled((made) => late(made, 1))).toMatchObject({ reason: 'unknown', causes: [] })
  })

  test('is a delay that is shorter than an election timeout, on the way there and back', () => {
    const delayed = (delayMs: number): Stall =>
      stalled((made) => {
        const figures = { delayMs, jitterMs: 0 }
        made.breaks(1000, { type: 'delay', line: 'delay 1-*', nodes: [], ways: links(1, 2, 3), figures })
      }, 2200)
    expect(delayed(90)).toMatchObject({ reason: 'noMajority', causes: [{ faultType: 'delay' }] })
    expect(delayed(10)).toMatchObject({ reason: 'unknown' })
    // The stall is over sooner than a message arrives.
    expect(delayed(400)).toMatchObject({ reason: 'unknown' })
  })

  test("is not laid on the leader's clock, nor on the ticks that it delays", () => {
    const stall = stalled((made) => {
      made.breaks(1900, { type: 'skew', line: 'skew 1 -90%', nodes: [1], figures: { drift: -0.9 } })
      made.tell(2995, 1, { type: 'threadStood', forMs: 900 })
    })
    expect(stall).toMatchObject({ reason: 'unknown', causes: [] })
  })

  test('is not laid on the clocks of followers, which answer when they are asked', () => {
    const stall = stalled((made) => {
      made.breaks(1900, { type: 'skew', line: 'skew 2,3 +100%', nodes: [2, 3], figures: { drift: 2 } })
      for (const nodeId of [2, 3])
        made.tell(2990, nodeId, { type: 'heartbeatMissed', from: 1, silentMs: 220 })
    })
    expect(stall).toMatchObject({ reason: 'unknown', causes: [] })
  })

  test.each([
    ['slow clock that delays each tick by far less', { drift: -0.5 }],
    ['fast clock', { drift: 0.9 }],
    ['clock that was set back', { drift: 0, offsetMs: -900 }],
  ])("is laid on the leader's thread that stood still under a %s", (_, figures) => {
    const stall = stalled((made) => {
      made.breaks(1900, { type: 'skew', line: 'skew 1', nodes: [1], figures })
      made.tell(2990, 1, { type: 'threadStood', forMs: 980 })
    })
    expect(stall).toMatchObject({ reason: 'leaderStood', causes: [{ type: 'threadStood', nodeId: 1 }] })
  })

  test("is laid on the leader's thread that stood still after its slow clock was healed", () => {
    const stall = stalled((made) => {
      made.breaks(1000, { type: 'skew', line: 'skew 1', nodes: [1], figures: { drift: -0.95 } }, 1900)
      made.tell(2990, 1, { type: 'threadStood', forMs: 980 })
    })
    expect(stall).toMatchObject({ reason: 'leaderStood', causes: [{ type: 'threadStood', nodeId: 1 }] })
  })

  test('is messages of which so many are lost that a follower does not come to acknowledge', () => {
    const lossy = (share: number): Stall =>
      stalled((made) => {
        const figures = { share }
        made.breaks(1995, { type: 'drop', line: 'drop 1-*', nodes: [], ways: links(1, 2, 3), figures })
      }, 5000)
    expect(lossy(0.5)).toMatchObject({ reason: 'noMajority', causes: [{ faultType: 'drop' }] })
    expect(lossy(0.1)).toMatchObject({ reason: 'unknown' })
  })

  test('goes on while every node is down, until the story is asked for', () => {
    const made = new MadeStory().begins().commits(1, 700, 1990, 2)
    for (const nodeId of [1, 2, 3]) made.tell(2000, nodeId, { type: 'killed' })
    expect(stallIn(made.askedAt(9000).story)).toMatchObject({
      reason: 'noLeader',
      isOver: false,
      sinceMs: 2000,
      untilMs: 9000,
      causes: [{ type: 'killed', nodeId: 1 }],
    })
  })

  test('is the disks that were left slow where the fault was healed at another node', () => {
    const made = new MadeStory(4).begins().commits(1, 700, 1990, 2)
    const slow = { type: 'stallDisk', line: 'stall-disk 2,3,4' }
    const id = made.breaks(1995, { ...slow, nodes: [2, 3, 4] })
    made
      .healsAt(2000, id, { ...slow, nodes: [4] })
      .passes(2010, 1, 'appended', 80)
      .askedAt(3000)
    expect(stallIn(made.story)).toMatchObject({
      reason: 'disk',
      causes: [{ faultId: id, sinceMs: 2000, untilMs: undefined, faultLine: `${slow.line}, without node 4` }],
    })
    expect(explain(made.story, { about: 'last' }).words).toMatch(
      /these faults stand: stall-disk 2,3,4, without node 4\.$/,
    )
    const removed = made.tell(3000, 2, { type: 'removed' }).healsAt(3100, id, { ...slow, nodes: [3] })
    expect(explain(removed.askedAt(3200).story, { about: 'last' }).words).not.toContain('these faults stand')
  })

  test('is laid on the whole fault where a part of the fault was healed later', () => {
    const slow = { type: 'stallDisk', line: 'stall-disk 2,3' }
    const stall = stalled((made) => {
      const id = made.breaks(1995, { ...slow, nodes: [2, 3] })
      made.healsAt(2990, id, { ...slow, nodes: [3] })
    })
    expect(stall).toMatchObject({ reason: 'disk', causes: [{ sinceMs: 1995, faultLine: 'stall-disk 2,3' }] })
  })

  test('is not laid on links of a node that was removed, and a fault of links tells that it lost the node', () => {
    const isolate = { type: 'isolate', line: 'isolate 2,4', nodes: [1, 2, 3, 4], ways: links(4, 1, 2, 3) }
    const made = new MadeStory(4).begins().commits(1, 700, 1990, 2)
    made.breaks(1000, { ...isolate, ways: [...isolate.ways, ...links(2, 1, 3)] })
    made.tell(1100, 4, { type: 'removed' })
    const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [] }
    made.tell(1100, 1, { type: 'membership', index: 20, membership, isCommitted: true })
    const { story } = made.commits(1, 3000, 3200, 100)
    expect(stallIn(story)).toMatchObject({ reason: 'unknown', causes: [] })
    expect(explain(story, { about: 'last' }).words).toMatch(
      /these faults stand: isolate 2,4, without node 4\.$/,
    )
  })

  test('is not laid on a later fault that ended with the node that it hit', () => {
    const made = new MadeStory(2).begins().commits(1, 700, 800, 2).commits(1, 950, 1090, 8)
    const slow = { type: 'stallDisk', line: 'stall-disk 2', nodes: [2] }
    const id = made.breaks(1000, slow)
    made.tell(1050, 2, { type: 'removed' }).healsAt(1051, id, slow)
    expect(stallIn(made.story)).toMatchObject({ sinceMs: 800.8, reason: 'unknown', causes: [] })
    expect(explain(made.story, { about: 'last' }).words).not.toContain('these faults stand')
  })

  test('goes on while every node is frozen', () => {
    const made = new MadeStory().begins().commits(1, 700, 1990, 2)
    for (const nodeId of [1, 2, 3]) made.tell(2000, nodeId, { type: 'paused' })
    const { story } = made.askedAt(9000)
    expect(stallIn(story)).toMatchObject({ reason: 'leaderStood', isOver: false, causes: [{ nodeId: 1 }] })
    expect(explain(story, { about: 'last' }).words).toMatch(
      /Now nobody leads; nodes 1, 2 and 3 do not run\.$/,
    )
  })

  test("is one in which the leader's thread stood still", () => {
    const stall = stalled((made) => made.tell(2990, 1, { type: 'threadStood', forMs: 980 }))
    expect(stall).toMatchObject({ reason: 'leaderStood', causes: [{ type: 'threadStood', nodeId: 1 }] })
  })

  test('is one in which the program of the clients stood still', () => {
    const stall = stalled((made) => {
      made.breaks(1000, { type: 'cut', line: 'cut 2-3', nodes: [2, 3], ways: links(2, 3) })
      made.tell(2990, 0, { type: 'hostBlocked', forMs: 980 })
    })
    expect(stall).toMatchObject({ reason: 'hostBlocked', causes: [{ type: 'hostBlocked' }] })
  })

  test('is laid on a leader that was frozen, although the busy program got no turn for parts of the time', () => {
    const stall = stalled((made) => {
      made.breaks(1995, { type: 'pause', line: 'pause 1', nodes: [1] }, 2990)
      made.tell(1995, 1, { type: 'paused' })
      for (const atMs of [2200, 2500, 2800]) made.tell(atMs, 0, { type: 'hostBlocked', forMs: 200 })
      made.tell(2990, 1, { type: 'resumed', afterMs: 995 })
    })
    expect(stall.reason).toBe('leaderStood')
    expect(stall.causes).toMatchObject([{ type: 'paused', faultLine: 'pause 1' }, { type: 'hostBlocked' }])
  })

  test('is laid on the death of the leader, although the busy program got no turn for parts of the time', () => {
    const stall = stalled(
      (made) => {
        made.tell(2000, 1, { type: 'killed' })
        for (const atMs of [2200, 2420]) made.tell(atMs, 0, { type: 'hostBlocked', forMs: 190 })
        made.elects(2600, 2, 2, [3])
      },
      2620,
      2,
    )
    expect(stall).toMatchObject({ reason: 'noLeader', causes: [{ type: 'killed' }] })
  })

  test('tells for how long a program stood still that did so again and again', () => {
    const made = new MadeStory().begins().commits(1, 700, 1990, 2)
    for (const atMs of [2300, 2600, 2900]) made.tell(atMs, 0, { type: 'hostBlocked', forMs: 250 })
    const { story } = made.commits(1, 3000, 3200, 100)
    expect(stallIn(story).causes).toMatchObject([{ sinceMs: 2050, untilMs: 2900, forMs: 750 }])
    expect(explain(story, { about: 'stall' }).words).toContain(
      'The program that holds the cluster stood still again and again from 2.050 s on, for 750 ms in all:',
    )
  })

  test('is one in which requests were turned away', () => {
    const stall = stalled((made) => {
      made
        .tell(2100, 1, { type: 'overloaded', refused: 40 })
        .tell(2800, 1, { type: 'overloaded', refused: 2 })
    })
    expect(stall).toMatchObject({ reason: 'backPressure', refused: 42, leaderId: 1 })
  })

  test('is one in which the leader was handing over, until it gave that up', () => {
    const stall = stalled((made) => {
      const to = { to: 2 } as const
      made.tell(2001, 1, { type: 'transferBegan', ...to })
      made.tell(2700, 1, { type: 'transferEnded', ...to, isDone: false })
    })
    expect(stall).toMatchObject({ reason: 'handingOver', leaderId: 1, causes: [] })
  })

  test('tells for how much of it its reason holds', () => {
    const stall = stalled((made) => void made.tell(2700, 0, { type: 'hostBlocked', forMs: 400 }))
    expect(stall).toMatchObject({ reason: 'hostBlocked', partMs: 400 })
  })

  test('is the longest one with load, not a longer one in which nobody asked', () => {
    const made = new MadeStory().begins().commits(1, 700, 1000, 2)
    made.passes(5000, 1, 'appended', 50).passes(5700, 1, 'committed', 50).commits(1, 9000, 9300, 51)
    expect(stallIn(made.story)).toMatchObject({ sinceMs: 5000, untilMs: 5700, reason: 'unknown' })
  })

  test('is told as one without load where nobody asked for anything', () => {
    const made = new MadeStory().begins().passes(700, 1, 'appended', 1).passes(700, 1, 'committed', 1)
    made.passes(5000, 1, 'committed', 2)
    expect(stallIn(made.story)).toMatchObject({ reason: 'noLoad', forMs: 4300 })
  })

  test('is not laid on a busy machine where nobody asked for anything', () => {
    const made = new MadeStory().begins()
    // An idle leader writes the time of the log once a second.
    for (let index = 1; index <= 8; index++) made.passes(700 + 1000 * index, 1, 'committed', index)
    for (const atMs of [7200, 7600]) made.tell(atMs, 0, { type: 'hostBlocked', forMs: 380 })
    expect(stallIn(made.story)).toMatchObject({ reason: 'noLoad', causes: [] })
  })

  test('is laid on a program that stood still under load and has not gone on', () => {
    const made = new MadeStory().begins().commits(1, 700, 1990, 2)
    made.tell(2980, 0, { type: 'hostBlocked', forMs: 980 })
    expect(stallIn(made.story)).toMatchObject({ reason: 'hostBlocked', isOver: false })
  })

  test('is a time without a leader, told as one without a call where nobody is known to have called', () => {
    const made = new MadeStory().begins().passes(621, 1, 'committed', 1).tell(2000, 1, { type: 'killed' })
    const standing = stallIn(made.asks(2590, 3, 2).askedAt(2595).story)
    expect(standing).toMatchObject({ reason: 'noLeader', isAsked: false, isOver: false, forMs: 595 })
    // The new leader opens its term by an entry of its own.
    made.elects(2600, 2, 2, [3]).passes(2600, 2, 'appended', 2).passes(2601, 2, 'committed', 2)
    const { story } = made.askedAt(9000)
    expect(stallIn(story)).toMatchObject({ reason: 'noLeader', isAsked: false, isOver: true })
    expect(explain(story, { about: 'stall' }).words.split('\n')).toEqual([
      'Nobody led for 600 ms, from 2.000 s on.',
      'What is kept tells of no call in that time.',
      'Node 1 was killed at 2.000 s.',
      'Node 2 led term 2 after 600 ms without a leader.',
    ])
  })

  test('is a time without a leader in which a call waited that was answered as soon as somebody led', () => {
    const made = new MadeStory().begins().commits(1, 1000, 1000, 2).tell(2000, 1, { type: 'killed' })
    made.elects(2600, 2, 2, [3]).passes(2600, 2, 'appended', 3).commits(2, 2620, 2620, 4)
    expect(stallIn(made.askedAt(9000).story)).toMatchObject({
      reason: 'noLeader',
      isAsked: true,
      sinceMs: 2000,
    })
  })

  test('is a short one in which somebody waited, and not a longer time without a leader and without a call', () => {
    const made = new MadeStory().begins().commits(1, 700, 990, 2).commits(1, 1190, 1390, 17)
    made.tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3])
    expect(stallIn(made.askedAt(9000).story)).toMatchObject({
      reason: 'unknown',
      isAsked: true,
      untilMs: 1190.8,
    })
  })

  test('is told as ordinary with its figure where it is no longer than a heartbeat interval', () => {
    const gap = (ms: number): string => {
      const made = new MadeStory()
        .begins()
        .commits(1, 700, 980, 2)
        .commits(1, 980 + ms, 1500, 17)
      return explain(made.story, { about: 'stall' }).words
    }
    expect(gap(90).split('\n')).toEqual([
      'The longest time without a commit was 90 ms, from 0.981 s on.',
      'This is ordinary: it is no longer than the 100 ms from one heartbeat to the next.',
    ])
    expect(gap(110)).toContain(
      'nothing that is kept accounts for it. Nodes note no write that takes less than 250 ms, and no standstill of less than 100 ms.',
    )
  })

  test('is no handing over of a leader where nobody asked for anything', () => {
    const made = new MadeStory().begins().passes(621, 1, 'committed', 1)
    made.tell(2000, 1, { type: 'killed' }).elects(2050, 2, 2, [3], 100)
    expect(stallIn(made.askedAt(9000).story)).toMatchObject({ reason: 'noLoad', isAsked: false })
  })

  test('is a time without a leader, and not an ordinary one, where somebody called at another time', () => {
    const made = new MadeStory().begins().commits(1, 700, 780, 2).commits(1, 870, 950, 7)
    made.tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3])
    expect(stallIn(made.askedAt(9000).story)).toMatchObject({ reason: 'noLeader', isAsked: false })
  })

  test('is not told without any commit', () => {
    expect(explainStall(new MadeStory().begins().story)).toEqual({
      type: 'nothing',
      why: 'what is kept tells of no commit',
    })
  })
})
