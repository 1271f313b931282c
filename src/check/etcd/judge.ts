/**
 * Judges a history of etcd's API. Every answer tells a revision, which is its place in the one order of all changes, so no
 * order is searched for: what is told of each revision must agree, and must agree with real time.
 */
import { checkOptions } from '../../errors/index.js'
import { checkClock } from '../given.js'
import { stepsOf } from './claims.js'
import { isChange } from './effects.js'
import { type EtcdFailure, Findings, failuresMax, type Suspicion } from './findings.js'
import type { Past } from './past.js'
import { readRecords } from './reading.js'
import { judgeRealTime } from './real-time.js'
import { type EtcdCall, type EtcdRecord, isCall, isOk, type OkCall } from './record.js'
import { judgeCompares, type Replay } from './replay.js'
import { judgeShown } from './shown.js'
import { Unseen } from './unseen.js'
import { judgeCompacted, judgeComplete } from './watches.js'

export interface EtcdOptions {
  /** Asked at each step; `true` ends the judgement without an answer. Default: it takes its time. */
  readonly isTimeUp?: () => boolean
}

export interface EtcdResult {
  /**
   * `consistent`: etcd may have answered so. `unknown`: a call of unknown outcome, the end of the time, or more doubts than are
   * kept at once leave it open.
   */
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

/** The same in turns, from the first record on: between two of them a program can do other things, or give up. */
export function* judgeEtcdInTurns(
  records: readonly EtcdRecord[],
  options: EtcdOptions = {},
): Generator<void, EtcdResult> {
  checkOptions('a judgement', options, ['isTimeUp'])
  checkClock(options.isTimeUp)
  const { isTimeUp = () => false } = options
  const judge = new EtcdJudge(records)
  let steps = 0
  for (const _ of judge.run()) {
    // A step may take long, such as a revision that many calls of unknown outcome may have made.
    if (isTimeUp()) return judge.result('the time was up before all records were judged')
    if (++steps % stepsAtOnce === 0) yield
  }
  return judge.result()
}

class EtcdJudge {
  readonly #records: readonly EtcdRecord[]
  readonly #findings: Findings
  readonly #undecided: EtcdFailure[] = []
  #undecidedCount = 0
  #revisions = 0

  constructor(records: readonly EtcdRecord[]) {
    this.#records = records
    this.#findings = new Findings(records)
  }

  /** Turns. */
  *run(): Generator<void> {
    const reading = yield* readRecords(this.#records, this.#findings)
    const { known, leases, compactions, parts, past, replay } = reading
    yield* judgeRealTime(this.#records, known, this.#findings)
    yield* compactions.judge(this.#records)
    yield* replay.run()
    this.#revisions = replay.written.length
    yield* leases.judge()
    const unseen = new Unseen(reading)
    yield* this.#resolve(unseen)
    for (const [at, record] of this.#records.entries()) {
      if (isCall(record) && isOk(record)) this.#judgeAnswer(record, at, past)
      yield* this.#resolve(unseen)
      yield
    }
    for (const part of parts) {
      yield* judgeComplete(part, past, this.#findings)
      judgeCompacted(part, compactions, this.#findings)
      yield* this.#resolve(unseen)
      yield
    }
    this.#leaveAmbiguousOpen(replay)
  }

  result(openFor?: string): EtcdResult {
    const { failures, failureCount, droppedCount } = this.#findings
    const tooMany = `more was in doubt at once than a judgement keeps, and ${droppedCount} of the doubts were not judged`
    const open = [
      ...(openFor === undefined ? [] : [{ rule: 'time', message: openFor, records: [] }]),
      ...(droppedCount === 0 ? [] : [{ rule: 'memory', message: tooMany, records: [] }]),
    ]
    const undecided = [...open, ...this.#undecided].slice(0, failuresMax)
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
  #judgeAnswer(call: OkCall<EtcdCall>, at: number, past: Past): void {
    const { revision } = call
    if (revision === undefined || isChange(call)) return
    const findings = this.#findings
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

  /** A contradiction that an unseen event may explain leaves the history undecided. Turns. */
  *#resolve(unseen: Unseen): Generator<void> {
    for (const suspicion of this.#findings.takeSuspicions()) {
      const why = yield* unseen.explains(suspicion)
      if (why === undefined) this.#findings.add(suspicion)
      else this.#leaveOpen(() => this.#open(suspicion, why))
      yield
    }
  }

  #leaveAmbiguousOpen({ ambiguous, ambiguousCount }: Replay): void {
    for (const { revision, at } of ambiguous) {
      const message = `${this.#findings.words(at[0]!)} and other calls of unknown outcome may have made revision ${revision}`
      this.#leaveOpen(() => ({ rule: 'each event is the work of one call', message, records: at }))
    }
    this.#undecidedCount += ambiguousCount - ambiguous.length
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
