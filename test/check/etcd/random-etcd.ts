/** Small histories of an etcd that keeps its promises, and changes of them. */
import type { EtcdCall, EtcdRecord, TxnOp, WatchEvent, WatchResponse } from '../../../src/check/index.js'
import { Dice } from '../../../src/faults/index.js'
import { at, compares, done, empty, expired, isIn, type State, shown } from './small-etcd.js'

const keys = ['k1', 'k2']
const allKeys = { key: 'k', rangeEnd: 'l' }
const ttl = 1
const ttlUs = ttl * 1_000_000
/** Between two calls: a lease lives a few of them. */
const gapUs = 300_000

type Shape = {
  readonly calls: number
  readonly unknownShare: number
  readonly watchShare: number
  /** Whether values are put again, and keys are deleted twice in a transaction. */
  readonly repeats?: boolean
}

/** Each call happens at a time of its own, and takes a while before and after it. */
export class RandomEtcd {
  readonly #random: Dice
  readonly #shape: Shape
  readonly #records: EtcdRecord[] = []
  readonly #watch: { from: number; all: boolean; told: number } | undefined
  #state: State = empty
  #lease: { id: string; until: number } | undefined
  #values = 0

  constructor(seed: number, shape: Shape) {
    this.#random = new Dice(seed)
    this.#shape = shape
    this.#watch = this.#random.chance(shape.watchShare)
      ? { from: this.#random.chance(0.7) ? 2 : 3, all: this.#random.chance(0.7), told: 0 }
      : undefined
  }

  history(): EtcdRecord[] {
    if (this.#watch !== undefined) {
      const span = this.#watch.all ? allKeys : { key: 'k1' }
      this.#records.push({
        op: 'watch',
        client: 'w',
        watch: 'w',
        ...span,
        startRevision: this.#watch.from,
        call: 0,
      })
    }
    for (let call = 1; call <= this.#shape.calls; call++) {
      const time = call * gapUs
      this.#expire(time)
      this.#call(time)
      if (this.#random.chance(0.5)) this.#tell(time + this.#random.below(gapUs / 2))
    }
    this.#tell((this.#shape.calls + 1) * gapUs)
    this.#tell((this.#shape.calls + 2) * gapUs)
    return this.#records
  }

  #expire(time: number): void {
    if (this.#lease === undefined || time < this.#lease.until) return
    this.#state = expired(this.#state, this.#lease.id)
    this.#lease = undefined
  }

  #call(time: number): void {
    const random = this.#random
    const begun = {
      client: random.below(3),
      call: time - random.below(1.5 * gapUs),
      return: time + random.below(1.5 * gapUs),
      outcome: 'ok',
    } as const
    const what = random.next()
    if (what < 0.1) return this.#leaseCall(begun)
    if (what < 0.4) return this.#range(begun)
    const call = this.#write()
    const isTold = !random.chance(this.#shape.unknownShare)
    const happens = isTold || random.chance(0.5)
    const succeeded = call.op === 'txn' && compares(this.#state, call.compare)
    const ops = call.op === 'txn' ? (succeeded ? call.success : call.failure) : [call]
    const { state, answers } = done(this.#state, ops as TxnOp[])
    if (happens) this.#state = state
    const told = call.op === 'txn' ? { succeeded, responses: answers } : answers[0]
    if (isTold) this.#records.push({ ...begun, ...call, ...told, revision: state.revision } as EtcdCall)
    else this.#records.push({ ...begun, ...call, return: null, outcome: 'unknown' } as EtcdCall)
  }

  #write(): { op: 'txn'; compare: never[]; success: TxnOp[]; failure: TxnOp[] } | TxnOp {
    const random = this.#random
    const key = random.pick(keys) as string
    const what = random.next()
    if (what < 0.5) return this.#put(key)
    if (what < 0.7) return { op: 'delete', ...(random.chance(0.5) ? { key } : allKeys) }
    const kv = this.#state.kvs.find((each) => each.key === key)
    const value = (kv?.modRevision ?? 0) + (random.chance(0.3) ? 1 : 0)
    const compare = [{ key, target: 'modRevision', result: '=', value }] as never[]
    const other = keys.find((each) => each !== key) as string
    const second: TxnOp = random.chance(0.5) ? this.#put(other) : { op: 'delete', key: other }
    // Two deletes of a transaction may have a key in common, unlike its puts.
    const success =
      this.#shape.repeats === true && random.chance(0.2)
        ? [{ op: 'delete', key } as const, { op: 'delete', ...allKeys } as const]
        : [this.#put(key), second]
    return { op: 'txn', compare, success, failure: [{ op: 'range', ...allKeys }] }
  }

  #put(key: string): TxnOp {
    const lease = this.#lease !== undefined && this.#random.chance(0.5) ? { lease: this.#lease.id } : {}
    // A client that tries again puts the same value.
    const isAgain = this.#shape.repeats === true && this.#values > 0 && this.#random.chance(0.2)
    if (!isAgain) this.#values++
    return { op: 'put', key, value: String(this.#values), ...lease }
  }

  #range(begun: Pick<EtcdCall, 'client' | 'call' | 'return' | 'outcome'>): void {
    const { revision } = this.#state
    const asked = this.#random.chance(0.2) ? { atRevision: 1 + this.#random.below(revision) } : {}
    const isOld = asked.atRevision === undefined && this.#random.chance(0.2)
    const state = isOld ? at(this.#state, 1 + this.#random.below(revision)) : this.#state
    const span = this.#random.chance(0.5) ? allKeys : { key: this.#random.pick(keys) as string }
    const limit = this.#random.chance(0.2) ? { limit: 1 } : {}
    const kvs = shown(at(state, asked.atRevision ?? state.revision), { ...span, ...limit })
    const how = { ...asked, ...limit, ...(isOld && { serializable: true }) }
    this.#records.push({ ...begun, op: 'range', ...span, ...how, kvs, revision: state.revision } as EtcdCall)
  }

  #leaseCall(begun: Pick<EtcdCall, 'client' | 'call' | 'return' | 'outcome'>): void {
    const isNew = this.#lease === undefined
    const id = this.#lease?.id ?? `7${this.#records.length}`
    const op = isNew ? 'grant' : 'keepAlive'
    // The server counts from when it is asked.
    const until = begun.call + ttlUs + 2 * gapUs
    this.#lease = { id, until: Math.max(until, this.#lease?.until ?? 0) }
    this.#records.push({ ...begun, op, lease: id, ttl } as EtcdCall)
  }

  /** The watch is told what it was not told so far, or that there is nothing. */
  #tell(time: number): void {
    const watch = this.#watch
    if (watch === undefined) return
    const span = watch.all ? allKeys : { key: 'k1' }
    const fresh = this.#state.events.filter(
      ({ key, modRevision }) => isIn(key, span) && modRevision >= watch.from && modRevision > watch.told,
    )
    watch.told = this.#state.revision
    const told = { op: 'watchResponse', client: 'w', watch: 'w', return: time, revision: watch.told } as const
    this.#records.push({ ...told, events: fresh })
  }
}

/** One field of one record is changed, or one event, key or record is lost or told twice. */
export function changedHistory(history: readonly EtcdRecord[], seed: number): EtcdRecord[] {
  const random = new Dice(seed)
  const place = random.below(history.length)
  return history.flatMap((record, each) => (each === place ? changedRecord(record, random) : [record]))
}

const step = (random: Dice): number => (random.chance(0.5) ? 1 : -1)

function changedRecord(record: EtcdRecord, random: Dice): EtcdRecord[] {
  if (record.op === 'watch') return [record]
  if (record.op === 'watchResponse') return [changedResponse(record, random)]
  if (record.outcome === 'unknown') return []
  if (random.chance(0.2))
    return [{ ...record, call: Math.min(record.call - step(random) * gapUs, Number(record.return)) }]
  if (random.chance(0.4) && record.revision !== undefined)
    return [{ ...record, revision: Math.max(1, record.revision + step(random)) }]
  if (record.op === 'put') return [{ ...record, value: 'other' }]
  if (record.op === 'delete')
    return [{ ...record, deleted: Math.max(0, (record.deleted ?? 0) + step(random)) }]
  if (record.op === 'range') return [{ ...record, kvs: changedKvs(record.kvs ?? [], random) }]
  if (record.op === 'txn')
    return [
      {
        ...record,
        compare: record.compare.map((each) => ({ ...each, value: Number(each.value) + step(random) })),
      },
    ]
  return [record]
}

function changedResponse(record: WatchResponse, random: Dice): WatchResponse {
  const { events = [] } = record
  const revision = Math.max(1, record.revision + step(random))
  const what = random.below(4)
  if (events.length === 0 || what === 0) return { ...record, revision }
  if (what === 1) return { ...record, events: events.toSpliced(random.below(events.length), 1) }
  if (what === 2) return { ...record, events: [...events, events[random.below(events.length)] as WatchEvent] }
  return { ...record, events: changedKvs(events, random) }
}

function changedKvs<Kv extends object>(kvs: readonly Kv[], random: Dice): Kv[] {
  if (kvs.length === 0) return []
  const place = random.below(kvs.length)
  if (random.chance(0.3)) return kvs.toSpliced(place, 1)
  const field = random.pick(['modRevision', 'createRevision', 'version', 'value', 'lease'] as const) as string
  return kvs.map((kv, each) => {
    const held = (kv as Record<string, unknown>)[field]
    const isDelete = (kv as { type?: string }).type === 'delete' && field !== 'modRevision'
    if (each !== place || isDelete) return kv
    return { ...kv, [field]: typeof held === 'number' ? Math.max(1, held + step(random)) : 'other' }
  })
}
