import { describe, expect, test } from 'vitest'
import { explain, type Question } from '../../src/explain/index.js'
import { links, MadeStory } from './made-story.js'

const golden = new URL('../../../test/explain/golden/', import.meta.url).pathname

/** Node 1 is killed under load; node 3 asks in vain for its votes, and node 2 wins. */
function killed(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2)
  const between = { nodes: [2, 3], ways: links(2, 3), figures: { delayMs: 5 } }
  made.breaks(1900, { type: 'delay', line: 'delay 2-3 5ms', ...between })
  made.breaks(2000, { type: 'kill', line: 'kill 1 for 2s', nodes: [1] }, 4000)
  made.tell(2000, 1, { type: 'killed' })
  made.asks(2570, 3, 2).answers(2572, 2, 3, 2, true, 'logBehind')
  return made.elects(2600, 2, 2, [3]).commits(2, 2620, 3000, 70)
}

/** A leader that its followers' answers do not reach gives up. */
function gaveUp(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1390, 2)
  const ways = [2, 3].map((from) => ({ from, to: 1 }))
  made.breaks(1400, { type: 'cut', line: 'cut *->1', nodes: [1, 2, 3], ways })
  made.answers(1900, 3, 2, 2, true, 'leaderMayBeAlive').givesUp(2000, 1, 1, 'quorumLost')
  return made.elects(2600, 2, 2, [3]).passes(2610, 2, 'committed', 40)
}

/** A leader that gave up, since its followers' answers did not reach it, is elected again. */
function wonAgain(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1390, 2)
  const ways = [2, 3].map((from) => ({ from, to: 1 }))
  made.breaks(1400, { type: 'cut', line: 'cut *->1', nodes: [1, 2, 3], ways }, 2100)
  return made.givesUp(2000, 1, 1, 'quorumLost').elects(2800, 1, 2, [3], 800)
}

/** A command over node 3, whose disk takes longest. */
function oneCommand(): MadeStory {
  const made = new MadeStory()
    .passes(0, 1, 'appended', 9)
    .passes(0, 2, 'flushed', 9)
    .passes(0, 3, 'flushed', 9)
  made.passes(100, 1, 'appended', 10).passes(100.2, 1, 'sent', 10, 2).passes(100.3, 1, 'sent', 10, 3)
  made.passes(100.5, 3, 'received', 10, 1).passes(101, 1, 'flushed', 10).passes(112.5, 3, 'flushed', 10)
  made.passes(113, 1, 'acknowledged', 10, 3).passes(113.1, 1, 'committed', 10)
  return made.passes(113.3, 1, 'applied', 10).passes(113.4, 1, 'answered', 10).passes(200, 3, 'committed', 10)
}

/** Both followers are away, each in its own way, and requests are turned away. */
function withoutMajority(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2)
  made.tell(2000, 2, { type: 'paused' }).tell(2000, 3, { type: 'killed' })
  made.passes(2010, 1, 'appended', 80).tell(2400, 1, { type: 'overloaded', refused: 12 })
  return made.tell(2900, 2, { type: 'resumed', afterMs: 900 }).passes(2950, 1, 'committed', 80)
}

/** The disks of both followers hold back all commits, and nothing has come since. */
function lost(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2).passes(2010, 1, 'appended', 80)
  made.breaks(2005, { type: 'stallDisk', line: 'stall-disk followers', nodes: [2, 3] })
  return made.tell(3600, 1, { type: 'commitLate', index: 80, sinceMs: 1590 })
}

/** A fault that harms nobody. */
function harmless(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1500, 2)
  made.breaks(1200, { type: 'cut', line: 'cut 2-3', nodes: [2, 3], ways: links(2, 3) })
  return made.passes(1600, 1, 'committed', 60)
}

/** A leader that was frozen for a moment, and whose thread noticed it afterwards. */
function frozen(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2).tell(2000, 1, { type: 'paused' })
  const { sequence } = made.story.happened.at(-1) ?? { sequence: 0 }
  made.tell(2400, 1, { type: 'threadStood', forMs: 390 }, sequence)
  return made.tell(2401, 1, { type: 'resumed', afterMs: 401 }, sequence).commits(1, 2410, 2500, 70)
}

/** Nobody wins, since two of three nodes are down. */
function leaderless(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2)
  for (const nodeId of [1, 3]) made.tell(2000, nodeId, { type: 'killed' })
  for (const atMs of [2600, 3300, 4000]) made.asks(atMs, 2, 2)
  return made
}

/** A node that is cut off asks for votes, and the others follow their leader. */
function inVain(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2)
  made.breaks(2000, { type: 'isolate', line: 'isolate 3', nodes: [3], ways: links(3, 1, 2) })
  for (const atMs of [2600, 3300]) made.asks(atMs, 3, 2)
  return made.commits(1, 2000, 4900, 130)
}

const explained: readonly [name: string, made: MadeStory, question: Question][] = [
  ['election-first', killed(), { about: 'election', term: 1 }],
  ['election-killed', killed(), { about: 'election' }],
  ['election-gave-up', gaveUp(), { about: 'election' }],
  ['election-won-again', wonAgain(), { about: 'election' }],
  ['election-not-won', leaderless(), { about: 'election' }],
  ['election-in-vain', inVain(), { about: 'election', term: 2 }],
  ['election-not-told', killed(), { about: 'election', term: 7 }],
  ['index', oneCommand(), { about: 'index', index: 10 }],
  ['stall-no-leader', killed(), { about: 'stall' }],
  ['stall-no-majority', withoutMajority(), { about: 'stall' }],
  ['last-election', killed(), { about: 'last' }],
  ['last-gave-up', gaveUp(), { about: 'last' }],
  ['last-not-won', leaderless(), { about: 'last' }],
  ['last-fault', harmless(), { about: 'last' }],
  ['last-frozen', frozen(), { about: 'last' }],
  ['last-overload', withoutMajority(), { about: 'last' }],
  ['last-stall', lost(), { about: 'last' }],
]

describe('an explanation in words', () => {
  test.each(explained)('reads like %s.txt', async (name, made, question) => {
    await expect(`${explain(made.story, question).words}\n`).toMatchFileSnapshot(`${golden}${name}.txt`)
  })

  test('shows foreign text without what a terminal would obey', () => {
    const made = new MadeStory().begins()
    made.breaks(1990, { type: 'failDisk', line: 'fail\u001b[2J\ndisk', nodes: [1] })
    made.tell(2000, 1, { type: 'failed', why: 'disk\nNode 3 won.\u202e' })
    const before = explain(made.story, { about: 'last' }).words
    const after = explain(made.elects(2600, 2, 2, [3]).story, { about: 'election' }).words
    for (const words of [before, after])
      expect(words).not.toMatch(/[\p{Cc}\p{Bidi_Control}](?<!\n)|^Node 3 won/mu)
    expect(before).toContain('disk\ufffdNode 3 won.\ufffd')
    expect(after).toContain('(fail\ufffd[2J\ufffddisk)')
  })

  test('names each cause', async () => {
    const fault = (type: string, more: object = {}) => ({
      type,
      line: `${type} 1`,
      nodes: [1, 2, 3],
      ...more,
    })
    const ways = links(1, 2, 3)
    const breaks: ((made: MadeStory) => void)[] = [
      (made) => made.breaks(2000, fault('isolate', { ways })),
      (made) => made.breaks(2000, fault('skew', { figures: { drift: -0.99 } })),
      (made) => made.tell(2000, 1, { type: 'failed', why: 'disk full' }),
      (made) => made.tell(2000, 1, { type: 'paused' }).tell(2590, 1, { type: 'resumed', afterMs: 590 }),
      (made) => made.tell(2590, 1, { type: 'threadStood', forMs: 590 }),
      (made) => made.tell(1600, 1, { type: 'flushLate', sinceMs: 250 }).givesUp(2000, 1, 1, 'diskStalled'),
      (made) => {
        made.breaks(1300, fault('stallDisk'))
        made.givesUp(2000, 1, 1, 'diskStalled')
      },
      (made) => {
        made.tell(2590, 0, { type: 'hostBlocked', forMs: 590 })
        made.tell(2590, 1, { type: 'threadStood', forMs: 580 })
      },
      (made) => made.tell(2000, 1, { type: 'removed' }),
      (made) => {
        const told = { reason: 'higherTerm', from: 3, messageType: 'appendEntriesResponse' } as const
        made.tell(2000, 1, { type: 'role', role: 'follower', term: 2, leaderId: undefined, ...told })
      },
      () => undefined,
    ]
    const lines = breaks.map((each) => {
      const made = new MadeStory().begins()
      each(made)
      const { words } = explain(made.elects(2600, 2, 2, [3]).story, { about: 'election' })
      return words.split('\n')[1]
    })
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`${golden}causes.txt`)
  })
})
