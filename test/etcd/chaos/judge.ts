/**
 * Judges a history. Every answer tells a revision, which is its place in the one order of all changes, so linearizability
 * is decided exactly: an answer agrees with the changes up to its revision, and that revision is not before any that was
 * told before the call began.
 */
import type { Event, Held, History, Lease, Read, Watched, Write } from './history.js'

/** The log's time and this process's clock are rounded to whole milliseconds. */
const roundingMs = 2

/** The faults of the history, in words. */
export function judge(history: History): string[] {
  const past = new Past(history.events)
  return [
    ...history.writes.flatMap((write) => judgeWrite(write, past)),
    ...unexplained(history),
    ...history.reads.flatMap((read) => judgeRead(read, past)),
    ...judgeState(history, past),
    ...history.leases.flatMap((lease) => judgeLease(lease, history)),
    ...history.watchers.flatMap((watched) => judgeWatched(watched, history.events)),
  ]
}

/** All changes, by which the state at any revision is known. */
class Past {
  readonly #ofKey = new Map<string, Event[]>()

  constructor(events: readonly Event[]) {
    for (const event of events) {
      const own = this.#ofKey.get(event.key) ?? []
      own.push(event)
      this.#ofKey.set(event.key, own)
    }
  }

  keys(): string[] {
    return [...this.#ofKey.keys()]
  }

  at(key: string, revision: number): Event | undefined {
    return this.#ofKey.get(key)?.find((event) => event.revision === revision)
  }

  held(key: string, revision: number): Held | undefined {
    const last = this.#ofKey.get(key)?.findLast((event) => event.revision <= revision)
    return last?.type === 'put' ? { value: last.value, revision: last.revision } : undefined
  }
}

const same = (one: Held | undefined, other: Held | undefined): boolean =>
  one?.value === other?.value && one?.revision === other?.revision

function judgeWrite(write: Write, past: Past): string[] {
  const { type, key, value, outcome, floor, expected } = write
  if (typeof outcome === 'string') return []
  const event = past.at(key, outcome.done)
  const what = `${type} ${key}=${value} at ${outcome.done}`
  const kind = type === 'delete' ? 'delete' : 'put'
  if (event?.type !== kind || (kind === 'put' && event.value !== value))
    return [`${what} was acknowledged and is lost`]
  if (outcome.done <= floor) return [`${what} began when ${floor} was known`]
  const before = past.held(key, outcome.done - 1)?.revision ?? 0
  return expected !== undefined && before !== expected ? [`${what} swapped ${before}, not ${expected}`] : []
}

/** Each event is a write that may have happened, and the only one of it. */
function unexplained({ events, writes, leases }: History): string[] {
  const byValue = new Map(writes.filter(({ type }) => type !== 'delete').map((write) => [write.value, write]))
  const deletes = writes.filter(({ type, outcome }) => type === 'delete' && outcome !== 'refused')
  const leased = new Set(leases.flatMap(({ keys }) => keys))
  const seen = new Set<string>()
  const isExplained = ({ type, key, value, revision }: Event): boolean => {
    if (type === 'delete') return leased.has(key) || deletes.some((write) => fits(write, key, revision))
    const write = byValue.get(value)
    const isFirst = !seen.has(value)
    seen.add(value)
    return write !== undefined && isFirst && fits(write, key, revision)
  }
  return events
    .filter((event) => !isExplained(event))
    .map(
      ({ type, key, value, revision }) =>
        `nobody asked for ${type} ${key}=${value} at ${revision}, or once only`,
    )
}

function fits({ key: asked, floor, outcome }: Write, key: string, revision: number): boolean {
  if (asked !== key || outcome === 'refused') return false
  return outcome === 'unknown' ? revision > floor : revision === outcome.done
}

function judgeRead({ key, floor, revision, held }: Read, past: Past): string[] {
  const told = `a read of ${key} at ${revision}`
  if (revision < floor) return [`${told} was stale: ${floor} was known`]
  return same(held, past.held(key, revision)) ? [] : [`${told} told ${held?.value}, which was not so`]
}

function judgeState({ state }: History, past: Past): string[] {
  const keys = new Set([...past.keys(), ...state.keys()])
  return [...keys]
    .filter((key) => !same(state.get(key), past.held(key, Number.POSITIVE_INFINITY)))
    .map((key) => `${key} is not in the end what its events say`)
}

function judgeLease({ id, ttlMs, keys, keptAtMs, endedAtMs }: Lease, { state, events }: History): string[] {
  if (endedAtMs === undefined) return [`lease ${id} did not end`]
  const earlyMs = keptAtMs + ttlMs - endedAtMs
  const early = earlyMs > roundingMs ? [`lease ${id} ended ${earlyMs.toFixed()} ms early`] : []
  const left = keys.filter((key) => state.has(key)).map((key) => `${key} outlived lease ${id}`)
  const ends = events.filter(({ type, key }) => type === 'delete' && keys.includes(key))
  const revisions = new Set(ends.map(({ revision }) => revision))
  return [
    ...early,
    ...left,
    ...(revisions.size > 1 ? [`lease ${id} ended in ${revisions.size} revisions`] : []),
  ]
}

/** A watcher is told exactly what the history holds from its first revision on. */
function judgeWatched({ name, from, events: told }: Watched, all: readonly Event[]): string[] {
  const events = all.filter(({ revision }) => revision >= from)
  const line = (event: Event | undefined): string =>
    event === undefined ? 'nothing' : `${event.type} ${event.key}=${event.value} at ${event.revision}`
  const at = events.findIndex((event, place) => line(told[place]) !== line(event))
  if (at >= 0) return [`watcher ${name} was told ${line(told[at])} and not ${line(events[at])}`]
  return told.length > events.length
    ? [`watcher ${name} was told ${line(told[events.length])} at the end`]
    : []
}
