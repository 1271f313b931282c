/** The spans of a command, out of the stages that nodes told. */
import { expect, test } from 'vitest'
import type { Membership } from '../../src/raft/index.js'
import type { Stage } from '../../src/telemetry/index.js'
import { commandTrace, type EndedCall } from '../../src/traces/command-spans.js'
import type { Span } from '../../src/traces/span.js'
import { Tracks } from '../../src/traces/tracks.js'

type Row = readonly [nodeId: number, stage: Stage, peer: number, index: number, term: number, atMs: number]

function tracksOf(...rows: readonly Row[]): Tracks {
  const tracks = new Tracks()
  for (const row of [...rows].sort((a, b) => a[5] - b[5])) tracks.passed(...row)
  return tracks
}

/** A command at index 7 that node 1 leads, called at 10 and answered at 30. */
const call: EndedCall = { callers: undefined, calledAtMs: 10, endedAtMs: 30, index: 7, error: undefined }
const rows: readonly Row[] = [
  [1, 'appended', 0, 6, 1, 5],
  [1, 'appended', 0, 8, 1, 12],
  [1, 'sent', 2, 8, 1, 13],
  [1, 'sent', 3, 8, 1, 13],
  [2, 'received', 1, 8, 1, 15],
  [3, 'received', 1, 8, 1, 16],
  [1, 'flushed', 0, 8, 1, 17],
  [2, 'flushed', 0, 8, 1, 20],
  [1, 'acknowledged', 2, 8, 1, 22],
  [1, 'committed', 0, 8, 1, 23],
  [1, 'applied', 0, 8, 1, 24],
  [1, 'answered', 0, 8, 1, 25],
  [2, 'committed', 0, 8, 1, 28],
  [2, 'applied', 0, 8, 1, 29],
  [3, 'flushed', 0, 8, 1, 50],
  [1, 'acknowledged', 3, 8, 1, 60],
]

function told(spans: readonly Span[]): string[] {
  return spans.map(({ name, service, startMs, endMs, attributes }) => {
    const peer = attributes['raftbox.peer']
    return `${service.replace('raftbox ', '')}: ${name}${peer === undefined ? '' : ` ${peer}`} ${startMs}-${endMs}`
  })
}

test('each stage is a span from the moment before it, and the slow follower outlasts the client', () => {
  const { spans, lostAt } = commandTrace(call, tracksOf(...rows))
  expect(lostAt).toEqual([])
  expect(told(spans)).toEqual([
    'raftbox: command 10-30',
    'node 1: appended 10-12',
    'node 1: lead 12-60',
    'node 1: flushed 12-17',
    'node 1: sent 2 12-13',
    'node 1: acknowledged 2 13-22',
    'node 1: sent 3 12-13',
    'node 1: acknowledged 3 13-60',
    'node 1: committed 22-23',
    'node 1: applied 23-24',
    'node 1: answered 24-25',
    'node 2: follow 13-29',
    'node 2: received 1 13-15',
    'node 2: flushed 15-20',
    'node 2: committed 23-28',
    'node 2: applied 28-29',
    'node 3: follow 13-50',
    'node 3: received 1 13-16',
    'node 3: flushed 16-50',
  ])
})

test('the commit links to the acknowledgement that made the majority, and that to the flush which it promises', () => {
  const { spans } = commandTrace(call, tracksOf(...rows))
  const named = (name: string, endMs: number): Span =>
    spans.find((span) => span.name === name && span.endMs === endMs) as Span
  expect(named('committed', 23).links.map(({ spanId }) => spanId)).toEqual([named('acknowledged', 22).spanId])
  expect(named('acknowledged', 22).links.map(({ spanId }) => spanId)).toEqual([named('flushed', 20).spanId])
  expect(named('committed', 28).links.map(({ spanId }) => spanId)).toEqual([named('committed', 23).spanId])
})

test('the promise of a learner, and one that comes after the majority, made no majority', () => {
  const learner = (): Membership => ({ voters: [1, 2, 3], votersOutgoing: [], learners: [4] })
  const ofLearner: readonly Row[] = [
    [1, 'sent', 4, 8, 1, 13],
    [4, 'received', 1, 8, 1, 14],
    [4, 'flushed', 0, 8, 1, 15],
    [1, 'acknowledged', 4, 8, 1, 16],
  ]
  const late = ofLearner.map(([id, stage, peer, index, term, atMs]): Row => {
    return [id, stage, peer, index, term, stage === 'acknowledged' ? 22.5 : atMs]
  })
  for (const each of [ofLearner, late]) {
    const { spans } = commandTrace(call, tracksOf(...rows, ...each), learner)
    expect(told(spans)).toContain('node 1: committed 22-23')
  }
  const afterIt = rows.map((row): Row => (row[5] === 60 ? [1, 'acknowledged', 3, 8, 1, 22.5] : row))
  expect(told(commandTrace(call, tracksOf(...afterIt)).spans)).toContain('node 1: committed 22-23')
})

test('a leader that was deposed before it learned of the commit tells no promise that made the majority', () => {
  const deposed = rows.map((row): Row => {
    const [id, stage, peer, index, , atMs] = row
    return id === 1 && (stage === 'committed' || stage === 'applied')
      ? [id, stage, peer, index, 2, atMs]
      : row
  })
  const { spans } = commandTrace(call, tracksOf(...deposed))
  const committed = spans.find(({ name, service }) => name === 'committed' && service === 'raftbox node 1')
  expect(committed).toMatchObject({ startMs: 12, links: [] })
})

test('of an entry that replaced another one at its index, the one that was committed counts', () => {
  const replaced: readonly Row[] = [
    [2, 'flushed', 0, 9, 1, 11],
    // The log of node 2 is cut back, and filled by the leader of the next term.
    [2, 'flushed', 0, 6, 2, 18],
  ]
  const { spans } = commandTrace(call, tracksOf(...rows, ...replaced))
  expect(told(spans)).toContain('node 2: flushed 15-20')
})

test('a log that was cut back and filled again between two rows came past the index, as its term tells', () => {
  const tracks = tracksOf(
    [2, 'flushed', 0, 9, 1, 5],
    [2, 'flushed', 0, 8, 2, 20],
    [2, 'flushed', 0, 9, 2, 21],
  )
  expect(tracks.passing(2, 'flushed', 0, 7, 10, 30)).toBe(20)
})

test('a node of which rows were lost has no spans, and the trace names it', () => {
  const tracks = tracksOf(...rows)
  const patchy = new Tracks()
  for (const row of rows) {
    if (row[0] === 2 && row[5] === 20) patchy.lost(2)
    patchy.passed(...row)
  }
  const { spans, lostAt, missing } = commandTrace(call, patchy)
  expect(lostAt).toEqual([2])
  expect(spans.length + missing).toBe(commandTrace(call, tracks).spans.length)
  expect(spans[0]?.attributes['raftbox.lost_at']).toBe('2')
  const ofOthers = commandTrace(call, tracks).spans.filter(({ service }) => service !== 'raftbox node 2')
  expect(told(spans)).toEqual(told(ofOthers))
})

/** As above, but node 2 commits and applies after the client was answered. */
const slow: readonly Row[] = [
  ...rows.filter(([nodeId, stage]) => nodeId !== 2 || (stage !== 'committed' && stage !== 'applied')),
  [1, 'sent', 3, 9, 1, 35],
  [2, 'committed', 0, 8, 1, 40],
  [2, 'applied', 0, 8, 1, 70],
  [1, 'flushed', 0, 9, 1, 75],
  [2, 'flushed', 0, 9, 1, 75],
  [1, 'applied', 0, 9, 1, 90],
  [2, 'applied', 0, 9, 1, 90],
]

test.each([
  [50, 2, [2], 'a follower that has not applied'],
  [80, 2, [], 'a follower that has applied'],
  [50, 1, [1], 'a leader that waits for an acknowledgement'],
  [80, 1, [], 'a leader that all have acknowledged to'],
])('a gap at %i, after the client was answered, of node %i costs %j: %s', (atMs, nodeId, lostAt) => {
  const early = slow.filter((row) => row[5] <= atMs)
  const tracks = tracksOf(...early)
  tracks.lost(nodeId)
  for (const row of slow.filter((each) => each[5] > atMs).sort((x, y) => x[5] - y[5])) tracks.passed(...row)
  expect(commandTrace(call, tracks).lostAt).toEqual(lostAt)
})

test('where rows of the leader were lost, the spans of all nodes are missing, and each is counted', () => {
  const whole: readonly Row[] = [...rows, [3, 'committed', 0, 8, 1, 62], [3, 'applied', 0, 8, 1, 63]]
  const patchy = new Tracks()
  for (const row of whole) {
    if (row[0] === 1 && row[1] === 'committed') patchy.lost(1)
    patchy.passed(...row)
  }
  const { spans, lostAt, missing } = commandTrace(call, patchy)
  expect([told(spans), lostAt]).toEqual([['raftbox: command 10-30'], [1]])
  expect(spans.length + missing).toBe(commandTrace(call, tracksOf(...whole)).spans.length)
})

test('a gap that was over before the call costs it nothing', () => {
  const tracks = new Tracks()
  tracks.passed(2, 'flushed', 0, 3, 1, 1)
  tracks.lost(2)
  tracks.passed(2, 'flushed', 0, 5, 1, 9)
  for (const row of rows) tracks.passed(...row)
  expect(commandTrace(call, tracks).lostAt).toEqual([])
})

test('a call whose rows are forgotten has its own span only', () => {
  const tracks = tracksOf(...rows)
  tracks.forgetBefore(11)
  const { spans, lostAt } = commandTrace(call, tracks)
  expect(told(spans)).toEqual(['raftbox: command 10-30'])
  expect(lostAt).toEqual([1, 2, 3])
})

test('a call that failed has one span, with the code of its error', () => {
  const failed: EndedCall = { ...call, index: undefined, error: 'UNKNOWN_OUTCOME' }
  const { spans } = commandTrace(failed, tracksOf(...rows))
  expect(spans).toMatchObject([{ name: 'command', startMs: 10, endMs: 30, error: 'UNKNOWN_OUTCOME' }])
})

test('rows are forgotten in large steps, and the last one before stays to tell from where the next came', () => {
  const tracks = new Tracks()
  for (let at = 1; at <= 20_000; at++) tracks.passed(1, 'flushed', 0, at, 1, at)
  tracks.forgetBefore(15_000)
  expect(tracks.passing(1, 'flushed', 0, 15_000, 15_000, 15_000)).toBe(15_000)
  expect(tracks.passing(1, 'flushed', 0, 100, 0, 0)).toBeLessThan(15_000)
  expect(tracks.passing(1, 'flushed', 0, 100, 0, 0)).toBeGreaterThan(10_000)
})
