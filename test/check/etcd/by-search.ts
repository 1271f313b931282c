/**
 * The definition: a history is right if its calls have an order in which a small etcd answers as it did. The search of
 * `checkHistory` looks for it, with the whole store as one object.
 */
import {
  checkHistory,
  type EtcdCall,
  type EtcdRecord,
  type Model,
  type Operation,
  type TxnOp,
  type WatchBegun,
  type WatchEvent,
  type WatchResponse,
} from '../../../src/check/index.js'
import { at, compares, done, empty, expired, granted, isIn, type State, shown } from './small-etcd.js'

type RangeCall = Extract<EtcdCall, { op: 'range' }>
type WriteCall = Extract<EtcdCall, { op: 'put' | 'delete' | 'txn' }>
type LeaseCall = Extract<EtcdCall, { op: 'grant' | 'keepAlive' | 'revoke' }>
interface Step extends Operation {
  readonly next: (state: State) => State | undefined
  /** Whether it leaves the state as it is. */
  readonly isRead?: boolean
}

const model: Model<State, Step> = {
  initial: () => empty,
  step: (state, { next }) => next(state),
  identityOf: (state) => JSON.stringify(state),
  isRead: ({ isRead }) => isRead === true,
}

const always = {
  client: 0,
  call: Number.MIN_SAFE_INTEGER,
  return: Number.MAX_SAFE_INTEGER,
  outcome: 'ok',
} as const
const roundingUs = 2000

/** Keys that the history does not have may change at any time. Changed histories are a revision apart. */
const others: readonly Step[] = [1, 2].map((client) => ({
  ...{ ...always, client, outcome: 'unknown' },
  next: (state) => ({ ...state, revision: state.revision + 1 }),
}))

export function isRight(records: readonly EtcdRecord[]): boolean {
  const watches = watchSteps(records)
  if (watches === undefined) return false
  const steps = [...records.flatMap(stepOf), ...watches, ...leaseSteps(records), ...others]
  const { verdict } = checkHistory(steps, model)
  if (verdict === 'unknown') throw new Error('this history is too large for the definition')
  return verdict === 'linearizable'
}

const same = (one: unknown, other: unknown): boolean =>
  JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, field]) => [name, sorted(field)])
}

function stepOf(record: EtcdRecord): Step[] {
  if (record.op === 'watch') return []
  // Whatever a watch tells has happened by then.
  if (record.op === 'watchResponse')
    return [
      {
        ...always,
        return: record.return,
        isRead: true,
        next: (state) => (state.revision >= record.revision ? state : undefined),
      },
    ]
  const { client, call } = record
  // That a lease is not there is an answer, too.
  const outcome = record.error === 'leaseNotFound' ? 'ok' : record.outcome
  const isSerializable = record.op === 'range' && record.serializable === true
  const begun = isSerializable ? Number.MIN_SAFE_INTEGER : call
  const isRead = record.op === 'range' || record.op === 'keepAlive' || record.error !== undefined
  const next = (state: State): State | undefined => after(state, record)
  return [{ client, call: begun, return: record.return, outcome, isRead, next }]
}

function after(state: State, call: EtcdCall): State | undefined {
  if (call.op === 'range') return isShown(state, call) ? state : undefined
  if (call.op === 'put' || call.op === 'delete' || call.op === 'txn') return afterWrite(state, call)
  return call.op === 'compact' ? state : afterLeaseCall(state, call)
}

function isShown(state: State, call: RangeCall): boolean {
  const shownAt = call.atRevision || state.revision
  if (shownAt > state.revision || !same(shown(at(state, shownAt), call), call.kvs)) return false
  return call.outcome !== 'ok' || call.revision === state.revision
}

function afterWrite(state: State, call: WriteCall): State | undefined {
  const succeeded = call.op === 'txn' && compares(state, call.compare)
  const ops: readonly TxnOp[] = call.op !== 'txn' ? [call] : succeeded ? call.success : call.failure
  // A write with a lease that is not there is refused.
  const isRefused = ops.some((op) => op.op === 'put' && op.lease && !state.leases.includes(op.lease))
  if (isRefused || call.error === 'leaseNotFound')
    return isRefused && call.outcome !== 'ok' ? state : undefined
  const { state: next, answers } = done(state, ops)
  if (call.outcome !== 'ok') return next
  if (call.op === 'delete' && answers[0]?.deleted !== call.deleted) return undefined
  if (call.op === 'txn' && (succeeded !== call.succeeded || !same(answers, call.responses))) return undefined
  return call.revision === next.revision ? next : undefined
}

function afterLeaseCall(state: State, call: LeaseCall): State | undefined {
  if (call.op === 'grant') return granted(state, call.lease)
  const isThere = state.leases.includes(call.lease)
  if (call.op === 'keepAlive') return isThere === (call.ttl ?? 0) > 0 ? state : undefined
  if (!isThere) return call.outcome === 'ok' ? undefined : state
  const next = expired(state, call.lease)
  return call.outcome !== 'ok' || call.revision === next.revision ? next : undefined
}

/** `undefined` if a watch contradicts itself. Otherwise it must agree with the events of the whole run. */
function watchSteps(records: readonly EtcdRecord[]): Step[] | undefined {
  const steps = records.map((begun) => (begun.op === 'watch' ? watchStep(begun, records) : 'none'))
  return steps.includes(undefined)
    ? undefined
    : steps.flatMap((step) => (typeof step === 'object' ? [step] : []))
}

function watchStep(begun: WatchBegun, records: readonly EtcdRecord[]): Step | undefined {
  const told = records.filter(
    (record): record is WatchResponse => record.op === 'watchResponse' && record.watch === begun.watch,
  )
  told.sort((one, other) => one.return - other.return)
  const from = begun.startRevision ?? 1
  let reached = from - 1
  const events: WatchEvent[] = []
  for (const { events: more = [], revision } of told) {
    if (more.some(({ modRevision }) => modRevision > revision || modRevision <= reached)) return undefined
    events.push(...more)
    reached = Math.max(reached, more.at(-1)?.modRevision ?? revision)
  }
  const isRising = events.every(
    ({ modRevision }, place) => modRevision >= (events[place - 1]?.modRevision ?? 0),
  )
  if (!isRising) return undefined
  const isTold = ({ key, modRevision }: WatchEvent): boolean =>
    modRevision >= from && modRevision <= reached && isIn(key, begun)
  return {
    ...always,
    call: Number.MAX_SAFE_INTEGER,
    next: (state) => (isSameEvents(state.events.filter(isTold), events) ? state : undefined),
  }
}

/** The events of a revision have no order. */
function isSameEvents(all: readonly WatchEvent[], told: readonly WatchEvent[]): boolean {
  const names = (events: readonly WatchEvent[]): string[] =>
    events.map((event) => JSON.stringify(sorted(event))).sort()
  return same(names(all), names(told))
}

/** A lease may end once, at any time after it was last kept alive for its TTL. */
function leaseSteps(records: readonly EtcdRecord[]): Step[] {
  const aliveUntil = new Map<string, number>()
  for (const record of records) {
    if ((record.op !== 'grant' && record.op !== 'keepAlive') || record.outcome !== 'ok') continue
    const until = record.call + (record.ttl ?? 0) * 1_000_000
    aliveUntil.set(record.lease, Math.max(aliveUntil.get(record.lease) ?? 0, until))
  }
  return [...aliveUntil].map(([lease, until]) => ({
    ...{ client: lease, call: until - roundingUs, outcome: 'unknown' },
    next: (state) => expired(state, lease),
  }))
}
