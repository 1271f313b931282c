/** A store as etcd is one, small and slow, and apart from the judge: its states are plain values. */
import type { Compare, EtcdKeyValue, OpAnswer, TxnOp, WatchEvent } from '../../../src/check/index.js'

export interface State {
  readonly revision: number
  /** All events so far, those of one revision beside each other. */
  readonly events: readonly WatchEvent[]
  readonly kvs: readonly EtcdKeyValue[]
  /** Those that were granted and have not ended. */
  readonly leases: readonly string[]
}

export const empty: State = { revision: 1, events: [], kvs: [], leases: [] }

export interface Span {
  readonly key: string
  readonly rangeEnd?: string | undefined
}

export const isIn = (key: string, { key: from, rangeEnd }: Span): boolean =>
  rangeEnd ? key >= from && (rangeEnd === '\0' || key < rangeEnd) : key === from

/** The keys at an earlier revision. */
export function at(state: State, revision: number): State {
  let past = empty
  for (let next = 2; next <= revision; next++)
    past = changed(
      past,
      state.events.filter((event) => event.modRevision === next),
    )
  return past
}

export function shown(state: State, span: Span & { readonly limit?: number | undefined }): EtcdKeyValue[] {
  const all = state.kvs
    .filter(({ key }) => isIn(key, span))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
  return span.limit ? all.slice(0, span.limit) : all
}

/** Carries out the operations of one call, in one revision if they change anything. */
export function done(state: State, ops: readonly TxnOp[]): { state: State; answers: OpAnswer[] } {
  const revision = state.revision + 1
  let kvs = state.kvs
  const events: WatchEvent[] = []
  const answers = ops.map((op): OpAnswer => {
    if (op.op === 'range') return { kvs: shown({ ...state, kvs }, op) }
    if (op.op === 'put') {
      const before = kvs.find(({ key }) => key === op.key)
      const kv: EtcdKeyValue = {
        ...{ key: op.key, value: op.value, createRevision: before?.createRevision ?? revision },
        ...{ modRevision: revision, version: (before?.version ?? 0) + 1 },
        ...(op.lease && { lease: op.lease }),
      }
      events.push({ type: 'put', ...kv })
      kvs = [...kvs.filter(({ key }) => key !== op.key), kv]
      return {}
    }
    const gone = kvs.filter(({ key }) => isIn(key, op))
    for (const { key } of gone) events.push({ type: 'delete', key, modRevision: revision })
    kvs = kvs.filter(({ key }) => !isIn(key, op))
    return { deleted: gone.length }
  })
  return {
    state: events.length === 0 ? state : { ...state, revision, events: [...state.events, ...events], kvs },
    answers,
  }
}

export function granted(state: State, lease: string): State {
  return { ...state, leases: [...state.leases, lease].sort() }
}

/** The end of a lease deletes its keys, all of them in one revision. */
export function expired(state: State, lease: string): State {
  const keys = state.kvs.filter((kv) => kv.lease === lease).map(({ key }) => key)
  return done(
    { ...state, leases: state.leases.filter((each) => each !== lease) },
    keys.map((key) => ({ op: 'delete', key })),
  ).state
}

export function compares(state: State, all: readonly Compare[]): boolean {
  return all.every(({ key, target, result, value }) => {
    const kv = state.kvs.find((each) => each.key === key)
    if (target === 'value' && kv === undefined) return false
    const held = kv?.[target] ?? 0
    if (result === '=') return held === value
    if (result === '!=') return held !== value
    return result === '>' ? held > value : held < value
  })
}

function changed(state: State, events: readonly WatchEvent[]): State {
  const keys = new Set(events.map(({ key }) => key))
  const puts = events.flatMap((event) => {
    if (event.type === 'delete') return []
    const { type, ...kv } = event
    return [kv]
  })
  return {
    ...state,
    revision: state.revision + 1,
    events: [...state.events, ...events],
    kvs: [...state.kvs.filter(({ key }) => !keys.has(key)), ...puts],
  }
}
