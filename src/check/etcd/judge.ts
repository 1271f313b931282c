/**
 * Judges a history of etcd's API. Every answer tells a revision, which is its place in the one order of all changes, so no
 * order is searched for: what is told of each revision must agree, and must agree with real time.
 */
import { checkOptions } from '../../errors/index.js'
import { Claims, stepsOf } from './claims.js'
import { Compactions } from './compactions.js'
import { Doubts } from './doubts.js'
import { isChange } from './effects.js'
import { type EtcdFailure, Findings, failuresMax, type Suspicion } from './findings.js'
import { compareKeys } from './keys.js'
import { Known } from './known.js'
import { Leases } from './leases.js'
import { Past } from './past.js'
import { judgeRealTime } from './real-time.js'
import { type EtcdCall, type EtcdRecord, isCall, isOk, type OkCall } from './record.js'
import { judgeCompares, Replay } from './replay.js'
import { judgeShown } from './shown.js'
import { Unseen } from './unseen.js'
import { covers, judgeCompacted, judgeComplete, type Part, watchParts } from './watches.js'

export interface EtcdOptions {
  /** Asked at each step; `true` ends the judgement without an answer. Default: it takes its time. */
  readonly isTimeUp?: () => boolean
}

export interface EtcdResult {
  /** `consistent`: etcd may have answered so. `unknown`: a call of unknown outcome, or the end of the time, leaves it open. */
  readonly verdict: 'consistent' | 'inconsistent' | 'unknown'
  readonly records: number
  /** Revisions with an event that somebody was told of. */
  readonly revisions: number
  /** The first hundred contradictions. */
  readonly failures: readonly EtcdFailure[]
  readonly failureCount: number
  /** The first hundred questions that are left open, and why. */
  readonly undecided: readonly EtcdFailure[]
  readonly undecidedCount: number
}

/** Steps of a turn. */
const stepsAtOnce = 256

export function judgeEtcd(records: readonly EtcdRecord[], options: EtcdOptions = {}): EtcdResult {
  const turns = judgeEtcdInTurns(records, options)
  for (;;) {
    const turn = turns.next()
    if (turn.done === true) return turn.value
  }
}

/** The same in turns. The records are read in the first one. */
export function* judgeEtcdInTurns(
  records: readonly EtcdRecord[],
  options: EtcdOptions = {},
): Generator<void, EtcdResult> {
  checkOptions('a judgement', options, ['isTimeUp'])
  const { isTimeUp = () => false } = options
  const judge = new EtcdJudge(records)
  let steps = 0
  for (const _ of judge.run()) {
    // One step may take long, such as a suspicion with many calls of unknown outcome.
    if (isTimeUp()) return judge.result('the time was up before all records were judged')
    if (++steps % stepsAtOnce === 0) yield
  }
  return judge.result()
}

class EtcdJudge {
  readonly #records: readonly EtcdRecord[]
  readonly #findings: Findings
  readonly #known: Known
  readonly #past: Past
  readonly #doubts: Doubts
  readonly #leases: Leases
  readonly #parts: readonly Part[]
  readonly #replay: Replay
  readonly #undecided: EtcdFailure[] = []
  #undecidedCount = 0
  #revisions = 0

  constructor(records: readonly EtcdRecord[]) {
    this.#records = records
    this.#findings = new Findings(records)
    this.#known = new Known(records)
    const claims = new Claims(records, this.#findings)
    this.#past = new Past([...claims.keys()].sort(compareKeys))
    this.#doubts = new Doubts(records, this.#known)
    this.#leases = new Leases(records, this.#known, this.#findings)
    this.#parts = watchParts(records, this.#findings)
    const isCovered = (key: string, revision: number): boolean =>
      this.#parts.some((part) => covers(part, { key }, revision))
    const [past, doubts, leases, findings] = [this.#past, this.#doubts, this.#leases, this.#findings]
    this.#replay = new Replay(records, { claims, past, doubts, leases, findings, isCovered })
  }

  /** Turns. */
  *run(): Generator<void> {
    judgeRealTime(this.#records, this.#known, this.#findings)
    yield
    const compactions = new Compactions(this.#records, this.#known, this.#findings)
    yield
    yield* this.#replay.run()
    this.#revisions = this.#replay.writtenRevisions().length
    this.#leases.judge()
    yield
    for (const [at, record] of this.#records.entries()) {
      if (isCall(record) && isOk(record)) this.#judgeAnswer(record, at)
      yield
    }
    for (const part of this.#parts) {
      judgeComplete(part, this.#past, this.#findings)
      judgeCompacted(part, compactions, this.#findings)
      yield
    }
    yield* this.#resolve()
  }

  result(openFor?: string): EtcdResult {
    const open = openFor === undefined ? [] : [{ rule: 'time', message: openFor, records: [] }]
    const undecided = [...open, ...this.#undecided].slice(0, failuresMax)
    const { failures, failureCount } = this.#findings
    return {
      verdict: failureCount > 0 ? 'inconsistent' : undecided.length > 0 ? 'unknown' : 'consistent',
      records: this.#records.length,
      revisions: this.#revisions,
      failures,
      failureCount,
      undecided,
      undecidedCount: this.#undecidedCount + open.length,
    }
  }

  /** Answers that show a state, and changed nothing. */
  #judgeAnswer(call: OkCall<EtcdCall>, at: number): void {
    const { revision } = call
    if (revision === undefined || isChange(call)) return
    const [past, findings] = [this.#past, this.#findings]
    if (call.op === 'range' && call.kvs !== undefined) {
      const shownAt = call.atRevision || revision
      const showing = { range: call, kvs: call.kvs, revision: shownAt, at }
      judgeShown(showing, past, (key) => past.at(key, shownAt), findings)
    }
    const versionOf = (key: string) => past.at(key, revision)
    if (call.op === 'delete' && call.deleted === 0)
      judgeShown({ range: { ...call, op: 'range' }, kvs: [], revision, at }, past, versionOf, findings)
    if (call.op !== 'txn') return
    judgeCompares(call, at, versionOf, revision, findings)
    for (const { op, answer } of stepsOf(call)) {
      const kvs = op.op === 'delete' ? [] : answer.kvs
      if (kvs !== undefined)
        judgeShown({ range: { ...op, op: 'range' }, kvs, revision, at }, past, versionOf, findings)
    }
  }

  /** A contradiction that an unseen event may explain leaves the history undecided. */
  *#resolve(): Generator<void> {
    const unseen = new Unseen(
      { known: this.#known, doubts: this.#doubts, leases: this.#leases, past: this.#past },
      this.#replay,
      this.#parts,
    )
    for (const suspicion of this.#findings.suspicions) {
      const why = unseen.explains(suspicion)
      if (why === undefined) this.#findings.add(suspicion)
      else this.#leaveOpen(() => this.#open(suspicion, why))
      yield
    }
    for (const { revision, at } of this.#replay.ambiguous) {
      const message = (): string =>
        `${this.#findings.words(at[0]!)} and other calls of unknown outcome may have made revision ${revision}`
      this.#leaveOpen(() => ({
        rule: 'each event is the work of one call',
        message: message(),
        records: at,
      }))
    }
  }

  #leaveOpen(question: () => EtcdFailure): void {
    this.#undecidedCount++
    if (this.#undecided.length < failuresMax) this.#undecided.push(question())
  }

  #open(suspicion: Suspicion, why: number | string): EtcdFailure {
    const { rule, message, records } = this.#findings.told(suspicion)
    const explanation = typeof why === 'number' ? this.#findings.words(why) : `the end of ${why}`
    return {
      rule,
      message: `${message}; ${explanation} may explain it, and no watch of the key tells`,
      records,
    }
  }
}
