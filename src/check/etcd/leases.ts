/** When leases may have ended, and what must not happen then. */

import { quoted } from '../shortened.js'
import { stepsOf } from './claims.js'
import type { Findings } from './findings.js'
import type { Known } from './known.js'
import {
  type EtcdCall,
  type EtcdKeyValue,
  type EtcdRecord,
  isCall,
  isOk,
  type LeaseCall,
  type OkCall,
} from './record.js'

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
  /** The records that say of a lease that it is there no longer. */
  readonly #ends: { readonly lease: string; readonly call: EtcdCall; readonly at: number }[] = []
  readonly #records: readonly EtcdRecord[]
  readonly #known: Known
  readonly #findings: Findings

  constructor(records: readonly EtcdRecord[], known: Known, findings: Findings) {
    this.#records = records
    this.#known = known
    this.#findings = findings
  }

  hear(record: EtcdRecord, at: number): void {
    if (!isCall(record)) return
    this.#heard(record, at)
    const lease = endTold(record)
    if (lease !== undefined) this.#ends.push({ lease, call: record, at })
  }

  /** Called once, when all records were heard. Turns. */
  *settle(): Generator<void> {
    for (const { lease, call, at } of this.#ends) {
      this.#toldEnd(this.#of(lease), call.call, returnOf(call), at)
      yield
    }
  }

  /**
   * Why the keys of the lease cannot have been deleted by its end in that revision: a record that kept it alive; `true` if they can.
   */
  mayEndIn(id: string, revision: number): true | Moment | undefined {
    const lease = this.#of(id)
    const isRevoked = lease.revokes.some(
      ({ call }) => (call.revision ?? revision) === revision && this.#known.mayFollow(revision, call.call),
    )
    const seen = this.#known.firstOf(revision)
    if (isRevoked || lease.endedIn !== undefined || seen === undefined) return isRevoked ? true : undefined
    if (lease.grants.length === 0) return undefined
    return this.#isOverAt(lease, seen.time) ? true : lease.aliveUntil
  }

  /** The record of the revoke that was answered with the revision: it deleted the keys of the lease there, or the lease had none. */
  revokedIn(id: string, revision: number): number | undefined {
    return this.#of(id).revokes.find(
      ({ call }) => call.revision === revision && this.#known.mayFollow(revision, call.call),
    )?.at
  }

  /** The keys of the lease were deleted. */
  endedIn(id: string, revision: number, at: number): void {
    this.#of(id).endedIn ??= { revision, at }
  }

  /** For the end, when it is known in which revisions leases ended. Turns. */
  *judge(): Generator<void> {
    for (const [at, record] of this.#records.entries()) {
      if (isCall(record) && isOk(record)) this.#judgeAnswer(record, at)
      yield
    }
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

  #judgeAnswer(call: OkCall, at: number): void {
    for (const lease of leasesPut(call)) this.#judgePut(lease, call, at)
    if (call.op === 'revoke' || (call.op === 'keepAlive' && (call.ttl ?? 0) > 0)) this.#judgeAlive(call, at)
    const isSerializable = call.op === 'range' && call.serializable === true
    if (isSerializable || isOfPast(call)) return
    for (const { key, lease } of shownBy(call)) if (lease) this.#judgeShown(key, lease, call, at)
  }

  #judgePut(id: string, call: OkCall, at: number): void {
    const { grants, revokes, ended, endedIn } = this.#of(id)
    const { revision = 0 } = call
    const revoke = revokes.find((each) => (each.call.revision ?? revision) < revision)
    if (!grants.some((grant) => grant.call.call <= call.return))
      this.#findings.fail(rule, at, 'has a lease that nobody was granted by then')
    if (ended !== undefined && call.call > ended.time)
      this.#findings.fail(rule, at, 'has a lease that had ended:', ended.at)
    else if (endedIn !== undefined && revision > endedIn.revision)
      this.#findings.fail(rule, at, `has a lease whose keys were deleted at ${endedIn.revision}:`, endedIn.at)
    else if (revoke !== undefined)
      this.#findings.fail(rule, at, `has a lease that was revoked at ${revoke.call.revision}:`, revoke.at)
  }

  #judgeAlive(call: OkCall<LeaseCall>, at: number): void {
    const { grants, ended, endedIn } = this.#of(call.lease)
    if (!grants.some((grant) => grant.call.call <= call.return))
      this.#findings.fail(rule, at, 'is done, and nobody was granted the lease by then')
    else if (ended !== undefined && call.call > ended.time)
      this.#findings.fail(rule, at, 'is done, and the lease had ended:', ended.at)
    else if (endedIn !== undefined && !this.#known.mayFollow(endedIn.revision, call.call))
      this.#findings.fail(
        rule,
        at,
        `is done, and the lease's keys were gone at ${endedIn.revision}:`,
        endedIn.at,
      )
  }

  #judgeShown(key: string, id: string, call: EtcdCall, at: number): void {
    const { ended } = this.#of(id)
    if (ended !== undefined && call.call > ended.time)
      this.#findings.fail(rule, at, `shows ${quoted(key)}, whose lease had ended:`, ended.at)
  }
}

/** The lease of which the record says that it is there no longer. */
function endTold(record: EtcdCall): string | undefined {
  if (record.error === 'leaseNotFound' && typeof record.return === 'number') return leaseAskedFor(record)
  if (!isOk(record)) return undefined
  if (record.op === 'revoke') return record.lease
  return record.op === 'keepAlive' && record.ttl !== undefined && record.ttl <= 0 ? record.lease : undefined
}

/** The only lease that the call names: where there are several, nobody was told which of them is meant. */
function leaseAskedFor(call: EtcdCall): string | undefined {
  if (call.op !== 'txn') return ('lease' in call && call.lease) || undefined
  const puts = [...call.success, ...call.failure].flatMap((op) => (op.op === 'put' && op.lease) || [])
  return new Set(puts).size === 1 ? puts[0] : undefined
}

function returnOf(call: EtcdCall): number {
  return (call as { readonly return: number }).return
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
