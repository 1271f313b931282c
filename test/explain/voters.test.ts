/** The nodes that count as voters of an election, while members come and go. */
import { describe, expect, test } from 'vitest'
import { explain, explainElection, StoryReader, StoryWriter } from '../../src/explain/index.js'
import type { Configuration, NodeId } from '../../src/raft/index.js'
import { SimulatedCluster } from '../../src/sim/index.js'
import type { Story } from '../../src/telemetry/index.js'
import { MadeStory } from './made-story.js'

const of = (index: number, voters: readonly NodeId[], votersOutgoing: readonly NodeId[] = []) =>
  ({ index, membership: { voters, votersOutgoing, learners: [] } }) satisfies Configuration

const first = of(0, [1, 2, 3])
const none = of(0, [])

/** Nodes 1, 2 and 3 begin the cluster, whose leader is node 1. Of five nodes, two are added later. */
function ofThree(): MadeStory {
  const made = new MadeStory(5)
  for (const nodeId of [1, 2, 3]) made.starts(0, nodeId, first)
  return made.elects(620, 1, 1, [2, 3])
}

function goesBy(made: MadeStory, atMs: number, nodeId: NodeId, told: Configuration, isCommitted = false) {
  return made.tell(atMs, nodeId, { type: 'membership', ...told, isCommitted })
}

const wordsOf = (story: Story, about: 'election' | 'last' = 'election') => explain(story, { about }).words

describe('the voters of an election', () => {
  test('are not nodes that run and are no members yet', () => {
    const made = ofThree().tell(2000, 1, { type: 'killed' }).starts(2100, 4, none).starts(2101, 5, none)
    made.elects(2600, 2, 2, [3])
    goesBy(made, 3000, 2, of(9, [1, 2, 3, 4]))
    expect(wordsOf(made.story)).toContain('2 of 3 votes, its own among them, are a majority')
    expect(wordsOf(made.story, 'last')).toContain('2 of 3 nodes are more than half')
  })

  test('are those of the winner, whatever a leader that was cut off told its own log', () => {
    const made = ofThree()
    goesBy(made, 1900, 1, of(9, [1, 2, 3, 4, 5])).elects(2600, 2, 2, [3])
    expect(explainElection(made.story)).toMatchObject({ winnerId: 2, voters: [1, 2, 3], votersOutgoing: [] })
  })

  test('are those before and those after a change that is under way', () => {
    const made = ofThree().starts(800, 4, none).starts(801, 5, none)
    for (const nodeId of [1, 2, 3, 4, 5]) goesBy(made, 1900, nodeId, of(9, [3, 4, 5], [1, 2, 3]))
    made.tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3, 4])
    const counted =
      '2 of 3 votes before the change of the members and 2 of 3 after it, its own among them, are a majority of each'
    expect(wordsOf(made.story)).toContain(counted)
  })

  test('are asked why they were away by both halves of a change that is under way', () => {
    const made = ofThree().starts(800, 4, none)
    for (const nodeId of [1, 2, 3, 4]) goesBy(made, 1900, nodeId, of(9, [3, 4], [1, 2, 3]))
    made.tell(2000, 1, { type: 'killed' }).tell(2001, 2, { type: 'killed' }).asks(2600, 3, 2)
    const words = wordsOf(made.askedAt(4000).story)
    expect(words).toContain('No majority of 3 nodes before the change of the members and of the 2 after it')
    expect(words).toContain('Not there to vote: node 1 was killed')
  })

  test('are known from the head of a story that begins later', () => {
    const made = new MadeStory(5, 20).elects(2600, 2, 2, [3])
    const head = { ...made.story, configuration: of(4, [1, 2, 3]) }
    const reader = new StoryReader()
    for (const line of new StoryWriter().newIn(head)) reader.take(line)
    expect(wordsOf(reader.story as Story)).toContain('2 of 3 votes')
  })

  test('are the nodes that ran before the first campaign, in a story of an older raftbox', () => {
    const made = new MadeStory(5).starts(0, 1).starts(0, 2).starts(0, 3)
    made.elects(620, 1, 1, [2]).starts(800, 4).starts(801, 5)
    goesBy(made.tell(2000, 1, { type: 'killed' }).elects(2600, 2, 2, [3]), 3000, 2, of(9, [1, 2, 3, 4]))
    expect(wordsOf(made.story)).toContain('2 of 3 votes')
  })

  test('are the members of a simulated cluster, while a node that was added waits', () => {
    const cluster = new SimulatedCluster({ seed: 3, nodes: 3 })
    const { id } = cluster.awaitLeader()
    cluster.run(1000)
    cluster.stop(id, 'kill')
    cluster.changer.addNode()
    cluster.run(10_000)
    expect(cluster.leaderId).toBeDefined()
    expect(wordsOf(cluster.story())).toContain('2 of 3 votes')
  })
})
