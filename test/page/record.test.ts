import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundsOf } from '../../src/explain/index.js'
import { type Frame, recordLines } from '../../src/observer/index.js'
import { BadRecord, readRecord } from '../../src/page/record.js'
import { MadeStory } from '../explain/made-story.js'
import { madeFrame, madeNode } from './made-frames.js'

const { story } = new MadeStory()
  .begins()
  .tell(900, 1, { type: 'killed' })
  .elects(1500, 2, 2, [3])
  .carries(1600, 2, 3, { type: 'heartbeat', term: 2, mark: 1 })

const frames = [
  madeFrame(1, 100),
  madeFrame(3, 200, {
    leaderId: undefined,
    nodes: [
      madeNode(1, { state: 'failed', failure: 'disk full — really', terms: [{ firstIndex: 1, term: 1 }] }),
    ],
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

function read(text: string | Uint8Array, cutEvery = 1 << 16): ReturnType<typeof readRecord> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += cutEvery)
        controller.enqueue(bytes.subarray(at, at + cutEvery))
      controller.close()
    },
  })
  return readRecord('run.jsonl', stream)
}

describe('a record', () => {
  test('is read back as it was written, however it comes in parts', async () => {
    const text = linesOf().join('\n')
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 * text.length }), fc.boolean(), async (cutEvery, ends) => {
        const recorded = await read(ends ? `${text}\n` : text, cutEvery)
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
        const recorded = await read(linesOf(made).join('\n'))
        expect(JSON.stringify(recorded.frames)).toBe(JSON.stringify(made))
      }),
      { seed: 1, numRuns: 30 },
    )
  })

  test('may be packed by gzip', async () => {
    const recorded = await read(gzipSync(linesOf().join('\n')))
    expect(recorded.frames).toEqual(frames)
  })

  test('that is cut off within a line is a shorter run', async () => {
    const text = linesOf().join('\n')
    expect((await read(text.slice(0, -5))).frames).toEqual(frames.slice(0, 1))
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
    await expect(read(text)).rejects.toThrow(message)
    await expect(read(text)).rejects.toThrow(BadRecord)
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
    await expect(read([...begun, line, ''].join('\n'))).rejects.toThrow(message)
  })

  test('has no endless line', async () => {
    const endless = `${begun.join('\n')}\n${'x'.repeat(5 << 20)}`
    await expect(read(endless)).rejects.toThrow('run.jsonl: it has a line of more than 4 MiB')
  })

  test('with a field that a stranger changed is refused by its line, or read', async () => {
    const values = fc.constantFrom(null, '', 'x', [], {}, [{}], true, 1e300, -1, 0.5)
    const paths = pathsIn(frames[1])
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), values, async (path, value) => {
        const text = [...begun, JSON.stringify({ frame: spoilt(frames[1], path, value) }), '']
        const outcome = await read(text.join('\n')).catch((error: unknown) => error)
        if (outcome instanceof Error) expect(outcome.message).toMatch(/^run\.jsonl, line 3: its frame/)
      }),
      { seed: 1, numRuns: 200 },
    )
  })
})

type Path = readonly string[]

function pathsIn(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return [[]]
  return Object.entries(value).flatMap(([name, inner]) => pathsIn(inner).map((path) => [name, ...path]))
}

function spoilt(value: unknown, [name, ...rest]: Path, spoiling: unknown): unknown {
  if (name === undefined) return spoiling
  const copy = structuredClone(value) as Record<string, unknown>
  copy[name] = spoilt(copy[name], rest, spoiling)
  return copy
}
