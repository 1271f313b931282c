import { describe, expect, test } from 'vitest'
import { picture } from '../../src/explain/index.js'
import { links, MadeStory } from './made-story.js'

const golden = new URL('../../../test/explain/golden/', import.meta.url).pathname

/** Node 1 is killed, and node 2 wins; its first question to node 1 is lost. */
function election(): MadeStory {
  const made = new MadeStory().begins()
  made.breaks(1000, { type: 'cut', line: 'cut 1->2 <odd> & "so"', nodes: [1, 2], ways: links(1, 2) }, 1500)
  for (let atMs = 700, round = 1; atMs < 2000; atMs += 100, round++) {
    for (const to of [2, 3]) {
      made.carries(atMs, 1, to, { type: 'heartbeat', term: 1, mark: round }, atMs + 0.5)
      made.carries(
        atMs + 0.6,
        to,
        1,
        { type: 'heartbeatResponse', term: 1, mark: round, isYes: true },
        atMs + 1,
      )
    }
  }
  made.tell(2000, 1, { type: 'killed' })
  made.carries(2592.1, 2, 1, { type: 'preVote', term: 1, mark: 7 })
  made.carries(2592.1, 2, 3, { type: 'preVote', term: 1, mark: 7 }, 2594)
  made.carries(2595, 3, 2, { type: 'preVoteResponse', term: 1, mark: 7, isYes: true }, 2595.9)
  made.elects(2600, 2, 2, [3])
  made.carries(2600.1, 2, 3, { type: 'appendEntries', term: 2, mark: 1 }, 2601)
  return made.tell(3500, 2, { type: 'leaseHeld', term: 2 })
}

describe('a picture', () => {
  test('is the one of the latest election', async () => {
    await expect(picture(election().story)).toMatchFileSnapshot(`${golden}election.svg`)
  })

  test('is well-formed, whatever the story holds', () => {
    const made = election().tell(2001, 3, { type: 'failed', why: 'a \u0000 b \ud800 </svg><script> & "c"' })
    const svg = picture(made.story, { fromMs: 0 })
    expect(openedWithoutEnd(svg)).toEqual([])
    for (const forbidden of ['<script', '\u0000', '\ud800']) expect(svg).not.toContain(forbidden)
    expect(svg).toContain('cut 1-&gt;2 &lt;odd&gt; &amp; &quot;so&quot;')
  })

  test('has a line a node, an arrow a message, and a cross where one is lost', () => {
    const svg = picture(election().story)
    for (const nodeId of [1, 2, 3]) expect(svg).toContain(`>node ${nodeId}</text>`)
    expect(svg).toContain('node 2 to node 3: preVote, term 1, mark 7; 1.9 ms')
    expect(svg).toContain('node 2 to node 1: preVote, term 1, mark 7; lost')
    expect(svg.match(/; lost/g)?.length).toBe(1)
  })

  test('does not call lost what the receiver may have taken: its rows are no longer kept, or the story ends', () => {
    const made = new MadeStory().begins()
    made.carries(1000, 1, 2, { type: 'heartbeat', term: 1, mark: 1 })
    made.carries(1100, 1, 2, { type: 'heartbeat', term: 1, mark: 2 }, 1101)
    made.carries(1850, 1, 2, { type: 'heartbeat', term: 1, mark: 3 })
    made.carries(1500, 1, 3, { type: 'heartbeat', term: 1, mark: 3 })
    made.tell(1150, 2, { type: 'paused' })
    made
      .carries(1200, 1, 2, { type: 'preVote', term: 1, mark: 5 })
      .tell(1900, 1, { type: 'leaseHeld', term: 1 })
    expect(picture(made.story, { fromMs: 900 })).not.toContain('; lost')
  })

  test('does not call an answer lost whose arrival is no longer kept, though older heartbeats are', () => {
    const made = new MadeStory().begins()
    made.carries(1000, 2, 1, { type: 'heartbeatResponse', term: 1, mark: 1, isYes: true }, 1001)
    made.carries(1100, 2, 1, { type: 'appendEntriesResponse', term: 1, mark: 5, isYes: true })
    made.carries(1200, 2, 1, { type: 'appendEntriesResponse', term: 1, mark: 6, isYes: true }, 1201)
    made.carries(1300, 2, 1, { type: 'appendEntriesResponse', term: 1, mark: 7, isYes: true })
    made.tell(1900, 1, { type: 'leaseHeld', term: 1 })
    const lost = picture(made.story, { fromMs: 900 }).match(/mark \d; lost/g)
    expect(lost).toEqual(['mark 7; lost'])
  })

  test('numbers each change of role, and tells it with its reason', () => {
    const svg = picture(election().story)
    expect(svg).toContain('>node 2 starts a pre-vote for term 2: no heartbeat for 600 ms</text>')
    expect(svg).toContain('>node 2 leads term 2: nodes 2 and 3 voted for it</text>')
  })

  test('shows only its window', () => {
    const svg = picture(election().story, { fromMs: 900, toMs: 1600 })
    expect(svg).toContain('From 900 ms to 1600 ms of the story')
    expect(svg).not.toContain('preVote')
    expect(svg).toContain('cut 1-&gt;2')
    expect(() => picture(election().story, { fromMs: 900, toMs: 900 })).toThrow(
      "the picture's window is empty; the story lasts 3500 ms from its first moment",
    )
  })

  test('of thousands of messages leaves heartbeats out first, and says so', () => {
    const made = election()
    for (let mark = 1; mark <= 2000; mark++) {
      made.carries(2000 + mark / 4, 3, 2, { type: 'heartbeat', term: 1, mark: 100 + mark }, 2000.2 + mark / 4)
    }
    const svg = picture(made.story)
    expect(svg).toMatch(/; \d+ heartbeats and entries on their way are not drawn/)
    expect(svg.match(/<polygon/g)?.length).toBe(3)
    expect(svg.length).toBeLessThan(600_000)
  })

  test('leaves out labels that would cover others', () => {
    const made = new MadeStory().begins()
    for (let mark = 1; mark <= 300; mark++) {
      made.carries(1000 + mark, 1, 2, { type: 'appendEntries', term: 1, mark }, 1000.5 + mark)
    }
    const labels = [
      ...picture(made.story, { fromMs: 900 }).matchAll(
        /<text x="([\d.]+)" y="([\d.]+)"[^>]*>AppendEntries</g,
      ),
    ]
    expect(labels.length).toBeGreaterThan(20)
    const places = labels.map(([, x, y]) => ({ x: Number(x), y: Number(y) }))
    for (const [at, one] of places.entries()) {
      const others = places.slice(at + 1)
      expect(others.filter(({ x, y }) => Math.abs(x - one.x) < 60 && Math.abs(y - one.y) < 10)).toEqual([])
    }
  })

  test('gives moments that stand close room beside each other', () => {
    const svg = picture(election().story)
    const [sent, taken] = [
      /preVote, term 1, mark 7; 1.9 ms<\/title><line x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"/.exec(svg),
    ]
      .flatMap((found) => found?.slice(1) ?? [])
      .map(Number)
    expect((taken ?? 0) - (sent ?? 0)).toBeGreaterThan(8)
  })
})

/** Elements that end in another order than they begin, or not at all. */
function openedWithoutEnd(svg: string): string[] {
  const open: string[] = []
  for (const [, end, name = '', isEmpty] of svg.matchAll(
    /<(\/?)([a-zA-Z]+)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/g,
  )) {
    if (isEmpty === '/') continue
    if (end !== '/') open.push(name)
    else if (open.pop() !== name) return [...open, name]
  }
  const left = svg.replaceAll(/<(\/?)([a-zA-Z]+)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/g, '')
  return left.includes('<') ? [...open, 'something that is no element'] : open
}
