/** The revisions that an answer may have, by real time and by its header. */
import { isChange } from './effects.js'
import type { Findings } from './findings.js'
import type { Known } from './known.js'
import { type EtcdCall, type EtcdRecord, isCall, isOk, type OkCall } from './record.js'

const rule = 'revisions never go back'

/** Turns. */
export function* judgeRealTime(
  records: readonly EtcdRecord[],
  known: Known,
  findings: Findings,
): Generator<void> {
  for (const [at, record] of records.entries()) {
    if (isCall(record) && isOk(record)) judgeAnswer(record, at, known, findings)
    yield
  }
}

function judgeAnswer(call: OkCall, at: number, known: Known, findings: Findings): void {
  const { revision } = call
  if (revision === undefined) return
  if (call.op === 'range' && (call.atRevision ?? 0) > revision)
    findings.fail('a range shows its revision', at, 'has an older revision than it shows')
  if (!isInRealTime(call)) return
  const before = known.before(call.call)
  if (before === undefined || revision > before.revision) return
  if (revision === before.revision && !isChange(call)) return
  findings.fail(rule, at, `was called when ${before.revision} was known by`, before.at)
}

/** A serializable range may be answered from an older state; a lease is kept alive by any member. */
function isInRealTime(call: EtcdCall): boolean {
  if (call.op === 'range') return call.serializable !== true
  return call.op !== 'grant' && call.op !== 'keepAlive'
}
