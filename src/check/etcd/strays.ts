/** Events that no call and no lease explains, in words that name what comes closest. */
import { quoted } from '../shortened.js'
import type { Claim } from './claims.js'
import { stepsOf } from './claims.js'
import type { Doubt, Doubts } from './doubts.js'
import type { Findings } from './findings.js'
import { isWithin } from './keys.js'
import type { Leases } from './leases.js'
import type { MakersParts, OfKey } from './makers.js'
import type { Past } from './past.js'
import { type EtcdRecord, isCall, isOk, type TxnOp } from './record.js'

interface StraysParts extends MakersParts {
  readonly findings: Findings
}

const workRule = 'each event is the work of one call'
/** As etcd writes it. */
const everyKey = { key: '\0', rangeEnd: '\0' }

export class Strays {
  readonly #past: Past
  readonly #doubts: Doubts
  readonly #leases: Leases
  readonly #findings: Findings
  readonly #isCovered: MakersParts['isCovered']
  /** Records that put the value to the key, whatever became of them. */
  readonly #puts = new Map<string, number[]>()
  readonly #records: readonly EtcdRecord[]

  constructor(records: readonly EtcdRecord[], parts: StraysParts) {
    const { past, doubts, leases, findings } = parts
    this.#records = records
    this.#past = past
    this.#doubts = doubts
    this.#leases = leases
    this.#findings = findings
    this.#isCovered = parts.isCovered
  }

  hear(record: EtcdRecord, at: number): void {
    for (const { key, value } of putsOf(record)) {
      const name = JSON.stringify([key, value])
      const known = this.#puts.get(name) ?? []
      this.#puts.set(name, known)
      known.push(at)
    }
  }

  /** `strays`: those of the events of the revision that the message is about. */
  report(revision: number, claims: OfKey, strays: OfKey): void {
    const [claim] = [...strays.values()].flat() as [Claim]
    const branching = this.#branching(claim, (ops) => this.#mayMake(ops, revision, claims))
    if (branching !== undefined)
      this.#findings.suspect(
        { span: everyKey, from: 0, to: revision },
        ...[workRule, claim.at, `has an event at ${revision} that would be a part only of what does`],
        branching.at,
      )
    else if (claim.type === 'put') this.#reportPut(claim)
    else this.#reportDelete(claim, [...strays.keys()])
  }

  reportTwice(revision: number, claims: OfKey, at: number): void {
    const rule = 'a call happens once'
    const [claim] = [...claims.values()].flat() as [Claim]
    const what = claims.size === 1 ? 'an event' : `${claims.size} events`
    const said = `made ${what} at ${revision}, and another revision`
    const branching = this.#branching(claim, () => true)
    if (branching === undefined) this.#findings.fail(rule, at, said)
    else
      this.#findings.suspect(
        { span: everyKey, from: 0, to: revision },
        ...[rule, at, `${said}, or a part only was made by`, branching.at],
      )
  }

  /** A transaction that may have made the event by one of its branches if it compared with an event that nobody was told of. */
  #branching({ key, revision }: Claim, isMaker: (ops: readonly TxnOp[]) => boolean): Doubt | undefined {
    return this.#doubts
      .of(key, revision)
      .find(({ call }) => call.op === 'txn' && (isMaker(call.success) || isMaker(call.failure)))
  }

  /** Whether a transaction of these operations brings about all of the events, and no other of which a watch ought to have told. */
  #mayMake(ops: readonly TxnOp[], revision: number, claims: OfKey): boolean {
    const isMade = (claim: Claim): boolean => ops.some((op) => mayBring(op, claim))
    const isUntold = (op: TxnOp): boolean =>
      op.op === 'put' && !claims.has(op.key) && this.#isCovered(op.key, revision, revision)
    return [...claims.values()].flat().every(isMade) && !ops.some(isUntold)
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
    const isInTime = this.#doubts.of(key, revision).some((doubt) => doubt.at === other)
    if (record.outcome === 'unknown' && !isInTime)
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

/** A delete brings about the deletion of any key of its span: an unseen event may have put the key. */
function mayBring(op: TxnOp, { type, key, value, lease }: Claim): boolean {
  if (type === 'delete') return op.op === 'delete' && isWithin(key, op)
  if (op.op !== 'put' || op.key !== key) return false
  const { lease: given = '' } = op
  return (value ?? op.value) === op.value && (lease ?? given) === given
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
