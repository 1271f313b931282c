/** When leases may have ended, and what must not happen then. */

import { quoted } from '../shortened.js'
import { stepsOf } from './claims.js'
import type { Findings } from './findings.js'
import type { Known } from './known.js'
import { type EtcdCall, type EtcdKeyValue, type EtcdRecord, isCall, isOk, type LeaseCall } from './record.js'

interface Moment {
  readonly time: number
  readonly at: number
}

interface Lease {
  /** Grants that may have happened. */
  readonly grants: { readonly call: LeaseCall; readonly at: number }[]
  readonly revokes: { readonly call: LeaseCall; readonly at: number }[]
  /** The lease lives at least until then: the record's call was answered with a TTL. */
  aliveUntil: Moment | undefined
  /** When a client was first told that the lease had ended. */
  ended: Moment | undefined
  /** The revision in which its keys were deleted. */
  endedIn: { readonly revision: number; readonly at: number } | undefined
}

const rule = 'a lease lives its TTL, and no longer'
const usPerSecond = 1_000_000
/** Servers count in whole milliseconds. */
const roundingUs = 2000

export class Leases {
  readonly #leases = new Map<string, Lease>()
  readonly #records: readonly EtcdRecord[]
  readonly #known: Known
  readonly #findings: Findings

  constructor(records: readonly EtcdRecord[], known: Known, findings: Findings) {
    this.#records = records
    this.#known = known
    this.#findings = findings
    records.forEach((record, at) => {
      if (isCall(record)) this.#heard(record, at)
    })
    records.forEach((record, at) => {
      const lease = endTold(record)
      if (lease !== undefined) this.#toldEnd(this.#of(lease), (record as EtcdCall).call, returnOf(record), at)
    })
  }

  /**
   * Why the keys of the lease cannot have been deleted by its end in that revision: a record that kept it alive; `true` if they can.
   */
  mayEndIn(id: string, revision: number): true | Moment | undefined {
    const lease = this.#of(id)
    const isRevoked = lease.revokes.some(({ call }) => this.#known.mayFollow(revision, call.call))
    const seen = this.#known.firstOf(revision)
    if (isRevoked || lease.endedIn !== undefined || seen === undefined) return isRevoked ? true : undefined
    if (lease.grants.length === 0) return undefined
    return this.#isOverAt(lease, seen.time) ? true : lease.aliveUntil
  }

  /** The keys of the lease were deleted. */
  endedIn(id: string, revision: number, at: number): void {
    this.#of(id).endedIn ??= { revision, at }
  }

  /** For the end, when it is known in which revisions leases ended. */
  judge(): void {
    this.#records.forEach((record, at) => {
      if (!isCall(record)) return
      if (isOk(record)) for (const lease of leasesPut(record)) this.#judgePut(lease, record, at)
      if (record.op === 'keepAlive' && isOk(record) && (record.ttl ?? 0) > 0) this.#judgeAlive(record, at)
      const isSerializable = record.op === 'range' && record.serializable === true
      if (!isOk(record) || isSerializable || isOfPast(record)) return
      for (const { key, lease } of shownBy(record)) if (lease) this.#judgeShown(key, lease, record, at)
    })
  }

  #of(id: string): Lease {
    const known = this.#leases.get(id)
    if (known !== undefined) return known
    const lease = { grants: [], revokes: [], aliveUntil: undefined, ended: undefined, endedIn: undefined }
    this.#leases.set(id, lease)
    return lease
  }

  #heard(call: EtcdCall, at: number): void {
    if (call.outcome === 'fail' || (call.op !== 'grant' && call.op !== 'keepAlive' && call.op !== 'revoke'))
      return
    const lease = this.#of(call.lease)
    if (call.op === 'grant') lease.grants.push({ call, at })
    if (call.op === 'revoke') lease.revokes.push({ call, at })
    const { ttl = 0 } = call
    if (call.op === 'revoke' || !isOk(call) || ttl <= 0) return
    const time = call.call + ttl * usPerSecond
    if (time > (lease.aliveUntil?.time ?? Number.NEGATIVE_INFINITY)) lease.aliveUntil = { time, at }
  }

  #toldEnd(lease: Lease, call: number, time: number, at: number): void {
    // A lease that may be granted later can be unknown, too.
    const isGranted = lease.grants.some((grant) => isOk(grant.call) && grant.call.return < call)
    if (!isGranted) return
    if (time < (lease.ended?.time ?? Number.POSITIVE_INFINITY)) lease.ended = { time, at }
    const isRevoked = lease.revokes.some((revoke) => revoke.call.call <= time)
    if (isRevoked || this.#isOverAt(lease, time)) return
    this.#findings.fail(rule, at, 'is told before the TTL is over that was answered to', lease.aliveUntil!.at)
  }

  #isOverAt({ aliveUntil }: Lease, time: number): boolean {
    return aliveUntil === undefined || time >= aliveUntil.time - roundingUs
  }

  #judgePut(id: string, call: EtcdCall & { readonly return: number }, at: number): void {
    const { grants, ended, endedIn } = this.#of(id)
    if (!grants.some((grant) => grant.call.call <= call.return))
      this.#findings.fail(rule, at, 'has a lease that nobody was granted by then')
    if (ended !== undefined && call.call > ended.time)
      this.#findings.fail(rule, at, 'has a lease that had ended:', ended.at)
    else if (endedIn !== undefined && (call.revision ?? 0) > endedIn.revision)
      this.#findings.fail(rule, at, `has a lease whose keys were deleted at ${endedIn.revision}:`, endedIn.at)
  }

  #judgeAlive(call: LeaseCall, at: number): void {
    const { ended } = this.#of(call.lease)
    if (ended !== undefined && call.call > ended.time)
      this.#findings.fail(rule, at, 'is answered with a TTL, and the lease had ended:', ended.at)
  }

  #judgeShown(key: string, id: string, call: EtcdCall, at: number): void {
    const { ended } = this.#of(id)
    if (ended !== undefined && call.call > ended.time)
      this.#findings.fail(rule, at, `shows ${quoted(key)}, whose lease had ended:`, ended.at)
  }
}

/** The lease of which the record says that it is there no longer. */
function endTold(record: EtcdRecord): string | undefined {
  if (!isCall(record)) return undefined
  if (record.error === 'leaseNotFound' && typeof record.return === 'number')
    return 'lease' in record && record.lease ? record.lease : undefined
  if (!isOk(record)) return undefined
  if (record.op === 'revoke') return record.lease
  return record.op === 'keepAlive' && record.ttl !== undefined && record.ttl <= 0 ? record.lease : undefined
}

function returnOf(record: EtcdRecord): number {
  return (record as { readonly return: number }).return
}

function leasesPut(call: EtcdCall): string[] {
  if (call.op === 'put') return call.lease ? [call.lease] : []
  if (call.op !== 'txn' || !isOk(call)) return []
  return stepsOf(call).flatMap(({ op }) => (op.op === 'put' && op.lease ? [op.lease] : []))
}

/** Whether the call asked for a revision, at which the keys of a lease may have been there. */
function isOfPast(call: EtcdCall): boolean {
  return call.op === 'range' && (call.atRevision ?? 0) > 0
}

function shownBy(call: EtcdCall): readonly EtcdKeyValue[] {
  if (call.op === 'range') return call.kvs ?? []
  if (call.op !== 'txn' || !isOk(call)) return []
  return stepsOf(call).flatMap(({ answer }) => answer.kvs ?? [])
}
