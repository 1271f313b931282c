/** The revisions that an answer may have, by real time and by its header. */
import { isChange } from './effects.js'
import type { Findings } from './findings.js'
import type { Known } from './known.js'
import { type EtcdCall, type EtcdRecord, isCall, isOk } from './record.js'

const rule = 'revisions never go back'

export function judgeRealTime(records: readonly EtcdRecord[], known: Known, findings: Findings): void {
  records.forEach((record, at) => {
    if (!isCall(record) || !isOk(record) || record.revision === undefined) return
    const { revision } = record
    if (record.op === 'range' && (record.atRevision ?? 0) > revision)
      findings.fail('a range shows its revision', at, 'has an older revision than it shows')
    if (!isInRealTime(record)) return
    const before = known.before(record.call)
    if (before === undefined || revision > before.revision) return
    if (revision === before.revision && !isChange(record)) return
    findings.fail(rule, at, `was called when ${before.revision} was known by`, before.at)
  })
}

/** A serializable range may be answered from an older state; a lease is kept alive by any member. */
function isInRealTime(call: EtcdCall): boolean {
  if (call.op === 'range') return call.serializable !== true
  return call.op !== 'grant' && call.op !== 'keepAlive'
}
