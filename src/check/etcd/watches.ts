/**
 * Watches: each is told every event of its span from its first revision on, once and in order. A client that begins a watch
 * anew says from which revision on, so what it is told over all members is judged by its parts.
 */
import { quoted } from '../shortened.js'
import type { Compactions } from './compactions.js'
import type { Findings } from './findings.js'
import { isEverything, isSpanWithin, isWithin } from './keys.js'
import type { Past, Version } from './past.js'
import {
  type EtcdRecord,
  emptyRevision,
  isCall,
  type KeySpan,
  type WatchBegun,
  type WatchEvent,
  type WatchResponse,
} from './record.js'
import { sortedInTurns } from './sorted.js'

interface Told {
  readonly response: WatchResponse
  readonly at: number
}

/** A watch at one member. */
export interface Part {
  readonly begun: WatchBegun
  readonly at: number
  readonly told: Told[]
  /** The first revision of which it must tell; infinite as long as it is not known. */
  from: number
  /** The watch told, or ought to have told, all events up to this revision. */
  reached: number
  /** The record that says so. */
  reachedAt: number
}

type WatchRecord = WatchBegun | WatchResponse

export class Watches {
  readonly parts: Part[] = []
  readonly #findings: Findings
  #heard: { readonly record: WatchRecord; readonly at: number }[] = []

  constructor(findings: Findings) {
    this.#findings = findings
  }

  hear(record: EtcdRecord, at: number): void {
    if (!isCall(record)) this.#heard.push({ record, at })
  }

  /** Called once, when all records were heard. Turns. */
  *settle(): Generator<void> {
    const open = new Map<string, Part>()
    const inOrder = yield* sortedInTurns(
      this.#heard,
      (one, other) => timeOf(one.record) - timeOf(other.record),
    )
    for (const { record, at } of inOrder) {
      if (record.op === 'watch') {
        const from = record.startRevision || Number.POSITIVE_INFINITY
        const part = { begun: record, at, told: [], from, reached: from - 1, reachedAt: at }
        open.set(nameOf(record), part)
        this.parts.push(part)
      } else {
        const part = open.get(nameOf(record))
        if (part === undefined) this.#findings.fail('a watch is begun before it tells', at)
        else part.told.push({ response: record, at })
      }
      yield
    }
    this.#heard = []
    for (const part of this.parts) {
      yield* follow(part, this.#findings)
      judgeEnd(part, this.#findings)
    }
  }
}

/** Each client names its watches by itself. */
function nameOf({ client, watch }: WatchRecord): string {
  return JSON.stringify([client, watch])
}

function timeOf(record: WatchRecord): number {
  return record.op === 'watch' ? record.call : record.return
}

/** The promises of a single watch: the order of its events, and how far it has come. Turns. */
function* follow(part: Part, findings: Findings): Generator<void> {
  const seen = new Set<string>()
  let last = 0
  for (const { response, at } of part.told) {
    const { created, canceled, revision, fragment, events = [] } = response
    if (created && !canceled && part.from === Number.POSITIVE_INFINITY) {
      part.from = revision + 1
      part.reached = revision
    }
    const [first] = events
    // Nobody recorded where the watch began, so its first event is the first of which it is known that it must tell.
    if (first !== undefined && part.from === Number.POSITIVE_INFINITY) {
      part.from = first.modRevision
      part.reached = first.modRevision - 1
    }
    for (const event of events) {
      const name = JSON.stringify([event.modRevision, event.key])
      const isNext = event.modRevision > part.reached
      judgeEvent(event, { part, at, last, isRepeated: seen.has(name), isNext, revision }, findings)
      seen.add(name)
      last = Math.max(last, event.modRevision)
    }
    // The rest of a split revision comes with the next message.
    if (events.length > 0) reach(part, fragment ? last - 1 : last, at)
    const tellsProgress =
      !created && !canceled && events.length === 0 && part.from !== Number.POSITIVE_INFINITY
    if (tellsProgress) reach(part, revision, at)
    yield
  }
}

/** A client whose watch was cancelled begins another one, which is a part of its own. */
function judgeEnd({ told }: Part, findings: Findings): void {
  const end = told.findIndex(({ response }) => response.canceled === true)
  const next = end < 0 ? undefined : told[end + 1]
  if (next !== undefined)
    findings.fail('a watch that was cancelled tells nothing', next.at, 'came behind', told[end]!.at)
}

function reach(part: Part, revision: number, at: number): void {
  if (revision <= part.reached) return
  part.reached = revision
  part.reachedAt = at
}

interface EventAt {
  readonly part: Part
  readonly at: number
  /** The highest revision before the event. */
  readonly last: number
  readonly isRepeated: boolean
  /** Whether it is behind all that the watch has told completely. */
  readonly isNext: boolean
  /** Of the header. */
  readonly revision: number
}

function judgeEvent(
  event: WatchEvent,
  { part, at, last, isRepeated, isNext, revision }: EventAt,
  findings: Findings,
): void {
  const what = `of ${quoted(event.key)} at ${event.modRevision}`
  if (!isWithin(event.key, part.begun) || event.modRevision < part.from)
    findings.fail('a watch tells what it was asked for', at, `has an event ${what}; it began with`, part.at)
  else if (isRepeated)
    findings.fail('a watch tells each event once', at, `tells the event ${what} again, after`, part.reachedAt)
  else if (event.modRevision < last)
    findings.fail(
      'a watch tells events in their order',
      at,
      `has an event ${what} behind one of ${last}:`,
      part.reachedAt,
    )
  else if (!isNext)
    findings.fail(
      'a revision comes whole',
      at,
      `has an event ${what}, and it was told without it by`,
      part.reachedAt,
    )
  if (event.modRevision > revision)
    findings.fail('a watch tells what has happened', at, `has an event ${what}, behind the header's revision`)
}

/** No event is left out. Turns. */
export function* judgeComplete(part: Part, past: Past, findings: Findings): Generator<void> {
  const { begun, from, reached, told } = part
  const events = new Set<string>()
  const revisions = new Set<number>()
  for (const { response } of told) {
    for (const { modRevision, key } of response.events ?? []) {
      events.add(JSON.stringify([modRevision, key]))
      revisions.add(modRevision)
    }
    yield
  }
  for (const key of past.keysWithin(begun)) {
    for (const version of past.versions(key, from, reached)) {
      revisions.add(version.revision)
      if (!events.has(JSON.stringify([version.revision, key]))) missed(part, key, version, past, findings)
    }
    yield
  }
  if (isEverything(begun)) yield* judgeGaps(part, revisions, findings)
}

/** The revision rises only by a change, so a watch of all keys tells an event of each, whoever made it. Turns. */
function* judgeGaps(
  { from, reached, reachedAt }: Part,
  revisions: ReadonlySet<number>,
  findings: Findings,
): Generator<void> {
  const within = [...revisions].filter((revision) => revision >= from && revision <= reached)
  let next = Math.max(from, emptyRevision + 1)
  for (const revision of yield* sortedInTurns([...within, reached + 1], (one, other) => one - other)) {
    if (revision > next) {
      const what = `was told without any event at ${next}, and each revision has one`
      return findings.fail('a watch misses no event', reachedAt, what)
    }
    next = revision + 1
    yield
  }
}

function missed({ reachedAt }: Part, key: string, version: Version, past: Past, findings: Findings): void {
  const { revision, at, isTold } = version
  const rule = 'a watch misses no event'
  const parts = [reachedAt, `was told without the event of ${quoted(key)} at ${revision}:`, at]
  if (isTold) return findings.fail(rule, ...parts)
  // The key was there by the events before. An unseen event may have deleted it earlier.
  const before = past.at(key, revision - 1)?.revision ?? 0
  findings.suspect({ span: { key }, from: before, to: revision }, rule, ...parts)
}

/** A watch ends by compaction only if it had not come so far. */
export function judgeCompacted({ told, reached }: Part, compactions: Compactions, findings: Findings): void {
  for (const { response, at } of told) {
    const { canceled, compactRevision = 0, return: time } = response
    if (canceled !== true || compactRevision === 0) continue
    const rule = 'what was compacted is answered as such'
    if (!compactions.isPossible(compactRevision, time))
      findings.fail(rule, at, `names ${compactRevision}, and nobody asked to compact it by then`)
    // Nobody knows where a watch from now on began that was told nothing before its end.
    if (Number.isFinite(reached) && reached + 1 >= compactRevision)
      findings.fail(rule, at, `names ${compactRevision}, which it had reached`)
  }
}

/** Whether the watch was told all of the span in that revision. */
export function covers({ begun, from, reached }: Part, span: KeySpan, revision: number): boolean {
  return revision >= from && revision <= reached && isSpanWithin(span, begun)
}
