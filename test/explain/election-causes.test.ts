import { describe, expect, test } from 'vitest'
import { type Election, explainElection } from '../../src/explain/index.js'
import type { FaultTold, Story } from '../../src/telemetry/index.js'
import { links, MadeStory } from './made-story.js'

function electionIn(story: Story, term?: number): Election {
  const explained = explainElection(story, term)
  if (explained.type !== 'election') throw new Error(explained.why)
  return explained
}

/** Faults that stand elsewhere all along: none of them keeps nodes 2 and 3 from hearing node 1. */
function withDecoys(made: MadeStory): MadeStory {
  const between = { nodes: [1, 2], ways: links(1, 2) }
  made.breaks(700, { type: 'cut', line: 'cut 2->3', nodes: [2, 3], ways: [{ from: 2, to: 3 }] })
  made.breaks(700, { type: 'slowDisk', line: 'slow-disk 1 20ms', nodes: [1], figures: { flushMs: 20 } })
  made.breaks(700, { type: 'delay', line: 'delay 1-2 5ms', ...between, figures: { delayMs: 5, jitterMs: 0 } })
  made.breaks(700, { type: 'duplicate', line: 'duplicate 1-2 50%', ...between, figures: { share: 0.5 } })
  made.breaks(700, { type: 'drop', line: 'drop 1-2 5%', ...between, figures: { share: 0.05 } })
  made.breaks(700, { type: 'cut', line: 'cut 1-2 requestVote', ...between, messages: 'requestVote' })
  made.breaks(700, { type: 'isolate', line: 'isolate 1', nodes: [1], ways: links(1, 2, 3) }, 800)
  made.breaks(700, { type: 'pause', line: 'pause 3', nodes: [3] }, 800)
  return made
}

const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [] }

interface Overthrown {
  readonly election: Election
  readonly faultId: number | undefined
}

/** The story until node 1 leads, with decoys; then what `breaks` tells; then node 2 leads term 2 at 2600. */
function overthrown(breaks: (made: MadeStory) => number | undefined): Overthrown {
  const made = withDecoys(new MadeStory().begins())
  const faultId = breaks(made)
  made.elects(2600, 2, 2, [3])
  return { election: electionIn(made.story), faultId }
}

describe('the cause of an election', () => {
  test('is a leader that was killed', () => {
    const { election } = overthrown((made) => void made.tell(2000, 1, { type: 'killed' }))
    expect(election.cause).toMatchObject({ type: 'killed', nodeId: 1, sinceMs: 2000, faultId: undefined })
    expect(election.leaderlessMs).toBe(600)
    expect(election.also).toEqual([])
  })

  test('is a leader that was removed: it leads no more', () => {
    const { election } = overthrown((made) => void made.tell(2000, 1, { type: 'removed' }))
    expect(election.leaderlessMs).toBe(600)
    expect(election.cause).toMatchObject({ type: 'removed', nodeId: 1, sinceMs: 2000, faultId: undefined })
    expect(election.also).toEqual([])
  })

  test('is a leader that lost its vote, where nobody it had handed over to campaigned', () => {
    const { election } = overthrown((made) => {
      const role = { role: 'follower', term: 1, leaderId: undefined, reason: 'removed' } as const
      made.tell(2000, 1, { type: 'role', ...role })
      return undefined
    })
    expect(election.cause).toMatchObject({ type: 'removed', nodeId: 1, sinceMs: 2000 })
    expect(election.leaderlessMs).toBe(600)
  })

  test('is a later term that the leader learned of, where nothing else accounts for the election', () => {
    const { election } = overthrown((made) => {
      const told = { reason: 'higherTerm', from: 3, messageType: 'appendEntriesResponse' } as const
      const role = { role: 'follower', term: 2, leaderId: undefined } as const
      made.tell(2000, 1, { type: 'role', ...role, ...told })
      return undefined
    })
    expect(election.cause).toMatchObject({ type: 'laterTerm', nodeId: 1, to: 3, sinceMs: 2000 })
    expect(election.leaderlessMs).toBe(600)
  })

  test('is no later term that the leader learned of after the election, and the silence before it counts', () => {
    const made = new MadeStory().begins().elects(2600, 2, 2, [3])
    const told = { reason: 'higherTerm', from: 2, messageType: 'appendEntries' } as const
    made.tell(2602, 1, { type: 'role', role: 'follower', term: 2, leaderId: undefined, ...told })
    expect(explainElection(made.story)).toMatchObject({
      cause: { type: 'unknown' },
      leaderlessSinceMs: 1992,
      leaderlessMs: 608,
    })
  })

  test.each([
    ['removed', (made: MadeStory) => made.tell(1100, 4, { type: 'removed' })],
    [
      'left without a vote',
      (made: MadeStory) =>
        made.tell(1100, 1, { type: 'membership', index: 20, membership, isCommitted: true }),
    ],
  ])('is no node that was killed and then %s', (_, leaves) => {
    const made = new MadeStory(4).begins().tell(1000, 4, { type: 'killed' })
    leaves(made)
    made.breaks(1400, { type: 'cut', line: 'cut 1-2', nodes: [1, 2], ways: links(1, 2) })
    made.breaks(1400, { type: 'cut', line: 'cut 1-3', nodes: [1, 3], ways: links(1, 3) })
    made.givesUp(2000, 1, 1, 'quorumLost').elects(2600, 2, 2, [3])
    const { cause, also } = electionIn(made.story)
    expect([cause, ...also].map(({ faultLine }) => faultLine)).toEqual(['cut 1-2', 'cut 1-3'])
  })

  test('is a leader that was killed by a fault', () => {
    const { election, faultId } = overthrown((made) => {
      const id = made.breaks(2000, { type: 'kill', line: 'kill 1 for 5s', nodes: [1] })
      made.tell(2000, 1, { type: 'killed' })
      return id
    })
    expect(election.cause).toMatchObject({ type: 'killed', nodeId: 1, faultId })
  })

  test('is a leader that was ended and is back at once: it leads no more', () => {
    const { election, faultId } = overthrown((made) => {
      const id = made.breaks(2000, { type: 'losePower', line: 'power-loss 1 for 0ms', nodes: [1] }, 2000)
      made.tell(2000, 1, { type: 'killed' })
      made.starts(2000, 1)
      return id
    })
    expect(election.cause).toMatchObject({ type: 'killed', nodeId: 1, sinceMs: 2000, faultId })
  })

  test('is a leader that failed since its disk did', () => {
    const { election, faultId } = overthrown((made) => {
      const id = made.breaks(1990, { type: 'failDisk', line: 'fail-disk 1', nodes: [1] })
      made.tell(2000, 1, { type: 'failed', why: 'the disk failed: EIO' })
      return id
    })
    expect(election.cause).toMatchObject({ type: 'failed', nodeId: 1, faultId, why: 'the disk failed: EIO' })
  })

  test('is a leader that was frozen, and not the thread that noticed it afterwards', () => {
    const { election, faultId } = overthrown((made) => {
      const id = made.breaks(2000, { type: 'pause', line: 'pause 1 for 700ms', nodes: [1] }, 2700)
      made.tell(2000, 1, { type: 'paused' })
      made.tell(2700, 1, { type: 'resumed', afterMs: 700 })
      made.tell(2700, 1, { type: 'threadStood', forMs: 690 })
      return id
    })
    expect(election.cause).toMatchObject({ type: 'paused', nodeId: 1, faultId, sinceMs: 2000 })
    expect(election.also).toEqual([])
  })

  test.each<Pick<FaultTold, 'type' | 'line'> & Partial<FaultTold>>([
    { type: 'cut', line: 'cut 1->*', ways: [2, 3].map((to) => ({ from: 1, to })) },
    { type: 'cut', line: 'cut 1->* heartbeat', ways: links(1, 2, 3), messages: 'heartbeat' },
    { type: 'partition', line: 'partition 1|2,3', ways: links(1, 2, 3) },
    { type: 'isolate', line: 'isolate 1', ways: links(1, 2, 3) },
    { type: 'drop', line: 'drop 1-* 90%', ways: links(1, 2, 3), figures: { share: 0.9 } },
    { type: 'delay', line: 'delay 1-* 600ms', ways: links(1, 2, 3), figures: { delayMs: 600, jitterMs: 0 } },
    { type: 'throttle', line: 'throttle 1-* 9B/s', ways: links(1, 2, 3), figures: { bytesPerSecond: 9 } },
  ])('is the fault of a link: $line', (fault) => {
    const { election, faultId } = overthrown((made) => made.breaks(2000, { ...fault, nodes: [1, 2, 3] }))
    expect(election.cause).toMatchObject({ type: 'link', nodeId: 1, faultId, sinceMs: 2000 })
  })

  test('is what cut off most of the voters, where one of them was cut off before', () => {
    const { election } = overthrown((made) => {
      made.breaks(1000, { type: 'cut', line: 'cut 1-2', nodes: [1, 2], ways: links(1, 2) })
      for (const atMs of [1700, 2300]) {
        made.asks(atMs, 2, 2).answers(atMs + 2, 3, 2, 2, true, 'leaderMayBeAlive')
      }
      made.tell(2010, 1, { type: 'killed' })
      return undefined
    })
    expect(election.cause).toMatchObject({ type: 'killed', nodeId: 1 })
    expect(election.also).toMatchObject([{ type: 'link', faultLine: 'cut 1-2' }])
    expect(election.leaderlessMs).toBe(590)
  })

  test('is what silenced the leader for most of the voters, and not what one of them alone had', () => {
    const { election, faultId } = overthrown((made) => {
      const id = made.breaks(2000, { type: 'isolate', line: 'isolate 1', nodes: [1], ways: links(1, 2, 3) })
      made.tell(2000, 2, { type: 'paused' }).tell(2580, 2, { type: 'resumed', afterMs: 580 })
      return id
    })
    expect(election.cause).toMatchObject({ type: 'link', faultId })
    expect(election.also).toMatchObject([{ type: 'paused', nodeId: 2 }])
  })

  test('is what kept answers from a leader that then gave up', () => {
    const ways = [2, 3].map((from) => ({ from, to: 1 }))
    const { election, faultId } = overthrown((made) => {
      const id = made.breaks(1400, { type: 'cut', line: 'cut *->1', nodes: [1, 2, 3], ways })
      made.givesUp(2000, 1, 1, 'quorumLost')
      return id
    })
    expect(election.cause).toMatchObject({ type: 'link', to: 1, faultId })
    expect(election.gaveUp).toEqual({ atMs: 2000, reason: 'quorumLost', afterMs: 500 })
    expect(election.leaderlessMs).toBe(600)
  })

  test('is the freeze of followers of a leader that then gave up', () => {
    const { election } = overthrown((made) => {
      for (const nodeId of [2, 3]) {
        made.tell(1400, nodeId, { type: 'paused' })
        made.tell(2050, nodeId, { type: 'resumed', afterMs: 650 })
      }
      made.givesUp(2000, 1, 1, 'quorumLost')
      return undefined
    })
    expect(election.cause.type).toBe('paused')
    expect([2, 3]).toContain(election.cause.nodeId)
  })

  test('is the isolation that silenced a leader, also when the leader gave up in it', () => {
    const { election, faultId } = overthrown((made) => {
      const id = made.breaks(1900, {
        type: 'isolate',
        line: 'isolate 1',
        nodes: [1, 2, 3],
        ways: links(1, 2, 3),
      })
      made.givesUp(2300, 1, 1, 'quorumLost')
      return id
    })
    expect(election.cause).toMatchObject({ type: 'link', faultId })
    expect(election.also).toEqual([])
  })

  test('is a stalled disk under a leader that then gave up', () => {
    const { election, faultId } = overthrown((made) => {
      const id = made.breaks(1490, { type: 'stallDisk', line: 'stall-disk 1', nodes: [1] })
      made.tell(1600, 1, { type: 'flushLate', sinceMs: 100 })
      made.givesUp(2000, 1, 1, 'diskStalled')
      return id
    })
    expect(election.cause).toMatchObject({ type: 'disk', nodeId: 1, faultId })
    expect(election.gaveUp?.reason).toBe('diskStalled')
  })

  test('is a disk that was late without any fault', () => {
    const { election } = overthrown((made) => {
      made.tell(1600, 1, { type: 'flushLate', sinceMs: 100 })
      made.givesUp(2000, 1, 1, 'diskStalled')
      return undefined
    })
    expect(election.cause).toMatchObject({ type: 'disk', nodeId: 1, faultId: undefined, sinceMs: 1500 })
  })

  test('is a disk that held the thread of the leader', () => {
    const { election, faultId } = overthrown((made) => {
      const figures = { flushMs: 900 }
      const id = made.breaks(1990, { type: 'slowDisk', line: 'slow-disk 1 900ms', nodes: [1], figures })
      made.tell(2900, 1, { type: 'flushLate', sinceMs: 900 })
      made.tell(2900, 1, { type: 'flushEnded', afterMs: 900 })
      made.tell(2900, 1, { type: 'threadStood', forMs: 890 })
      return id
    })
    expect(election.cause).toMatchObject({ type: 'disk', nodeId: 1, faultId })
  })

  test("is the leader's thread that stood still", () => {
    const { election } = overthrown((made) => void made.tell(2800, 1, { type: 'threadStood', forMs: 800 }))
    expect(election.cause).toMatchObject({ type: 'threadStood', nodeId: 1, sinceMs: 2000 })
  })

  test('is the program that stood still with its nodes', () => {
    const { election } = overthrown((made) => {
      made.tell(2580, 0, { type: 'hostBlocked', forMs: 580 })
      for (const nodeId of [1, 2, 3]) made.tell(2581, nodeId, { type: 'threadStood', forMs: 570 })
      return undefined
    })
    expect(election.cause).toMatchObject({ type: 'hostBlocked' })
  })

  test('is not a program that stood still while its nodes ran', () => {
    const { election } = overthrown((made) => void made.tell(2580, 0, { type: 'hostBlocked', forMs: 580 }))
    expect(election.cause.type).toBe('unknown')
  })

  test('is a clock of the leader that ran too slow, and not one that was set back', () => {
    const { election, faultId } = overthrown((made) => {
      const back = { offsetMs: -900, drift: 0 }
      made.breaks(1990, { type: 'skew', line: 'skew 1 -900ms', nodes: [1], figures: back })
      const slow = { offsetMs: 0, drift: -0.9 }
      return made.breaks(2000, { type: 'skew', line: 'skew 1 -90%', nodes: [1], figures: slow })
    })
    expect(election.cause).toMatchObject({ type: 'clock', nodeId: 1, faultId })
    expect(election.also).toEqual([])
  })

  test('is the slow clock of the leader, and not the standstills that its late ticks look like', () => {
    const { election, faultId } = overthrown((made) => {
      const slow = { type: 'skew', line: 'skew 1', nodes: [1] }
      // Drifts add up: none of the two alone delays a heartbeat by an election timeout.
      const id = made.breaks(1000, { ...slow, figures: { drift: -0.5 } })
      made.breaks(1100, { ...slow, figures: { drift: -0.35 } }, 2900)
      for (const atMs of [2020, 2600, 2800]) made.tell(atMs, 1, { type: 'threadStood', forMs: 560 })
      return id + 1
    })
    expect(election.cause).toMatchObject({ type: 'clock', nodeId: 1, faultId })
    expect(election.also).toEqual([])
  })

  test('is no clock of a follower, which answers when it is asked', () => {
    const { election } = overthrown((made) => {
      made.breaks(1000, { type: 'skew', line: 'skew 2,3', nodes: [2, 3], figures: { drift: -0.9 } })
      made.givesUp(2000, 1, 1, 'quorumLost')
      return undefined
    })
    expect(election.cause.type).toBe('unknown')
  })

  test('is the clocks of followers that ran too fast', () => {
    const { election, faultId } = overthrown((made) => {
      const figures = { offsetMs: 0, drift: 2 }
      return made.breaks(2000, { type: 'skew', line: 'skew followers +200%', nodes: [2, 3], figures })
    })
    expect(election.cause).toMatchObject({ type: 'clock', faultId })
  })

  test('is what silenced the leader long ago, where campaign after campaign was in vain', () => {
    const { election, faultId } = overthrown((made) => {
      const id = made.breaks(
        700,
        { type: 'isolate', line: 'isolate 1', nodes: [1], ways: links(1, 2, 3) },
        1500,
      )
      made.asks(1310, 3, 2).asks(1400, 2, 2)
      made.tell(1420, 1, {
        ...{ type: 'role', role: 'follower', term: 2, leaderId: undefined, reason: 'higherTerm' },
        ...{ from: 3, messageType: 'requestVote' },
      } as const)
      return id
    })
    expect(election.cause).toMatchObject({ type: 'link', faultId })
  })

  test('is not what had cut off a single node long before', () => {
    const { election } = overthrown((made) => {
      const ways = [{ from: 1, to: 3 }]
      made.breaks(700, { type: 'cut', line: 'cut 1->3', nodes: [1, 3], ways }, 1500)
      made.asks(1310, 3, 2).answers(1312, 2, 3, 2, true, 'leaderMayBeAlive')
      return undefined
    })
    expect(election.cause.type).toBe('unknown')
  })

  test('is the wish of a person', () => {
    const made = withDecoys(new MadeStory().begins())
    const candidate = { role: 'candidate', term: 2, leaderId: undefined, reason: 'campaign' } as const
    made.tell(2596, 2, { type: 'role', ...candidate }).answers(2598, 3, 2, 2, false)
    const leader = { role: 'leader', term: 2, leaderId: 2, reason: 'electionWon' } as const
    made.tell(2600, 2, { type: 'role', ...leader, decidedBy: [2, 3] })
    expect(electionIn(made.story).cause).toMatchObject({ type: 'asked', nodeId: 2 })
  })

  test('is the begin of the cluster', () => {
    const election = electionIn(new MadeStory().begins().story)
    expect(election.cause.type).toBe('clusterBegan')
    expect(election.leaderlessMs).toBe(620)
  })

  test('is unknown where what came before is no longer kept', () => {
    const election = electionIn(new MadeStory(3, 500).elects(620, 2, 7, [3]).story)
    expect(election.cause).toMatchObject({ type: 'unknown', why: 'what came before it is no longer kept' })
  })

  test('is unknown where only faults elsewhere stood', () => {
    const { election } = overthrown(() => undefined)
    expect(election.cause.type).toBe('unknown')
    expect(election.also).toEqual([])
  })
})

describe('an election', () => {
  test('is the one of the term that was asked for', () => {
    const made = new MadeStory().begins().tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3])
    made.starts(2700, 1).tell(4000, 2, { type: 'killed' }).elects(4700, 3, 3, [1])
    expect(electionIn(made.story).winnerId).toBe(3)
    expect(electionIn(made.story, 2)).toMatchObject({ winnerId: 2, before: { leaderId: 1, term: 1 } })
    expect(explainElection(made.story, 9)).toEqual({
      type: 'nothing',
      why: 'no election of term 9 is told of in what is kept, which has terms from 1 to 3',
    })
  })

  test('that nobody has won tells who asked in vain', () => {
    const made = new MadeStory().begins()
    for (const nodeId of [1, 3]) made.tell(2000, nodeId, { type: 'killed' })
    made.asks(2600, 2, 2).asks(3300, 2, 2, 700)
    const election = electionIn(made.story)
    expect(election).toMatchObject({ winnerId: undefined, term: 2, cause: { type: 'killed', nodeId: 1 } })
    expect(election).toMatchObject({ failedCampaigns: 2, rivals: [], absent: [{ nodeId: 1 }, { nodeId: 3 }] })
    expect(electionIn(made.askedAt(9000).story).leaderlessMs, 'also since the last campaign').toBe(7000)
  })

  test('of a node that was cut off, while the others follow their leader, leaves no majority without a leader', () => {
    const made = new MadeStory().begins()
    made.breaks(2000, { type: 'isolate', line: 'isolate 3', nodes: [3], ways: links(3, 1, 2) })
    const { story } = made.asks(2600, 3, 2).askedAt(9000)
    expect(electionIn(story, 2)).toMatchObject({ ledOn: 1, leaderlessMs: 0, isOver: false })
    made.givesUp(2700, 1, 1, 'quorumLost')
    expect(electionIn(story, 2), 'it had not noticed yet').toMatchObject({ ledOn: undefined })
  })

  test('that nobody has won is the latest one also while the leader of before is frozen', () => {
    const made = new MadeStory().begins().tell(2000, 1, { type: 'paused' }).asks(2600, 2, 2)
    const cause = { type: 'paused', nodeId: 1 }
    expect(electionIn(made.story)).toMatchObject({ winnerId: undefined, term: 2, cause })
  })

  test('is not the campaign of a node that is cut off, while the others follow their leader', () => {
    const made = new MadeStory().begins()
    made.breaks(1000, { type: 'cut', line: 'cut 1->3', nodes: [1, 3], ways: [{ from: 1, to: 3 }] })
    for (const atMs of [1600, 2200]) made.asks(atMs, 3, 2)
    expect(electionIn(made.story)).toMatchObject({ winnerId: 1, term: 1 })
  })

  test('leaves out campaigns that the leader of before survived', () => {
    const made = new MadeStory().begins()
    made.asks(1500, 3, 2).answers(1501, 2, 3, 2, true, 'leaderMayBeAlive').follows(1600, 3, 1, 1)
    made.tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3])
    const election = electionIn(made.story)
    expect(election).toMatchObject({ rivals: [], failedCampaigns: 0 })
    expect(election.missed.map(({ nodeId }) => nodeId)).toEqual([2])
    expect(election.votes.map(({ candidateId }) => candidateId)).toEqual([2, 2])
  })

  test('tells of commits where the answers of its time are no longer kept', () => {
    const made = new MadeStory().begins()
    for (let atMs = 700; atMs < 2000; atMs += 100) made.passes(atMs, 1, 'committed', atMs)
    made.tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3]).commits(2, 2700, 2800, 2000)
    expect(electionIn(made.story).felt).toEqual({
      waitedFor: 'commit',
      sinceMs: 1900,
      untilMs: 2700.8,
      refused: 0,
    })
  })

  test('tells of commits where only the leader that was killed keeps its old answers', () => {
    const made = new MadeStory()
      .starts(0, 1)
      .starts(0, 2)
      .starts(0, 3)
      .elects(620, 1, 1, [2, 3])
      .commits(1, 700, 1990, 1)
    made.tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3])
    // All that node 2 kept of these commands are the commits.
    for (let index = 66; index < 76; index++) made.passes(1320 + 20 * index, 2, 'committed', index)
    made.commits(2, 5000, 5200, 200)
    expect(electionIn(made.story).felt).toMatchObject({ waitedFor: 'commit', sinceMs: 1980.8, untilMs: 2640 })
  })

  test('tells how long a node had missed its leader by its missed heartbeat, which is finer than its ticks', () => {
    const made = new MadeStory().begins()
    const faultId = made.breaks(2000, {
      type: 'isolate',
      line: 'isolate 1',
      nodes: [1, 2, 3],
      ways: links(1, 2, 3),
    })
    made.tell(2240, 2, { type: 'heartbeatMissed', from: 1, silentMs: 230 }, faultId)
    const election = electionIn(made.elects(2560, 2, 2, [3]).story)
    // Ticks tell 600 ms at 2552 ms, and so a last heartbeat at 1952 ms.
    expect(election.missed[0]).toEqual({ nodeId: 2, sinceMs: 2010, silentMs: 542 })
    expect(election.leaderlessMs).toBe(550)
  })

  test('lays no wait on clients that asked for nothing', () => {
    const made = new MadeStory().begins().commits(1, 1900, 1940, 2)
    made.tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3]).follows(9000, 1, 2, 2)
    expect(electionIn(made.story).felt).toBeUndefined()
    // The same after a load that ended long before.
    const loaded = new MadeStory().begins().commits(1, 700, 990, 2).tell(2000, 1, { type: 'killed' })
    expect(electionIn(loaded.elects(2600, 2, 2, [3]).follows(9000, 1, 2, 2).story).felt).toBeUndefined()
    // The same while nobody wins.
    const lonely = new MadeStory().begins().commits(1, 1000, 1000, 2).tell(2000, 1, { type: 'killed' })
    expect(electionIn(lonely.asks(2600, 2, 2).askedAt(2700).story).felt).toBeUndefined()
    // The same where the leader's own first entry is all that is committed.
    const opened = new MadeStory().begins().passes(621, 1, 'committed', 1).tell(2000, 1, { type: 'killed' })
    opened.elects(2600, 2, 2, [3]).passes(2600, 2, 'appended', 2).passes(2601, 2, 'committed', 2)
    expect(electionIn(opened.story).felt).toBeUndefined()
    // The same with a call that was answered as soon as somebody led.
    expect(electionIn(made.commits(2, 2620, 2620, 70).story).felt).toMatchObject({ untilMs: 2621 })
  })

  test('tells of a wait that began when the leader of before lost its majority, long before it gave up', () => {
    const made = new MadeStory().begins().commits(1, 700, 1390, 2)
    const { felt } = electionIn(made.givesUp(2000, 1, 1, 'quorumLost').elects(2600, 2, 2, [3]).story)
    expect(felt).toMatchObject({ waitedFor: 'answer', sinceMs: 1381, untilMs: 2601 })
  })

  test('tells each vote, how long nobody led and what clients felt', () => {
    const made = new MadeStory().begins().commits(1, 700, 1990, 2)
    made.tell(2000, 1, { type: 'killed' })
    made.asks(2570, 3, 2).answers(2572, 2, 3, 2, true, 'logBehind')
    made.elects(2600, 2, 2, [3]).commits(2, 2620, 3000, 70)
    const election = electionIn(made.story)
    expect(election.votes).toMatchObject([
      { voterId: 2, candidateId: 3, isPreVote: true, voteGranted: false, reason: 'logBehind' },
      { voterId: 3, candidateId: 2, isPreVote: true, voteGranted: true },
      { voterId: 3, candidateId: 2, isPreVote: false, voteGranted: true },
    ])
    expect(election).toMatchObject({ rivals: [3], failedCampaigns: 1, decidedBy: [2, 3], leaderlessMs: 600 })
    expect(election.felt).toEqual({ waitedFor: 'answer', sinceMs: 1981, untilMs: 2621, refused: 0 })
  })
})
