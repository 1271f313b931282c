/** Small histories of an etcd that keeps its promises, and changes of them. */
import type { EtcdCall, EtcdRecord, TxnOp, WatchEvent, WatchResponse } from '../../../src/check/index.js'
import { Dice } from '../../../src/faults/index.js'
import { at, compares, done, empty, expired, isIn, type Span, type State, shown } from './small-etcd.js'

const keys = ['k1', 'k2', 'k3']
const allKeys = { key: 'k', rangeEnd: 'l' }
/** What is watched beside all keys. The watch of a revision that wrote several keys tells some of them only. */
const someKeys: readonly Span[] = [
  ...[{ key: 'k1' }, { key: 'k1', rangeEnd: 'k3' }, { key: 'k2', rangeEnd: 'l' }],
  ...[
    { key: 'k2', rangeEnd: '\0' },
    { key: 'k2', rangeEnd: 'k2a' },
  ],
]
const watchesMax = 2
const leasesMax = 3
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

interface Watch {
  readonly name: string
  readonly span: Span
  readonly from: number
  told: number
}

type Begun = Pick<EtcdCall, 'client' | 'call' | 'return' | 'outcome'>

/** Each call happens at a time of its own, and takes a while before and after it. */
export class RandomEtcd {
  readonly #random: Dice
  readonly #shape: Shape
  readonly #records: EtcdRecord[] = []
  readonly #watches: readonly Watch[]
  #state: State = empty
  /** The leases that are there, with the times at which they end. */
  readonly #leases = new Map<string, number>()
  readonly #ended: string[] = []
  #granted = 0
  #values = 0

  constructor(seed: number, shape: Shape) {
    this.#random = new Dice(seed)
    this.#shape = shape
    const places = Array.from({ length: watchesMax }, (_, at) => at)
    this.#watches = places
      .filter(() => this.#random.chance(shape.watchShare))
      .map((at) => ({
        name: `w${at}`,
        span: this.#random.chance(0.5) ? allKeys : (this.#random.pick(someKeys) as Span),
        from: this.#random.chance(0.7) ? 2 : 3,
        told: 0,
      }))
  }

  history(): EtcdRecord[] {
    for (const { name, span, from } of this.#watches)
      this.#records.push({ op: 'watch', client: 'w', watch: name, ...span, startRevision: from, call: 0 })
    for (let call = 1; call <= this.#shape.calls; call++) {
      const time = call * gapUs
      this.#expire(time)
      this.#call(time)
      for (const watch of this.#watches)
        if (this.#random.chance(0.5)) this.#tell(watch, time + this.#random.below(gapUs / 2))
    }
    for (const later of [1, 2])
      for (const watch of this.#watches) this.#tell(watch, (this.#shape.calls + later) * gapUs)
    return this.#records
  }

  #expire(time: number): void {
    for (const [lease, until] of this.#leases) if (time >= until) this.#end(lease)
  }

  #end(lease: string): void {
    this.#state = expired(this.#state, lease)
    this.#leases.delete(lease)
    this.#ended.push(lease)
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
    if (what < 0.2) return this.#leaseCall(begun)
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
    const lease =
      this.#leases.size > 0 && this.#random.chance(0.5) ? { lease: this.#pick([...this.#leases.keys()]) } : {}
    // A client that tries again puts the same value.
    const isAgain = this.#shape.repeats === true && this.#values > 0 && this.#random.chance(0.2)
    if (!isAgain) this.#values++
    return { op: 'put', key, value: String(this.#values), ...lease }
  }

  #range(begun: Begun): void {
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

  #leaseCall(begun: Begun): void {
    const what = this.#random.next()
    if (this.#leases.size === 0 || (this.#leases.size < leasesMax && what < 0.4)) {
      const lease = `7${++this.#granted}`
      return this.#keep(begun, 'grant', lease)
    }
    const lease = this.#pick([...this.#leases.keys()])
    if (what < 0.7) return this.#keep(begun, 'keepAlive', lease)
    if (what < 0.8 && this.#ended.length > 0) return this.#askForEnded(begun)
    const isTold = !this.#random.chance(this.#shape.unknownShare)
    if (isTold || this.#random.chance(0.5)) this.#end(lease)
    const told = isTold ? { revision: this.#state.revision } : ({ return: null, outcome: 'unknown' } as const)
    this.#records.push({ ...begun, op: 'revoke', lease, ...told })
  }

  #keep(begun: Begun, op: 'grant' | 'keepAlive', lease: string): void {
    // The server counts from when it is asked.
    const until = begun.call + ttlUs + 2 * gapUs
    this.#leases.set(lease, Math.max(until, this.#leases.get(lease) ?? 0))
    this.#records.push({ ...begun, op, lease, ttl })
  }

  /** A lease that has ended is told as such. */
  #askForEnded(begun: Begun): void {
    const lease = this.#pick(this.#ended)
    const failed = { outcome: 'fail', error: 'leaseNotFound' } as const
    if (this.#random.chance(0.5)) this.#records.push({ ...begun, op: 'keepAlive', lease, ttl: 0 })
    else this.#records.push({ ...begun, op: 'put', key: 'k1', value: 'failed', lease, ...failed })
  }

  #pick(leases: readonly string[]): string {
    return this.#random.pick(leases) as string
  }

  /** The watch is told what it was not told so far, or that there is nothing. */
  #tell(watch: Watch, time: number): void {
    const fresh = this.#state.events.filter(
      ({ key, modRevision }) =>
        isIn(key, watch.span) && modRevision >= watch.from && modRevision > watch.told,
    )
    watch.told = this.#state.revision
    const told = { op: 'watchResponse', client: 'w', watch: watch.name, return: time } as const
    this.#records.push({ ...told, revision: watch.told, events: fresh })
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
