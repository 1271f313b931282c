/** The spans of a snapshot, out of rows that are read before the happenings of their time are heard. */
import { expect, test } from 'vitest'
import type { Happened, Happening } from '../../src/telemetry/index.js'
import { Snapshots } from '../../src/traces/snapshot-spans.js'
import type { Span } from '../../src/traces/span.js'
import { Tracks } from '../../src/traces/tracks.js'

/** Node 1 leads. */
function system() {
  const traces: (readonly Span[])[] = []
  const tracks = new Tracks()
  const snapshots = new Snapshots(tracks, (spans) => void traces.push(spans))
  let sequence = 1
  const tell = (atMs: number, nodeId: number, happening: Happening): void =>
    snapshots.happened({ ...happening, sequence: sequence++, atMs, nodeId, cause: undefined } as Happened)
  return {
    snapshots,
    sends: (atMs: number, index = 20) => tell(atMs, 1, { type: 'snapshotSending', to: 2, index }),
    installs: (atMs: number) => tell(atMs, 2, { type: 'snapshotInstalling', from: 1, index: 20 }),
    dies: (atMs: number) => tell(atMs, 1, { type: 'killed' }),
    answers: (sentMs: number, receivedMs: number) => {
      snapshots.chunkAnswered(2, 1, 'sent', sentMs)
      snapshots.chunkAnswered(1, 2, 'received', receivedMs)
    },
    acknowledges: (atMs: number, index = 20) => tracks.passed(1, 'acknowledged', 2, index, 1, atMs),
    told: () =>
      traces.map((spans) => spans.map(({ name, startMs, endMs }) => `${name} ${startMs}-${endMs}`).join()),
    errors: () => traces.map(([root]) => root?.error),
  }
}

test('a snapshot whose rows come before its happenings ends with the last answer of its follower', () => {
  const { snapshots, sends, installs, answers, acknowledges, told, errors } = system()
  acknowledges(90, 7)
  answers(120, 121)
  answers(130, 131)
  acknowledges(131)
  snapshots.look(50)
  expect(told()).toEqual([])
  // Happenings of two nodes may come in any order.
  installs(110)
  sends(100)
  snapshots.look(120)
  expect(told()).toEqual([])
  snapshots.look(300)
  expect(told()).toEqual(['snapshot 100-131,sending 100-131,installing 110-130'])
  expect(errors()).toEqual([undefined])
})

test('a follower that lost its disk acknowledges anew what it acknowledged before', () => {
  const { snapshots, sends, acknowledges, told } = system()
  acknowledges(90, 25)
  sends(100)
  acknowledges(140, 26)
  snapshots.look(300)
  expect(told()).toEqual(['snapshot 100-140,sending 100-140'])
})

test('of two snapshots for a follower, each ends with its own answers', () => {
  const { snapshots, sends, answers, acknowledges, told, errors } = system()
  sends(100)
  answers(110, 111)
  acknowledges(112)
  sends(200, 40)
  answers(210, 211)
  acknowledges(212, 40)
  snapshots.look(300)
  expect(told()).toEqual(['snapshot 100-111,sending 100-111', 'snapshot 200-211,sending 200-211'])
  expect(errors()).toEqual([undefined, undefined])
})

test('a snapshot that is given up ends when it is', () => {
  const { snapshots, sends, dies, told, errors } = system()
  sends(100)
  sends(150, 30)
  dies(170)
  sends(200)
  snapshots.look(300)
  snapshots.close(310)
  expect(told()).toEqual([
    'snapshot 100-150,sending 100-150',
    'snapshot 150-170,sending 150-170',
    'snapshot 200-310,sending 200-310',
  ])
  expect(errors()).toEqual([
    'another snapshot was sent',
    'node 1 ended, or leads no more',
    'the tracing ended',
  ])
})

test('answers are forgotten but for the last one of a snapshot on its way', () => {
  const { snapshots, sends, answers, acknowledges, told } = system()
  sends(100)
  answers(110, 111)
  answers(120, 121)
  snapshots.look(300)
  snapshots.forgetBefore(10_000)
  acknowledges(11_000)
  snapshots.look(11_000)
  expect(told()).toEqual(['snapshot 100-121,sending 100-121'])
})
