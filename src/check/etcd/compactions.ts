/** Revisions that were compacted are answered as such, and no others. */
import type { Findings } from './findings.js'
import type { Known } from './known.js'
import { type CompactCall, type EtcdRecord, isCall, isOk, type OkCall, type RangeCall } from './record.js'
import { sortedInTurns } from './sorted.js'

const rule = 'what was compacted is answered as such'

interface Compaction {
  readonly revision: number
  readonly call: number
  /** Infinite if nobody was told that it happened. */
  readonly end: number
  readonly at: number
}

export class Compactions {
  /** Those of the latest revisions first. */
  #all: readonly Compaction[] = []
  #heard: Compaction[] = []
  readonly #findings: Findings
  readonly #known: Known

  constructor(known: Known, findings: Findings) {
    this.#findings = findings
    this.#known = known
  }

  hear(record: EtcdRecord, at: number): void {
    if (!isCall(record) || record.op !== 'compact' || record.outcome === 'fail') return
    const end = isOk(record) ? record.return : Number.POSITIVE_INFINITY
    this.#heard.push({ revision: record.atRevision, call: record.call, end, at })
  }

  /** Called once, when all records were heard. Turns. */
  *settle(): Generator<void> {
    this.#all = yield* sortedInTurns(this.#heard, (one, other) => other.revision - one.revision)
    this.#heard = []
  }

  /** Turns. */
  *judge(records: readonly EtcdRecord[]): Generator<void> {
    for (const [at, record] of records.entries()) {
      if (isCall(record) && record.op === 'range') this.#judge(record, at)
      if (isCall(record) && record.op === 'compact') this.#judgeRefused(record, record.atRevision, at)
      if (isCall(record) && record.op === 'compact' && isOk(record)) this.#judgeDone(record, at)
      yield
    }
  }

  /** The revision was, or may have been, the last that was compacted by then. */
  isPossible(revision: number, time: number): boolean {
    return this.#all.some((each) => each.revision === revision && each.call <= time)
  }

  /** A compaction of a revision that is still to come, or was compacted before, is refused. */
  #judgeDone({ call, atRevision, revision = atRevision }: OkCall<CompactCall>, at: number): void {
    if (atRevision > revision) this.#findings.fail(rule, at, 'is done, and the revision is still to come')
    const done = this.#all.find((each) => each.revision >= atRevision && each.end < call)
    if (done !== undefined) this.#findings.fail(rule, at, 'is done, and', done.at, 'was done before')
  }

  #judge(call: RangeCall, at: number): void {
    const { atRevision = 0, serializable, error } = call
    if (atRevision === 0) return
    if (isOk(call) && serializable !== true) {
      const done = this.#all.find(({ revision, end }) => revision > atRevision && end < call.call)
      if (done !== undefined) this.#findings.fail(rule, at, 'is answered, and', done.at, 'was done before')
    }
    // A member that lags behind does not know a revision that others know.
    if (serializable === true && error === 'futureRevision') return
    this.#judgeRefused(call, atRevision + 1, at)
  }

  /** A call for a revision was refused. It is told as compacted if a compaction of `leastRevision` or a later one was done. */
  #judgeRefused(call: RangeCall | CompactCall, leastRevision: number, at: number): void {
    const { atRevision = 0, error } = call
    if (atRevision === 0) return
    if (error === 'compacted') {
      const time = call.return ?? Number.POSITIVE_INFINITY
      if (!this.#all.some(({ revision, call: begun }) => revision >= leastRevision && begun <= time))
        this.#findings.fail(rule, at, `and no compaction of ${leastRevision} or later was asked for`)
    }
    const before = this.#known.before(call.call)
    if (error === 'futureRevision' && (before?.revision ?? 0) >= atRevision)
      this.#findings.fail('revisions never go back', at, 'and the revision was known by', before!.at)
  }
}
