/** Elections that began with a node that was to lead, and that another node won. */
import { describe, expect, test } from 'vitest'
import { type Election, explain, explainElection } from '../../src/explain/index.js'
import { SimulatedCluster } from '../../src/sim/index.js'
import type { Story } from '../../src/telemetry/index.js'
import { MadeStory } from './made-story.js'

function electionIn(story: Story, term?: number): Election {
  const explained = explainElection(story, term)
  if (explained.type !== 'election') throw new Error(explained.why)
  return explained
}

const candidate = { type: 'role', role: 'candidate', term: 2, leaderId: undefined } as const
const isTold = { reason: 'transfer', from: 1, messageType: 'timeoutNow' } as const
const isDeposed = { type: 'role', role: 'follower', term: 2, leaderId: undefined } as const
const byTerm = { reason: 'higherTerm', from: 3, messageType: 'appendEntriesResponse' } as const
const cut = { type: 'cut', line: 'cut 3->* requestVote', nodes: [1, 2, 3], messages: 'requestVote' } as const
const ways = [1, 2].map((to) => ({ from: 3, to }))

/** Node 1 hands over to node 3 at 2000, and learns of its term at 2010. */
function handedOver(): MadeStory {
  const made = new MadeStory().begins().tell(1999, 1, { type: 'transferBegan', to: 3 })
  return made.tell(2000, 3, { ...candidate, ...isTold }).tell(2010, 1, { ...isDeposed, ...byTerm })
}

describe('an election after a hand-over in vain', () => {
  test('began with the hand-over, and tells which fault stood in the way of the node that was to lead', () => {
    const made = new MadeStory().begins()
    const faultId = made.breaks(1000, { ...cut, ways })
    made.tell(2000, 3, { ...candidate, ...isTold }).tell(2010, 1, { ...isDeposed, ...byTerm })
    made.tell(2350, 3, { type: 'killed' }).elects(2700, 2, 3, [1])
    const election = electionIn(made.story)
    expect(election).toMatchObject({ cause: { type: 'transfer', nodeId: 1, to: 3 }, also: [] })
    const causes = [
      { type: 'link', faultId },
      { type: 'killed', nodeId: 3, sinceMs: 2350 },
    ]
    expect(election.foiled).toMatchObject({ nodeId: 3, term: 2, atMs: 2000, causes, refusals: [] })
    expect(election).toMatchObject({ failedCampaigns: 1, rivals: [3], leaderlessMs: 690 })
    for (const about of ['election', 'last'] as const)
      expect(explain(made.story, { about }).words).toContain(
        '\nNode 3 did not come to lead in term 2: a fault kept messages from node 3 to node 1 back, from 1.000 s on (cut 3->* requestVote); node 3 was killed at 2.350 s.\n',
      )
  })

  test('tells a freeze of that node, and no write that the freeze held back', () => {
    const made = handedOver().tell(2000, 3, { type: 'paused' })
    made.tell(2600, 3, { type: 'flushLate', sinceMs: 590 }).elects(2700, 2, 3, [1])
    expect(electionIn(made.story).foiled?.causes).toMatchObject([{ type: 'paused', nodeId: 3 }])
  })

  test('tells a stalled disk, which held the vote back that the node gave itself', () => {
    const made = handedOver()
    const faultId = made.breaks(1990, { type: 'stallDisk', line: 'stall-disk 3', nodes: [3] })
    made.elects(2700, 2, 3, [1])
    expect(electionIn(made.story).foiled?.causes).toMatchObject([{ type: 'disk', nodeId: 3, faultId }])
  })

  test('tells the votes that were refused, and no freeze that left a majority', () => {
    const made = handedOver().tell(2000, 2, { type: 'paused' })
    made.answers(2011, 1, 3, 2, false, 'logBehind').elects(2700, 2, 3, [1])
    const { foiled } = electionIn(made.story)
    expect(foiled).toMatchObject({ causes: [{ type: 'paused', nodeId: 2 }] })
    expect(foiled?.refusals).toMatchObject([{ voterId: 1, candidateId: 3, reason: 'logBehind' }])
    // Of five voters, three are left: the freeze decided nothing.
    const decided = new MadeStory(5).begins().tell(2000, 3, { ...candidate, ...isTold })
    decided.tell(2000, 2, { type: 'paused' }).tell(2010, 1, { ...isDeposed, ...byTerm })
    decided.answers(2011, 1, 3, 2, false, 'logBehind').elects(2700, 2, 3, [1, 4])
    expect(electionIn(decided.story).foiled).toMatchObject({ causes: [], refusals: [{ voterId: 1 }] })
  })

  test('says so where nothing that is kept accounts for it', () => {
    const made = handedOver().elects(2700, 2, 3, [1])
    expect(explain(made.story, { about: 'election' }).words).toContain(
      'Why it began: node 1 handed over to node 3.\nNode 3 did not come to lead in term 2, and what is kept does not tell why.\n',
    )
  })

  test('is not told by what became of the old leader later', () => {
    const made = handedOver().tell(2100, 1, { type: 'killed' }).elects(2700, 2, 3, [])
    expect(electionIn(made.story)).toMatchObject({ cause: { type: 'transfer', to: 3 }, also: [] })
  })

  test('names the end of the leader first, where the leader ended before it was deposed', () => {
    const made = new MadeStory().begins().tell(2000, 3, { ...candidate, ...isTold })
    made.tell(2001, 1, { type: 'killed' }).tell(2002, 3, { type: 'killed' }).elects(2700, 2, 3, [])
    const { cause, also, foiled } = electionIn(made.story)
    expect([cause, ...also].map(({ type }) => type)).toEqual(['killed', 'transfer'])
    expect(foiled).toMatchObject({ nodeId: 3 })
  })

  test('names the vote that the leader lost first, where it told another node to lead and stepped down', () => {
    const made = new MadeStory().begins().tell(2000, 1, { ...isDeposed, term: 1, reason: 'removed' })
    made
      .tell(2001, 3, { ...candidate, ...isTold })
      .tell(2002, 3, { type: 'killed' })
      .elects(2700, 2, 3, [])
    const { cause, also, foiled } = electionIn(made.story)
    expect([cause, ...also].map(({ type }) => type)).toEqual(['removed', 'transfer'])
    expect(foiled).toMatchObject({ nodeId: 3, causes: [{ type: 'killed' }] })
  })

  test('is told the same way where somebody had asked the node to campaign', () => {
    const made = new MadeStory().begins().tell(2000, 3, { ...candidate, reason: 'campaign' })
    made
      .tell(2010, 1, { ...isDeposed, ...byTerm })
      .tell(2012, 3, { type: 'killed' })
      .elects(2700, 2, 3, [1])
    expect(electionIn(made.story)).toMatchObject({
      cause: { type: 'asked', nodeId: 3 },
      foiled: { nodeId: 3, causes: [{ type: 'killed', nodeId: 3 }] },
    })
  })

  test('is none of a hand-over that the leader survived for long', () => {
    const made = new MadeStory()
      .begins()
      .tell(1000, 3, { ...candidate, ...isTold })
      .tell(1001, 3, { type: 'killed' })
    made.tell(4000, 1, { type: 'killed' }).elects(4700, 2, 3, [])
    expect(electionIn(made.story)).toMatchObject({ cause: { type: 'killed', nodeId: 1 }, foiled: undefined })
  })

  test('counts the campaign of a node that won no election of its term until somebody led', () => {
    const made = handedOver().tell(2012, 3, { type: 'killed' }).elects(2700, 2, 3, [1]).askedAt(9000)
    const election = electionIn(made.story, 2)
    expect(election).toMatchObject({
      winnerId: undefined,
      failedCampaigns: 1,
      leaderlessMs: 700,
      isOver: true,
    })
    expect(election).toMatchObject({
      cause: { type: 'transfer', to: 3 },
      absent: [{ type: 'killed', nodeId: 3 }],
    })
    expect(explain(made.story, { about: 'election', term: 2 }).words).toContain(
      'No majority had a leader for 700 ms',
    )
  })
})

test('a hand-over in vain is why a simulated cluster elected another leader', () => {
  const cluster = new SimulatedCluster({ seed: 1, nodes: 5 })
  const { id: leaderId } = cluster.awaitLeader()
  const to = cluster.nodeIds.find((id) => id !== leaderId) ?? 0
  const others = cluster.nodeIds.filter((id) => id !== to)
  const ofNode = others.map((other) => ({ from: to, to: other }))
  const { id: faultId } = cluster.faults.begin({
    type: 'cut',
    ways: ofNode,
    messages: 'requestVote',
  }).standing
  cluster.members.handOver(leaderId, to, 10_000, () => undefined)
  cluster.until(() => cluster.node(to).state?.role === 'candidate')
  cluster.run(cluster.members.electionTimeoutMs / 3)
  cluster.stop(to, 'kill')
  cluster.until(() => cluster.leader !== undefined && cluster.leader.state?.currentTerm !== 1)
  const election = electionIn(cluster.story())
  expect(election).toMatchObject({ cause: { type: 'transfer', nodeId: leaderId, to }, also: [] })
  expect(election.foiled).toMatchObject({ nodeId: to, causes: [{ faultId }, { type: 'killed', nodeId: to }] })
})
