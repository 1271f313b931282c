import { describe, expect, test } from 'vitest'
import { type CommandWay, explain, explainIndex } from '../../src/explain/index.js'
import type { Story } from '../../src/telemetry/index.js'
import { MadeStory } from './made-story.js'

function wayOf(story: Story, index: number): CommandWay {
  const explained = explainIndex(story, index)
  if (explained.type !== 'command') throw new Error(explained.why)
  return explained
}

/** Node 1 takes commands 10 to 12 in one batch, and node 2 is slower than node 3. */
function replicated(): MadeStory {
  const made = new MadeStory()
  for (const nodeId of [1, 2, 3]) made.passes(0, nodeId, 'flushed', 9)
  made.passes(0, 1, 'appended', 9).passes(100, 1, 'appended', 12)
  made.passes(100.2, 1, 'sent', 12, 2).passes(100.3, 1, 'sent', 12, 3)
  made.passes(100.5, 3, 'received', 12, 1).passes(100.9, 2, 'received', 12, 1)
  made.passes(102.5, 3, 'flushed', 12).passes(103, 1, 'acknowledged', 12, 3)
  made.passes(101, 1, 'flushed', 12).passes(103.1, 1, 'committed', 12)
  made.passes(103.3, 1, 'applied', 12).passes(103.4, 1, 'answered', 12)
  made.passes(140, 2, 'flushed', 12).passes(141, 1, 'acknowledged', 12, 2)
  return made.passes(200, 2, 'committed', 12).passes(200, 3, 'committed', 12)
}

describe('the way of a command', () => {
  test('goes through all stages on all nodes, in the order of time', () => {
    const way = wayOf(replicated().story, 11)
    expect(way.leaderId).toBe(1)
    expect(way.steps.map(({ nodeId, stage, peer }) => `${nodeId} ${stage}${peer ? ` ${peer}` : ''}`)).toEqual(
      [
        '1 appended',
        '1 sent 2',
        '1 sent 3',
        '3 received 1',
        '2 received 1',
        '1 flushed',
        '3 flushed',
        '1 acknowledged 3',
        '1 committed',
        '1 applied',
        '1 answered',
        '2 flushed',
        '1 acknowledged 2',
        '2 committed',
        '3 committed',
      ],
    )
  })

  test('is decided by the follower that made the majority, and its slowest part is named', () => {
    const way = wayOf(replicated().story, 10)
    expect(way.decidedBy).toBe(3)
    expect(way.parts.map(({ from, to }) => `${from.stage} ${to.stage}`)).toEqual([
      'appended sent',
      'sent received',
      'received flushed',
      'flushed acknowledged',
      'acknowledged committed',
      'committed applied',
      'applied answered',
    ])
    expect(way.slowest).toMatchObject({
      from: { stage: 'received', nodeId: 3 },
      to: { stage: 'flushed' },
      tookMs: 2,
    })
  })

  test("is decided by the leader's own disk where that comes last", () => {
    const made = new MadeStory().passes(0, 1, 'appended', 9).passes(0, 2, 'flushed', 9)
    made.passes(100, 1, 'appended', 10).passes(100.1, 1, 'sent', 10, 2).passes(101, 2, 'flushed', 10)
    made.passes(102, 1, 'acknowledged', 10, 2).passes(180, 1, 'flushed', 10).passes(180.1, 1, 'committed', 10)
    const way = wayOf(made.story, 10)
    expect(way.decidedBy).toBe(1)
    expect(way.slowest).toMatchObject({
      from: { stage: 'appended' },
      to: { stage: 'flushed', nodeId: 1 },
      tookMs: 80,
    })
  })

  test('is decided by voters: a learner that has it sooner does not count', () => {
    const made = new MadeStory(4)
    const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [4] }
    made.tell(0, 1, { type: 'membership', index: 8, membership, isCommitted: true })
    for (const nodeId of [1, 2, 3, 4]) made.passes(0, nodeId, 'flushed', 9)
    made.passes(0, 1, 'appended', 9).passes(100, 1, 'appended', 10).passes(100.2, 1, 'sent', 10, 2)
    made.passes(100.2, 1, 'sent', 10, 4).passes(101, 1, 'flushed', 10).passes(102, 1, 'acknowledged', 10, 4)
    made.passes(130, 2, 'flushed', 10).passes(131, 1, 'acknowledged', 10, 2)
    made.passes(131.1, 1, 'acknowledged', 10, 4).passes(131.2, 1, 'committed', 10)
    expect(wayOf(made.story, 10)).toMatchObject({ decidedBy: 2, slowest: { to: { stage: 'flushed' } } })
  })

  test('is decided by the promise that completes the majority, not by the last one before the commit', () => {
    const made = replicated().passes(103.05, 1, 'acknowledged', 12, 2)
    expect(wayOf(made.story, 11).decidedBy).toBe(3)
  })

  test('tells the leader of a later term that committed it, and nothing of a majority of the one before', () => {
    const made = new MadeStory().begins().passes(640, 1, 'flushed', 1).passes(1000, 1, 'appended', 2)
    made.passes(1001, 1, 'flushed', 2).passes(1001, 1, 'sent', 2, 2).passes(1002, 2, 'received', 2, 1)
    made.passes(1003, 2, 'flushed', 2).givesUp(1600, 1, 1, 'quorumLost').elects(2600, 2, 2, [3])
    made.passes(2601, 2, 'appended', 3).passes(2610, 2, 'acknowledged', 3, 3).passes(2611, 2, 'committed', 3)
    made.passes(4000, 1, 'committed', 3)
    const nothing = { decidedBy: undefined, parts: [], slowest: undefined }
    expect(wayOf(made.story, 2)).toMatchObject({
      leaderId: 1,
      committedBy: { nodeId: 2, term: 2 },
      ...nothing,
    })
    const { words } = explain(made.story, { about: 'index', index: 2 })
    expect(words.split('\n').at(-1)).toBe('Node 2 committed it, as leader of term 2.')
  })

  test('begins anew where another command had its index before', () => {
    const made = new MadeStory()
      .passes(0, 1, 'appended', 9)
      .passes(0, 2, 'flushed', 9)
      .passes(0, 3, 'flushed', 9)
    made.passes(100, 1, 'appended', 10).passes(101, 1, 'flushed', 10)
    made.passes(800, 2, 'appended', 10).passes(800.1, 2, 'sent', 10, 3).passes(801, 3, 'received', 10, 2)
    made
      .passes(802, 2, 'flushed', 10)
      .passes(802, 3, 'flushed', 10)
      .passes(802.5, 2, 'acknowledged', 10, 3)
      .passes(803, 2, 'committed', 10)
    made.passes(900, 1, 'received', 9, 2).passes(901, 1, 'received', 10, 2)
    const way = wayOf(made.story, 10)
    expect(way).toMatchObject({ leaderId: 2, lostAt: [1], decidedBy: 3 })
    expect(way.steps[0]).toMatchObject({ nodeId: 2, stage: 'appended' })
  })

  test('stays that of the leader that took it, when the next leader commits it', () => {
    const made = new MadeStory().passes(0, 1, 'appended', 9).passes(0, 2, 'received', 9, 1)
    made.passes(100, 1, 'appended', 10).passes(100.1, 1, 'sent', 10, 2).passes(101, 2, 'received', 10, 1)
    made.passes(0, 2, 'sent', 9, 3).passes(0, 3, 'received', 9, 2).passes(0, 2, 'answered', 9)
    made.passes(102, 2, 'flushed', 10).passes(800, 2, 'appended', 11).passes(800.1, 2, 'sent', 11, 3)
    made.passes(801, 3, 'received', 11, 2).passes(805, 2, 'committed', 11).passes(806, 2, 'answered', 12)
    const way = wayOf(made.story, 10)
    expect(way).toMatchObject({ leaderId: 1, lostAt: [], isCommitted: true })
    expect(way.steps.map(({ nodeId, stage }) => `${nodeId} ${stage}`)).toEqual([
      ...['1 appended', '1 sent', '2 received', '2 flushed', '2 sent', '3 received', '2 committed'],
    ])
  })

  test('is known from the first entry of a node that started with an empty log', () => {
    const made = new MadeStory().starts(0, 1).passes(700, 1, 'appended', 1).passes(701, 1, 'committed', 1)
    expect(wayOf(made.story, 1).steps[0]).toMatchObject({ atMs: 700, stage: 'appended' })
  })

  test('of the entry that opens a term has no answer', () => {
    const made = new MadeStory().begins().passes(621, 1, 'appended', 1).passes(623, 1, 'committed', 1)
    made.passes(700, 1, 'appended', 2).passes(702, 1, 'committed', 2).passes(703, 1, 'answered', 2)
    const [opening, command] = [wayOf(made.story, 1), wayOf(made.story, 2)]
    expect(opening).toMatchObject({ isOpening: true })
    expect(opening.steps.map(({ stage }) => stage)).toEqual(['appended', 'received', 'received', 'committed'])
    expect(command).toMatchObject({ isOpening: false })
    expect(command.steps.map(({ stage }) => stage)).toEqual(['appended', 'committed', 'answered'])
  })

  test('names no slowest part where the first steps of its leader are no longer kept', () => {
    const made = new MadeStory().passes(90, 1, 'acknowledged', 9, 2).passes(90, 2, 'received', 9, 1)
    made.passes(100, 2, 'received', 10, 1).passes(150, 2, 'flushed', 10).passes(151, 1, 'acknowledged', 10, 2)
    made.passes(152, 1, 'committed', 10).passes(153, 1, 'applied', 10).passes(154, 1, 'answered', 10)
    expect(wayOf(made.story, 10)).toMatchObject({ leaderId: 1, parts: [], slowest: undefined })
    expect(explain(made.story, { about: 'index', index: 10 }).words.split('\n').at(-1)).toBe(
      'What node 1 did first is no longer kept, so that nobody can tell what took longest.',
    )
  })

  test('is not told where its rows are no longer kept', () => {
    const made = new MadeStory().starts(0, 1).passes(500, 1, 'committed', 4)
    made.passes(9000, 1, 'appended', 90_000).passes(9001, 1, 'committed', 90_000)
    expect(explainIndex(made.story, 5000)).toEqual({
      type: 'nothing',
      why: 'the way of index 5000 is no longer kept; what is kept begins at index 90000',
    })
  })

  test('is not told where no node has come to it', () => {
    expect(explainIndex(replicated().story, 13)).toEqual({
      type: 'nothing',
      why: 'no node has come to index 13 yet; the last one is 12',
    })
    expect(explainIndex(new MadeStory().story, 1)).toEqual({
      type: 'nothing',
      why: 'what is kept tells of no command',
    })
  })
})
