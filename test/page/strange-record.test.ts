/** Records that a stranger changed: each is refused by its line, or all that the page makes of it makes sense. */
import { describe, expect, test } from 'vitest'
import { StoryWriter } from '../../src/explain/index.js'
import type { Frame } from '../../src/observer/index.js'
import { feedKinds, kindOf, linesOf, lostIn } from '../../src/page/feed-lines.js'
import { Flights } from '../../src/page/flights.js'
import { waysHit, wordsOfWay } from '../../src/page/link-look.js'
import { spansOf } from '../../src/page/log-spans.js'
import { firstWindow } from '../../src/page/log-window.js'
import { configurationIn, memberRows } from '../../src/page/member-list.js'
import { momentsOf } from '../../src/page/moments.js'
import { lookOf } from '../../src/page/node-look.js'
import { BadRecord, type Recorded } from '../../src/page/record.js'
import { seriesOf } from '../../src/page/series.js'
import { reignsOf } from '../../src/page/term-strip.js'
import { describeHappened, type FaultTold, type Happening } from '../../src/telemetry/index.js'
import { MadeStory } from '../explain/made-story.js'
import { madeFrame, madeNode } from './made-frames.js'
import { readText } from './read-text.js'

const membership = { voters: [1, 2], votersOutgoing: [1], learners: [3] }

const fault: FaultTold = {
  ...{ id: 1, type: 'delay', line: 'delay 1->*', nodes: [1], messages: 'appendEntries' },
  ...{ ways: [{ from: 1, to: 'clients' }], figures: { delayMs: 0.5 } },
}

const frame: Frame = madeFrame(3, 200, {
  leaderId: 2,
  membership: { index: 4, membership, isCommitted: false, transferTo: 2 },
  nodes: [
    madeNode(1, { state: 'failed', failure: 'disk full', terms: [{ firstIndex: 1, term: 1 }] }),
    madeNode(2, {
      ...{ role: 'leader', votes: [2], lastIndex: 9, commitIndex: 3, electionLeftMs: 4, commandsApplied: 2 },
      progress: [{ nodeId: 1, nextIndex: 8, matchIndex: 7, bytesInFlight: 0, isSnapshotSent: false }],
    }),
  ],
  faults: [{ ...fault, sinceMs: 150.5, untilMs: 300 }],
  messages: [
    { id: 7, from: 2, to: 1, type: 'appendEntries', term: 2, mark: 1, isYes: undefined, sentAtMs: 190 },
    { id: 8, from: 1, to: 2, type: 'requestVoteResponse', term: 2, mark: 1, isYes: true, sentAtMs: 191 },
  ],
  arrivals: [{ id: 7, atMs: 191 }],
})

const role = { type: 'role', role: 'follower', term: 2, leaderId: undefined } as const
const vote = { type: 'voteAnswered', candidateId: 2, term: 2, isPreVote: false } as const

const happenings = [
  { ...role, reason: 'quorumLost', elapsedTicks: 3 },
  { ...role, role: 'leader', leaderId: 1, reason: 'electionWon', decidedBy: [1, 2] },
  { ...role, leaderId: 2, reason: 'leaderDiscovered', from: 2, messageType: 'appendEntries' },
  { ...role, reason: 'removed' },
  { ...vote, voteGranted: false, reason: 'logBehind' },
  { type: 'messageDropped', from: 2, reason: 'neverAsked' },
  { type: 'snapshotSending', to: 2, index: 7 },
  { type: 'snapshotInstalling', from: 2, index: 7 },
  { type: 'membership', index: 4, membership, isCommitted: true },
  { type: 'transferBegan', to: 2 },
  { type: 'transferEnded', to: 2, isDone: true },
  { type: 'started', lastIndex: 7, snapshotIndex: 0 },
  { type: 'killed' },
  { type: 'removed' },
  { type: 'failed', why: 'disk full' },
  { type: 'paused' },
  { type: 'resumed', afterMs: 800.4 },
  { type: 'heartbeatMissed', from: 2, silentMs: 260 },
  { type: 'threadStood', forMs: 310 },
  { type: 'leaseHeld', term: 3 },
  { type: 'leaseLost', term: 3 },
  { type: 'flushLate', sinceMs: 260 },
  { type: 'flushEnded', afterMs: 400 },
  { type: 'commitLate', index: 9, sinceMs: 260 },
  { type: 'commitEnded', index: 9, afterMs: 400 },
  { type: 'overloaded', refused: 20 },
  { type: 'repeated', times: 30 },
  { type: 'missed', count: 12 },
  { type: 'hostBlocked', forMs: 90 },
  { type: 'faultBegan', fault },
  { type: 'faultHealed', fault, by: 'verb' },
] as const satisfies readonly Happening[]

/** Of each type of happening there is one. */
true satisfies Happening['type'] extends (typeof happenings)[number]['type'] ? true : false

const [head = ''] = new StoryWriter().newIn(new MadeStory().story)

const strange = [undefined, null, '', 'x', 'toString', [], {}, [{}], true, 1e300, -1, 0.5]

describe('of a record that a stranger changed', () => {
  test('a frame is refused by its line, or shown', async () => {
    show(await readText(`${head}\n${JSON.stringify({ frame })}`))
    for (const [path, value] of changesOf(frame)) {
      const outcome = await outcomeOf({ frame: spoilt(frame, path, value) })
      if (outcome instanceof BadRecord) expect(outcome.message).toMatch(/^run\.jsonl, line 2: it/)
      else show(outcome)
    }
  })

  test.each(happenings)('a happening of type $type is refused by its line, or told', async (happening) => {
    const happened = { ...happening, sequence: 1, atMs: 1, nodeId: 1, cause: 1 }
    tell(await readText(`${head}\n${JSON.stringify({ happened })}`))
    for (const [path, value] of changesOf(happened)) {
      const outcome = await outcomeOf({ happened: spoilt(happened, path, value) })
      if (outcome instanceof BadRecord) expect(outcome.message).toMatch(/^run\.jsonl, line 2: it/)
      else tell(outcome)
    }
  })
})

async function outcomeOf(line: object): Promise<Recorded | BadRecord> {
  try {
    return await readText(`${head}\n${JSON.stringify(line)}\n`)
  } catch (error) {
    if (error instanceof BadRecord) return error
    throw error
  }
}

const senseless = /undefined|NaN|\[object/

/** Makes of the frames what the page draws. */
function show({ frames }: Recorded): void {
  const flights = new Flights()
  for (const each of frames) {
    for (const node of each.nodes) {
      expect(lookOf(node, each).words).not.toMatch(senseless)
      spansOf(node, firstWindow, 500)
    }
    for (const way of waysHit(each).values()) expect(wordsOfWay(way)).not.toMatch(senseless)
    expect(configurationIn(each).words).not.toMatch(senseless)
    memberRows(each)
    flights.take(each, each.atMs, () => 0)
    flights.passings(each.atMs)
  }
  expect(frames).toHaveLength(1)
  seriesOf(frames, { fromMs: 0, toMs: 1000 }, 10)
  reignsOf(frames)
}

/** Makes of the happenings what the feed and the strip show. */
function tell({ story: { happened, tickMs } }: Recorded): void {
  expect(happened).toHaveLength(1)
  for (const each of happened) {
    expect(describeHappened(each, tickMs)).not.toMatch(senseless)
    expect(feedKinds).toContain(kindOf(each))
  }
  linesOf(happened, { nodeId: 2, hidden: new Set() })
  expect(String(lostIn(happened))).not.toMatch(senseless)
  momentsOf(happened, undefined)
}

type Path = readonly string[]

/** Each field with each of the strange values. */
function changesOf(value: object): [Path, unknown][] {
  return pathsIn(value).flatMap((path) => strange.map((each): [Path, unknown] => [path, each]))
}

/** Of a value: itself, and all that it holds. */
function pathsIn(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return [[]]
  const inner = Object.entries(value).flatMap(([name, each]) => pathsIn(each).map((path) => [name, ...path]))
  return [[], ...inner]
}

function spoilt(value: unknown, [name, ...rest]: Path, spoiling: unknown): unknown {
  if (name === undefined) return spoiling
  const copy = structuredClone(value) as Record<string, unknown>
  copy[name] = spoilt(copy[name], rest, spoiling)
  return copy
}
