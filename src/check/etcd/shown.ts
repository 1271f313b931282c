/** Whether the keys that an answer shows are those of its revision. */
import { quoted } from '../shortened.js'
import type { Findings } from './findings.js'
import { compareKeys, isWithin } from './keys.js'
import type { Past, Version } from './past.js'
import type { EtcdKeyValue, Range } from './record.js'

const rule = 'a range shows its revision'

export interface Showing {
  readonly range: Range
  readonly kvs: readonly EtcdKeyValue[]
  readonly revision: number
  /** The record with the answer. */
  readonly at: number
}

/** `versionOf`: the last event of a key that the range must show. */
export function judgeShown(
  { range, kvs, revision, at }: Showing,
  past: Past,
  versionOf: (key: string) => Version | undefined,
  findings: Findings,
): void {
  const { limit = 0 } = range
  if (limit > 0 && kvs.length > limit)
    findings.fail(rule, at, `shows ${kvs.length} keys, and its limit is ${limit}`)
  const shown = new Set<string>()
  let before: string | undefined
  for (const { key, modRevision } of kvs) {
    const version = versionOf(key)
    if (shown.has(key)) findings.fail(rule, at, `shows ${quoted(key)} twice`)
    else if (before !== undefined && compareKeys(key, before) < 0)
      findings.fail(rule, at, `shows ${quoted(key)} behind ${quoted(before)}`)
    if (!isWithin(key, range)) findings.fail(rule, at, `shows ${quoted(key)}, which it was not asked for`)
    shown.add(key)
    before = key
    if (modRevision > revision)
      findings.fail(rule, at, `shows an event of ${modRevision}, which is behind ${revision}`)
    else if (version !== undefined && version.revision > modRevision)
      judgeOlder({ key, modRevision, revision, at }, version, findings)
  }
  for (const key of past.keysWithin(range)) {
    const version = versionOf(key)
    if (version?.held === undefined || shown.has(key) || isBehindLimit(key, range, kvs)) continue
    const { modRevision } = version.held
    findings.suspect(
      { span: { key }, from: modRevision, to: revision },
      ...[rule, at, `does not show ${quoted(key)}, which was there at ${revision}:`, version.at],
    )
  }
}

function judgeOlder(
  { key, modRevision, revision, at }: { key: string; modRevision: number; revision: number; at: number },
  version: Version,
  findings: Findings,
): void {
  const parts = [at, `shows ${quoted(key)} as of ${modRevision} and not ${version.revision}:`, version.at]
  if (version.isTold) findings.fail(rule, ...parts)
  // No unseen event takes the later one back, but another call may have made its revision.
  else findings.suspect({ span: { key }, from: revision, to: revision }, rule, ...parts)
}

/** A range with a limit leaves out the keys behind the last one that it shows. */
function isBehindLimit(key: string, { limit = 0 }: Range, kvs: readonly EtcdKeyValue[]): boolean {
  return limit > 0 && kvs.length === limit && kvs.every((kv) => compareKeys(kv.key, key) < 0)
}
