/** Reads the records of a history into all that the judge looks up in them. */
import { Claims } from './claims.js'
import { Compactions } from './compactions.js'
import { Doubts } from './doubts.js'
import type { Findings } from './findings.js'
import { compareKeys } from './keys.js'
import { Known } from './known.js'
import { Leases } from './leases.js'
import { Past } from './past.js'
import type { EtcdRecord } from './record.js'
import { Replay } from './replay.js'
import { sortedInTurns } from './sorted.js'
import { covers, type Part, Watches } from './watches.js'

export interface Reading {
  readonly known: Known
  readonly doubts: Doubts
  readonly leases: Leases
  readonly compactions: Compactions
  readonly parts: readonly Part[]
  /** Empty until the replay has run. */
  readonly past: Past
  readonly replay: Replay
}

/** Turns, so that a long history can be given up while it is read. */
export function* readRecords(records: readonly EtcdRecord[], findings: Findings): Generator<void, Reading> {
  const known = new Known()
  const claims = new Claims(findings)
  const doubts = new Doubts(known)
  const leases = new Leases(records, known, findings)
  const compactions = new Compactions(known, findings)
  const watches = new Watches(findings)
  for (const [at, record] of records.entries()) {
    for (const each of [known, claims, doubts, leases, compactions, watches]) each.hear(record, at)
    yield
  }
  for (const each of [known, leases, compactions, watches]) yield* each.settle()

  // A call of unknown outcome may have written a key of which nobody was told.
  const keys = new Set([...claims.keys(), ...doubts.keys()])
  const past = new Past(yield* sortedInTurns([...keys], compareKeys))
  const isCovered = (key: string, from: number, to: number): boolean =>
    watches.parts.some((part) => covers(part, { key }, from) && covers(part, { key }, to))
  const replay = new Replay(records, { known, claims, past, doubts, leases, findings, isCovered })
  for (const [at, record] of records.entries()) {
    replay.hear(record, at)
    yield
  }
  return { known, doubts, leases, compactions, parts: watches.parts, past, replay }
}
