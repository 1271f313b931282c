import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadStoryLine, explain, picture, StoryReader, StoryWriter } from '../../src/explain/index.js'
import type { Story } from '../../src/telemetry/index.js'
import { links, MadeStory } from './made-story.js'

function told(): MadeStory {
  const made = new MadeStory().begins().commits(1, 700, 1990, 2)
  made.breaks(1900, { type: 'cut', line: 'cut 1-2', nodes: [1, 2], ways: links(1, 2) }, 2500)
  made.carries(1950, 1, 2, { type: 'heartbeat', term: 1, mark: 3 })
  made.carries(1951, 1, 3, { type: 'heartbeat', term: 1, mark: 3 }, 1952)
  return made.tell(2000, 1, { type: 'failed', why: 'a disk\nof "two" <lines>' }).elects(2600, 2, 2, [3])
}

function read(lines: readonly string[]): Story {
  const reader = new StoryReader()
  for (const line of lines) reader.take(line)
  if (reader.story === undefined) throw new Error('there is no head')
  return reader.story
}

/** As JSON, so that a field that is not there and one that is undefined are the same. */
function plain(story: Story): unknown {
  return JSON.parse(JSON.stringify(story))
}

describe('a story as lines', () => {
  test('is the same story again', () => {
    const { story } = told()
    expect(plain(read([...new StoryWriter().newIn(story)]))).toEqual(plain(story))
  })

  test('that goes on is told piece by piece, each row once', () => {
    const { story } = told()
    const writer = new StoryWriter()
    const lines: string[] = []
    // Rows of the same moment come apart, and rows that were told are dropped from the rings.
    for (const until of [1, 700, 1951, 1952, 2599, 3000]) {
      const upTo = <Row extends { readonly atMs: number }>(rows: readonly Row[]): Row[] =>
        rows.filter(({ atMs }) => atMs <= until && atMs > until - 2000)
      const { happened, passed, carried } = story
      const part = { happened: upTo(happened), passed: upTo(passed), carried: upTo(carried) }
      lines.push(...writer.newIn({ ...story, ...part }))
    }
    expect(plain(read(lines))).toEqual(plain(story))
    expect([...writer.newIn(story)]).toEqual([])
  })

  test('tells rows of the same moment that come later', () => {
    const row = { atMs: 5, nodeId: 1, stage: 'appended', peer: undefined } as const
    const writer = new StoryWriter()
    const { story } = new MadeStory()
    Array.from(writer.newIn({ ...story, passed: [{ ...row, index: 1 }] }))
    const passed = [
      { ...row, index: 1 },
      { ...row, index: 2 },
    ]
    const lines = [...writer.newIn({ ...story, passed })]
    expect(lines).toEqual([JSON.stringify({ passed: { ...row, index: 2 } })])
  })

  test('tells messages that replicate also when heartbeats of a later moment were told before them', () => {
    const writer = new StoryWriter()
    const earlier = new MadeStory().carries(9, 1, 2, { type: 'appendEntries', term: 1, mark: 4 }).story
    const later = new MadeStory().carries(10, 1, 2, { type: 'heartbeat', term: 1, mark: 1 }).story
    Array.from(writer.newIn(later))
    const lines = Array.from(writer.newIn({ ...later, carried: [...earlier.carried, ...later.carried] }))
    expect(lines).toEqual(earlier.carried.map((carried) => JSON.stringify({ carried })))
  })

  test.each([
    ['nothing', /it is not JSON/],
    ['[]', /it is not an object/],
    ['{"recording":"raftbox","version":1}', /it is not the head of a story/],
    ['{"story":"raftbox","version":2}', /of version 2, and this raftbox reads 1/],
    ['{"story":"raftbox","version":1,"nodeIds":[]}', /does not tell the nodes and the times/],
    [
      '{"story":"raftbox","version":1,"nodeIds":[0],"heartbeatIntervalMs":1,"electionTimeoutMs":1,"tickMs":1}',
      /the nodes/,
    ],
  ])('does not begin with %s', (line, message) => {
    expect(() => new StoryReader().take(line)).toThrow(message)
  })

  test.each([
    ['{"else":1}', /neither what happened, nor/],
    ['{"happened":{"type":"role","sequence":1,"atMs":1,"nodeId":1}}', /lacks a field/],
    ['{"happened":{"type":"membership","sequence":1,"atMs":1,"nodeId":1}}', /lacks a field/],
    ['{"happened":{"type":"eaten","sequence":1,"atMs":1,"nodeId":1}}', /lacks a field/],
    ['{"happened":{"type":"toString","sequence":1,"atMs":1,"nodeId":1}}', /lacks a field/],
    [
      '{"happened":{"type":"role","reason":"toString","sequence":1,"atMs":1,"nodeId":1,"role":"leader","term":1}}',
      /lacks a field/,
    ],
    ['{"happened":{"type":"killed","sequence":-1,"atMs":1,"nodeId":1}}', /lacks a field/],
    ['{"happened":{"type":"faultBegan","sequence":1,"atMs":1,"nodeId":0,"fault":{"id":1}}}', /lacks a field/],
    ['{"passed":{"atMs":1,"nodeId":1,"stage":"eaten","index":1}}', /lacks a field/],
    [
      '{"carried":{"atMs":"1","nodeId":1,"direction":"sent","peer":2,"type":"heartbeat","term":1,"mark":1}}',
      /lacks/,
    ],
  ])('has no line %s', (line, message) => {
    const reader = new StoryReader()
    const [head = ''] = new StoryWriter().newIn(new MadeStory().story)
    reader.take(head)
    expect(() => reader.take(line)).toThrow(BadStoryLine)
    expect(() => reader.take(line)).toThrow(message)
  })

  test('whose fields were changed by a stranger is refused, or explained without an error', () => {
    const lines = [...new StoryWriter().newIn(told().story)]
    const values = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.constantFrom(null, '', 'x', [], {}, true, 1e300, -1),
    )
    const changed = fc.tuple(fc.nat(lines.length - 1), fc.nat(12), values)
    fc.assert(
      fc.property(changed, ([at, field, value]) => {
        const reader = new StoryReader()
        try {
          for (const [place, line] of lines.entries())
            reader.take(place === at ? spoilt(line, field, value) : line)
        } catch (error) {
          expect(error).toBeInstanceOf(BadStoryLine)
          return
        }
        const story = reader.story as Story
        for (const about of ['election', 'stall', 'last'] as const)
          expect(explain(story, { about }).words).not.toBe('')
        expect(explain(story, { about: 'index', index: 5 }).words).not.toBe('')
        expect(picture(story)).toContain('</svg>')
      }),
      { seed: 1, numRuns: 400 },
    )
  })
})

/** The line with another value in one of its fields. */
function spoilt(line: string, field: number, value: unknown): string {
  const object = JSON.parse(line) as Record<string, Record<string, unknown>>
  const [key = ''] = Object.keys(object)
  const inner = typeof object[key] === 'object' ? object[key] : (object as Record<string, unknown>)
  const names = Object.keys(inner)
  const name = names[field % names.length] ?? ''
  inner[name] = value
  return JSON.stringify(object)
}
