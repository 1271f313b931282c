/**
 * Right histories in which all happens that etcd does, by dice: lost calls that are carried out much later, watches that begin at any
 * time and are told slowly, changes of keys that nobody recorded, compactions, and transactions of any shape. They are too long for
 * the definition, and show only whether the judge calls a right history inconsistent.
 */
import type { Compare, EtcdCall, EtcdRecord, TxnOp, WatchEvent } from '../../../src/check/index.js'
import { Dice } from '../../../src/faults/index.js'
import { at, compares, done, empty, expired, isIn, type Span, type State, shown } from './small-etcd.js'

interface Wildness {
  readonly calls: number
  /** Of the calls, the shares that are lost, and that are about leases, transactions and compactions. */
  readonly lost: number
  readonly leases: number
  readonly txns: number
  readonly compactions: number
  /** How often a watch begins or is told, for each call. */
  readonly watches: number
}

const few = { calls: 30, lost: 0.25, leases: 0.2, txns: 0.3, compactions: 0.03, watches: 0.3 }
/** Mixes of calls. A seed has the mix of its rest. */
const mixes: readonly Wildness[] = [
  few,
  { ...few, calls: 20, lost: 0.4, leases: 0.3, compactions: 0, watches: 0.15 },
  { ...few, lost: 0.15, leases: 0.35, txns: 0.2, compactions: 0.05, watches: 0.2 },
  { ...few, calls: 25, lost: 0.2, leases: 0.1, txns: 0.7, compactions: 0.1, watches: 0.2 },
  { ...few, calls: 15, lost: 0.6, leases: 0.3, txns: 0.4, compactions: 0.05 },
  { ...few, calls: 60, lost: 0.1, leases: 0.3, compactions: 0.05, watches: 0.2 },
  { ...few, calls: 25, lost: 0.3, leases: 0.3, txns: 0, compactions: 0, watches: 0.1 },
]

const keys = ['k1', 'k2', 'k3']
const spans: readonly Span[] = [
  ...keys.map((key) => ({ key })),
  { key: 'k', rangeEnd: 'l' },
  { key: 'k', rangeEnd: 'l' },
  { key: 'k1', rangeEnd: 'k3' },
  { key: 'k2', rangeEnd: '\0' },
]
const gapUs = 300_000
const usPerSecond = 1_000_000
const ttl = 1
const leasesMax = 4

type Asked = { readonly op: 'txn'; compare: Compare[]; success: TxnOp[]; failure: TxnOp[] } | TxnOp
type Begun = Pick<EtcdCall, 'client' | 'call' | 'return' | 'outcome'>

interface Watch {
  readonly name: string
  readonly span: Span
  readonly from: number
  told: number
}

export class WildEtcd {
  readonly #dice: Dice
  readonly #wildness: Wildness
  readonly #records: EtcdRecord[] = []
  readonly #watches: Watch[] = []
  /** Lost calls that are still on their way. */
  readonly #late: { readonly due: number; readonly happen: () => void }[] = []
  /** The leases that are there, with the times at which they end. */
  readonly #leases = new Map<string, number>()
  #state: State = empty
  #compacted = 0
  #granted = 0
  #values = 0
  #time = 0

  constructor(seed: number) {
    this.#dice = new Dice(seed)
    this.#wildness = mixes[seed % mixes.length] as Wildness
  }

  history(): EtcdRecord[] {
    const { calls, watches } = this.#wildness
    for (let call = 1; call <= calls; call++) {
      this.#time = call * gapUs
      this.#pass()
      this.#call()
      if (this.#dice.chance(0.1)) this.#state = { ...this.#state, revision: this.#state.revision + 1 }
      if (this.#dice.chance(watches / 4)) this.#begin()
      for (const watch of this.#watches) if (this.#dice.chance(watches)) this.#tell(watch)
    }
    return this.#records
  }

  /** What happens by itself until the time. */
  #pass(): void {
    for (const [lease, until] of this.#leases) if (this.#time >= until) this.#end(lease)
    for (const late of this.#late.splice(0)) {
      if (late.due <= this.#time) late.happen()
      else this.#late.push(late)
    }
  }

  #end(lease: string): void {
    if (!this.#leases.delete(lease)) return
    this.#state = expired(this.#state, lease)
  }

  #call(): void {
    const { leases, txns, compactions } = this.#wildness
    const what = this.#dice.next()
    if (what < leases) return this.#leaseCall()
    if (what < leases + compactions) return this.#compact()
    if (what < leases + compactions + 0.2) return this.#range()
    this.#write(this.#dice.chance(txns) ? this.#txn() : this.#op())
  }

  #begun(): Begun {
    const [before, after] = [this.#dice.below(1.5 * gapUs), this.#dice.below(1.5 * gapUs)]
    const times = { call: this.#time - before, return: this.#time + after }
    return { client: this.#dice.below(3), ...times, outcome: 'ok' }
  }

  /** The call is answered, or it is lost and happens now, later or never. */
  #happens(asked: object, happen: () => object): void {
    const begun = this.#begun()
    if (!this.#dice.chance(this.#wildness.lost)) {
      this.#records.push({ ...begun, ...asked, ...happen() } as EtcdRecord)
      return
    }
    this.#records.push({ ...begun, ...asked, return: null, outcome: 'unknown' } as EtcdRecord)
    if (this.#dice.chance(0.3)) happen()
    else if (this.#dice.chance(0.5))
      this.#late.push({ due: this.#time + this.#dice.below(8 * gapUs), happen })
  }

  #write(asked: Asked): void {
    this.#happens(asked, () => {
      const succeeded = asked.op === 'txn' && compares(this.#state, asked.compare)
      const ops = asked.op !== 'txn' ? [asked] : succeeded ? asked.success : asked.failure
      // A lost call may come when its lease is gone, and is refused.
      if (ops.some((op) => op.op === 'put' && op.lease && !this.#leases.has(op.lease))) return {}
      const { state, answers } = done(this.#state, ops)
      this.#state = state
      const told = asked.op === 'txn' ? { succeeded, responses: answers } : answers[0]
      return { ...told, revision: state.revision }
    })
  }

  #op(): TxnOp {
    return this.#dice.chance(0.7) ? this.#put(this.#key()) : { op: 'delete', ...this.#span() }
  }

  #put(key: string): TxnOp {
    const lease = this.#leases.size > 0 && this.#dice.chance(0.5) ? { lease: this.#lease() } : {}
    if (this.#values === 0 || this.#dice.chance(0.8)) this.#values++
    return { op: 'put', key, value: String(this.#values), ...lease }
  }

  #txn(): Asked {
    const compare = Array.from({ length: this.#dice.below(3) }, () => this.#compare())
    return { op: 'txn', compare, success: this.#ops(), failure: this.#ops() }
  }

  /** No key is put twice, or put and deleted. */
  #ops(): TxnOp[] {
    const put = this.#dice.shuffled(keys).slice(0, this.#dice.below(3))
    const puts = put.map((key) => this.#put(key))
    const others = Array.from({ length: this.#dice.below(3) }, (): TxnOp[] => {
      const span = this.#span()
      if (this.#dice.chance(0.3)) return [{ op: 'range', ...span }]
      return put.some((key) => isIn(key, span)) ? [] : [{ op: 'delete', ...span }]
    })
    return this.#dice.shuffled([...puts, ...others.flat()])
  }

  #compare(): Compare {
    const key = this.#key()
    const kv = this.#state.kvs.find((each) => each.key === key)
    const target = this.#dice.pick(['modRevision', 'createRevision', 'version', 'value', 'lease'] as const)
    if (target === 'lease') return { key, target, result: '=', value: kv?.lease ?? 0 }
    const result = this.#dice.pick(['=', '=', '!=', '>', '<'] as const)
    if (target === 'value') return { key, target, result, value: kv?.value ?? '' }
    return { key, target, result, value: (kv?.[target] ?? 0) + this.#dice.below(2) }
  }

  #range(): void {
    const { revision } = this.#state
    const begun = this.#begun()
    const atRevision = this.#dice.chance(0.3) ? 1 + this.#dice.below(revision + 1) : 0
    const asked = { op: 'range', ...this.#span(), ...(this.#dice.chance(0.2) && { limit: 1 }) } as const
    const error = atRevision > revision ? 'futureRevision' : 'compacted'
    if (atRevision > revision || (atRevision > 0 && atRevision < this.#compacted)) {
      this.#records.push({ ...begun, ...asked, atRevision, outcome: 'fail', error })
      return
    }
    const isOld = atRevision === 0 && this.#dice.chance(0.2)
    const state = isOld ? at(this.#state, 1 + this.#dice.below(revision)) : this.#state
    const kvs = shown(at(state, atRevision || state.revision), asked)
    const how = { ...(atRevision > 0 && { atRevision }), ...(isOld && { serializable: true }) }
    this.#records.push({ ...begun, ...asked, ...how, kvs, revision: state.revision } as EtcdCall)
  }

  #compact(): void {
    const atRevision = this.#compacted + 1 + this.#dice.below(this.#state.revision - this.#compacted)
    if (atRevision > this.#state.revision) return
    this.#happens({ op: 'compact', atRevision }, () => {
      this.#compacted = Math.max(this.#compacted, atRevision)
      return { revision: this.#state.revision }
    })
  }

  #leaseCall(): void {
    if (this.#leases.size === 0 || (this.#leases.size < leasesMax && this.#dice.chance(0.5)))
      return this.#keep('grant', `7${++this.#granted}`)
    const lease = this.#lease()
    if (this.#dice.chance(0.5)) return this.#keep('keepAlive', lease)
    const isThere = (): boolean => this.#leases.has(lease)
    if (isThere())
      this.#happens({ op: 'revoke', lease }, () => {
        this.#end(lease)
        return { revision: this.#state.revision }
      })
  }

  /** A lease that is granted late may be unknown to those who put with it. */
  #keep(op: 'grant' | 'keepAlive', lease: string): void {
    const until = this.#time + ttl * usPerSecond + this.#dice.below(3 * gapUs)
    this.#happens({ op, lease }, () => {
      if (op === 'grant' || this.#leases.has(lease))
        this.#leases.set(lease, Math.max(until, this.#leases.get(lease) ?? 0))
      return { ttl }
    })
  }

  /** A watch begins, or is begun anew behind what it told. */
  #begin(): void {
    const again = this.#dice.chance(0.3) ? this.#dice.pick(this.#watches) : undefined
    const { revision } = this.#state
    const isFromNow = again === undefined && this.#dice.chance(0.3)
    const from =
      again !== undefined ? again.told + 1 : isFromNow ? revision + 1 : 2 + this.#dice.below(revision)
    const { name, span } = again ?? { name: `w${this.#records.length}`, span: this.#span() }
    const watch = { name, span, from, told: from - 1 }
    if (again !== undefined) this.#watches.splice(this.#watches.indexOf(again), 1)
    const startRevision = isFromNow ? 0 : from
    const begun = {
      op: 'watch',
      client: 'w',
      watch: name,
      ...span,
      startRevision,
      call: this.#moment(),
    } as const
    this.#records.push(begun)
    const told = { op: 'watchResponse', client: 'w', watch: name, revision } as const
    this.#records.push({ ...told, return: this.#moment(), created: true })
    if (from >= this.#compacted) this.#watches.push(watch)
    else
      this.#records.push({
        ...told,
        return: this.#moment(),
        canceled: true,
        compactRevision: this.#compacted,
      })
  }

  /** The watch is told some of what it was not told so far, or that there is nothing. */
  #tell(watch: Watch): void {
    const { revision } = this.#state
    if (revision <= watch.told) return
    const upTo = watch.told + 1 + this.#dice.below(revision - watch.told)
    const events = this.#state.events.filter(
      ({ key, modRevision }) => isIn(key, watch.span) && modRevision > watch.told && modRevision <= upTo,
    )
    watch.told = events.at(-1)?.modRevision ?? upTo
    const told = { op: 'watchResponse', client: 'w', watch: watch.name } as const
    const isSplit = events.length > 1 && this.#dice.chance(0.3)
    const parts: readonly WatchEvent[][] = isSplit ? [events.slice(0, 1), events.slice(1)] : [events]
    for (const [place, part] of parts.entries()) {
      const fragment = place < parts.length - 1 ? { fragment: true } : {}
      const header = events.length > 0 ? revision : upTo
      this.#records.push({ ...told, return: this.#moment(), revision: header, events: part, ...fragment })
    }
  }

  /** Moments follow each other between two calls. */
  #moment(): number {
    return ++this.#time
  }

  #key(): string {
    return this.#dice.pick(keys) as string
  }

  #span(): Span {
    return this.#dice.pick(spans) as Span
  }

  #lease(): string {
    return this.#dice.pick([...this.#leases.keys()]) as string
  }
}
