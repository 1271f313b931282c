/** Events that no call and no lease explains, in words that name what comes closest. */
import { quoted } from '../shortened.js'
import type { Claim } from './claims.js'
import { stepsOf } from './claims.js'
import type { Doubt, Doubts } from './doubts.js'
import type { Findings } from './findings.js'
import type { Leases } from './leases.js'
import type { Past } from './past.js'
import { type EtcdRecord, isCall, isOk, type TxnOp } from './record.js'

type OfKey = ReadonlyMap<string, readonly Claim[]>

const workRule = 'each event is the work of one call'
/** As etcd writes it. */
const everyKey = { key: '\0', rangeEnd: '\0' }

export class Strays {
  readonly #past: Past
  readonly #doubts: Doubts
  readonly #leases: Leases
  readonly #findings: Findings
  /** Records that put the value to the key, whatever became of them. */
  readonly #puts = new Map<string, number[]>()
  readonly #records: readonly EtcdRecord[]

  constructor(
    records: readonly EtcdRecord[],
    { past, doubts, leases, findings }: { past: Past; doubts: Doubts; leases: Leases; findings: Findings },
  ) {
    this.#records = records
    this.#past = past
    this.#doubts = doubts
    this.#leases = leases
    this.#findings = findings
  }

  hear(record: EtcdRecord, at: number): void {
    for (const { key, value } of putsOf(record)) {
      const name = JSON.stringify([key, value])
      const known = this.#puts.get(name) ?? []
      this.#puts.set(name, known)
      known.push(at)
    }
  }

  report(revision: number, claims: OfKey): void {
    const [claim] = [...claims.values()].flat() as [Claim]
    const branching = this.#branching(claim)
    if (branching !== undefined)
      this.#findings.suspect(
        { span: everyKey, from: 0, to: revision },
        ...[workRule, claim.at, `has an event at ${revision} that would be a part only of what does`],
        branching.at,
      )
    else if (claim.type === 'put') this.#reportPut(claim)
    else this.#reportDelete(claim, [...claims.keys()])
  }

  reportTwice(revision: number, claims: OfKey, at: number): void {
    const rule = 'a call happens once'
    const [claim] = [...claims.values()].flat() as [Claim]
    const what = claims.size === 1 ? 'an event' : `${claims.size} events`
    const said = `made ${what} at ${revision}, and another revision`
    const branching = this.#branching(claim)
    if (branching === undefined) this.#findings.fail(rule, at, said)
    else
      this.#findings.suspect(
        { span: everyKey, from: 0, to: revision },
        ...[rule, at, `${said}, or a part only was made by`, branching.at],
      )
  }

  /** A transaction that may have made the event if it compared with an event that nobody was told of. */
  #branching({ key, revision }: Claim): Doubt | undefined {
    return this.#doubts.of(key, revision).find(({ call }) => call.op === 'txn')
  }

  #reportPut(claim: Claim): void {
    const { key, value, revision, at } = claim
    const what = `has an event of ${quoted(key)} at ${revision}`
    const others = this.#puts.get(JSON.stringify([key, value])) ?? []
    const other = others.find((each) => each !== at)
    if (other === undefined) return this.#findings.fail(workRule, at, what, 'that nobody asked for')
    const record = this.#records[other]!
    if (!isCall(record)) return
    if (record.outcome === 'fail')
      return this.#findings.fail('a call that failed did not happen', at, what, 'and', other)
    if (record.outcome === 'unknown')
      return this.#findings.fail('real time', other, `was called after ${revision} was known, and`, at, what)
    if (record.op === 'txn') return this.#findings.fail('a transaction is atomic', at, what, 'and', other)
    this.#findings.fail(workRule, at, what, 'and', other)
  }

  /** `keys`: those that were deleted together. An unseen event of any of them may have led to it. */
  #reportDelete({ key, revision, at }: Claim, keys: readonly string[]): void {
    const before = this.#past.last(key)
    const gaps = keys.map((each) => ({
      span: { key: each },
      from: this.#past.unseenFrom(each),
      to: revision,
    }))
    const lease = before?.held?.lease || undefined
    const what = `has a deletion of ${quoted(key)} at ${revision}`
    const alive = lease === undefined ? undefined : this.#leases.mayEndIn(lease, revision)
    if (typeof alive === 'object')
      this.#findings.suspect(
        gaps,
        ...([
          'a lease lives its TTL, and no longer',
          at,
          what,
          'before the TTL is over that was answered to',
        ] as const),
        alive.at,
      )
    else if (before !== undefined && before.held === undefined)
      this.#findings.suspect(
        gaps,
        ...([workRule, at, what, `, and it was deleted at ${before.revision} already:`, before.at] as const),
      )
    else this.#findings.suspect(gaps, workRule, at, what, 'that nobody asked for')
  }
}

function putsOf(record: EtcdRecord): { readonly key: string; readonly value: string }[] {
  if (!isCall(record)) return []
  if (record.op === 'put') return [record]
  if (record.op !== 'txn') return []
  const ops: readonly TxnOp[] = isOk(record)
    ? stepsOf(record).map(({ op }) => op)
    : [...record.success, ...record.failure]
  return ops.flatMap((op) => (op.op === 'put' ? [op] : []))
}
