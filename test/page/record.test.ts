import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundsOf } from '../../src/explain/index.js'
import { type Frame, recordLines } from '../../src/observer/index.js'
import { BadRecord } from '../../src/page/record.js'
import { MadeStory } from '../explain/made-story.js'
import { madeFrame, madeNode } from './made-frames.js'
import { readText } from './read-text.js'

const { story } = new MadeStory()
  .begins()
  .tell(900, 1, { type: 'killed' })
  .elects(1500, 2, 2, [3])
  .carries(1600, 2, 3, { type: 'heartbeat', term: 2, mark: 1 })

const frames = [
  madeFrame(1, 100),
  madeFrame(3, 200, {
    leaderId: undefined,
    membership: {
      index: 4,
      membership: { voters: [1, 2], votersOutgoing: [1], learners: [3] },
      isCommitted: false,
      transferTo: 2,
    },
    nodes: [
      madeNode(1, { state: 'failed', failure: 'disk full — really', terms: [{ firstIndex: 1, term: 1 }] }),
      madeNode(2, {
        ...{ role: 'candidate', votes: [2], lastIndex: 9, commitIndex: 3 },
        progress: [{ nodeId: 3, nextIndex: 8, matchIndex: 7, bytesInFlight: 0, isSnapshotSent: false }],
      }),
    ],
    messages: [
      {
        ...{ id: 7, from: 2, to: 3, type: 'requestVoteResponse', term: 2, mark: 1 },
        ...{ isYes: true, sentAtMs: 190 },
      },
    ],
    arrivals: [{ id: 7, atMs: 191 }],
    faults: [
      {
        id: 1,
        type: 'cut',
        line: 'cut 1->*',
        nodes: [],
        ways: [{ from: 1, to: 'clients' }],
        messages: undefined,
        figures: { share: 0.5 },
        sinceMs: 150.5,
        untilMs: undefined,
      },
    ],
  }),
]

function linesOf(shown: readonly Frame[] = frames): string[] {
  return [
    ...recordLines(
      story,
      shown.map((frame) => ({ ...frame, text: JSON.stringify(frame) })),
    ),
  ]
}

/** The head and the first frame: lines 1 and 2 of a record that goes on. */
const begun = [linesOf()[0] ?? '', JSON.stringify({ frame: frames[0] })]

describe('a record', () => {
  test('is read back as it was written, however it comes in parts', async () => {
    const text = linesOf().join('\n')
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 * text.length }), fc.boolean(), async (cutEvery, ends) => {
        const recorded = await readText(ends ? `${text}\n` : text, cutEvery)
        expect(recorded.frames).toEqual(frames)
        expect(recorded.story).toEqual(story)
        const { heartbeatIntervalMs, electionTimeoutMs, tickMs } = story
        expect(recorded.head).toEqual({
          heartbeatIntervalMs,
          electionTimeoutMs,
          tickMs,
          beganMs: boundsOf(story)[0],
          run: 'run.jsonl',
          dir: 'run.jsonl',
        })
      }),
      { seed: 1, numRuns: 40 },
    )
  })

  test('of any figures is read back as it was written', async () => {
    const figures = fc.record({
      commitIndex: fc.nat(),
      electionLeftMs: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }),
      failure: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
      votes: fc.array(fc.integer({ min: 1, max: 25 })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(figures, { maxLength: 8 }), async (told) => {
        const made = told.map((each, at) => madeFrame(at + 1, at, { nodes: [madeNode(2, each)] }))
        const recorded = await readText(linesOf(made).join('\n'))
        expect(JSON.stringify(recorded.frames)).toBe(JSON.stringify(made))
      }),
      { seed: 1, numRuns: 30 },
    )
  })

  test('may be packed by gzip', async () => {
    const recorded = await readText(gzipSync(linesOf().join('\n')))
    expect(recorded.frames).toEqual(frames)
  })

  test('that is cut off within a line is a shorter run', async () => {
    const text = linesOf().join('\n')
    expect((await readText(text.slice(0, -5))).frames).toEqual(frames.slice(0, 1))
  })

  test.each([
    ['nothing', '', /^run\.jsonl: it is empty; give a run/],
    ['something else', 'hello', /^run\.jsonl, line 1: it is not JSON; give a run/],
    [
      'a frame before the head',
      JSON.stringify({ frame: frames[0] }),
      /line 1: it is not the head of a story/,
    ],
  ])('is not %s', async (_, text, message) => {
    await expect(readText(text)).rejects.toThrow(message)
    await expect(readText(text)).rejects.toThrow(BadRecord)
  })

  test.each([
    ['a broken line', '{"frame":{"number":1', /^run\.jsonl, line 3: it is not JSON; give a run/],
    ['a frame without nodes', '{"frame":{"number":9,"atMs":1}}', /line 3: its frame lacks a field/],
    [
      'a frame twice',
      JSON.stringify({ frame: frames[0] }),
      /line 3: its frame is not after the one before it/,
    ],
    ['an unknown line', '{"else":1}', /line 3: it tells neither what happened, nor/],
  ])('with %s is refused by its line', async (_, line, message) => {
    await expect(readText([...begun, line, ''].join('\n'))).rejects.toThrow(message)
  })

  test('has no endless line', async () => {
    const endless = `${begun.join('\n')}\n${'x'.repeat(5 << 20)}`
    await expect(readText(endless)).rejects.toThrow('run.jsonl: it has a line of more than 4 MiB')
  })
})
