/** Goes through all revisions in their order: each was made by one call or by the end of a lease, and changed what that changes. */
import { quoted } from '../shortened.js'
import { type Claim, type Claims, stepsOf } from './claims.js'
import { comparesHold, type Effect, effectsOf, isChange } from './effects.js'
import { type Findings, failuresMax } from './findings.js'
import { compareKeys } from './keys.js'
import type { Known } from './known.js'
import type { Leases } from './leases.js'
import { Makers, type MakersParts, type OfKey, type PossibleMaker } from './makers.js'
import { Matching } from './matching.js'
import type { Held, Past, Version } from './past.js'
import {
  type Compare,
  type EtcdRecord,
  emptyRevision,
  isCall,
  isOk,
  type KeySpan,
  type OkCall,
  type Put,
  type TxnCall,
} from './record.js'
import { judgeShown } from './shown.js'
import { sortedInTurns } from './sorted.js'
import { Strays } from './strays.js'

interface Writer {
  readonly call: OkCall
  readonly at: number
}

export interface ReplayParts extends MakersParts {
  readonly known: Known
  readonly claims: Claims
  readonly findings: Findings
}

const versionsRule = 'versions and revisions of a key agree'

export class Replay {
  /** The first revisions whose maker is one of several that would have changed different keys, or may have needed an unseen event. */
  readonly ambiguous: { readonly revision: number; readonly at: readonly number[] }[] = []
  ambiguousCount = 0
  readonly matching = new Matching()
  /** Revisions with an event that somebody was told of, sorted. */
  readonly written: number[] = []
  /** Those of them whose maker is known, and by it all of their events. */
  readonly explained: number[] = []
  readonly #known: Known
  readonly #claims: Claims
  readonly #past: Past
  readonly #leases: Leases
  readonly #findings: Findings
  readonly #strays: Strays
  readonly #makers: Makers
  readonly #writers = new Map<number, Writer>()
  /** Revisions that two writes were told. */
  readonly #disputed = new Set<number>()
  readonly #revokes = new Map<number, Writer[]>()

  constructor(records: readonly EtcdRecord[], parts: ReplayParts) {
    this.#makers = new Makers(parts, this.explained)
    this.#known = parts.known
    this.#claims = parts.claims
    this.#past = parts.past
    this.#leases = parts.leases
    this.#findings = parts.findings
    this.#strays = new Strays(records, parts)
  }

  hear(record: EtcdRecord, at: number): void {
    this.#strays.hear(record, at)
    if (isCall(record) && isOk(record)) this.#heard({ call: record, at })
  }

  /** Turns, one for each revision. */
  *run(): Generator<void> {
    const all = new Set([...this.#claims.revisions(), ...this.#writers.keys(), ...this.#revokes.keys()])
    for (const revision of yield* sortedInTurns([...all], (one, other) => one - other)) {
      this.#replay(revision)
      yield
    }
  }

  #heard(writer: Writer): void {
    const { call, at } = writer
    const { revision } = call
    if (revision === undefined) return
    if (call.op === 'revoke') {
      const revokes = this.#revokes.get(revision) ?? []
      this.#revokes.set(revision, revokes)
      revokes.push(writer)
    }
    if (!isChange(call)) return
    const other = this.#writers.get(revision)
    if (other === undefined) {
      this.#writers.set(revision, writer)
      return
    }
    this.#disputed.add(revision)
    this.#findings.fail('each write has a revision of its own', other.at, 'and', at, 'have the same')
  }

  #replay(revision: number): void {
    const claims = this.#claims.at(revision)
    const revokes = this.#revokes.get(revision) ?? []
    const writer = this.#writers.get(revision)
    if (claims.size > 0 || writer !== undefined) this.written.push(revision)
    if (revision <= emptyRevision) this.#judgeFirst(claims, writer)
    if (writer !== undefined) {
      this.#write(revision, writer, claims)
      this.explained.push(revision)
    } else if (claims.size > 0) this.#explain(revision, claims)
    else this.#inferRevoked(revision, revokes)
    for (const revoke of revokes) this.#judgeRevoked(revision, revoke)
  }

  #judgeFirst(claims: OfKey, writer: Writer | undefined): void {
    const at = writer?.at ?? [...claims.values()][0]?.[0]?.at
    if (at !== undefined)
      this.#findings.fail('each write has a revision of its own', at, 'tells of a write in the empty store')
  }

  /**
   * A revoke made the revision of which nobody was told an event, if it had keys to delete. One that deletes nothing is answered
   * with the revision of the change before it.
   */
  #inferRevoked(revision: number, revokes: readonly Writer[]): void {
    for (const { call, at } of revokes) {
      const effects = effectsOf(call, this.#past)
      if (call.op !== 'revoke' || !effects?.size || !this.#known.mayFollow(revision, call.call)) continue
      if (!this.#makers.mayHaveLeft([...effects.keys()], revision)) {
        this.explained.push(revision)
        this.#leases.endedIn(call.lease, revision, at)
      }
      return this.#apply(revision, effects, new Map(), at)
    }
  }

  #judgeRevoked(revision: number, { call, at }: Writer): void {
    const [key] = call.op === 'revoke' ? this.#past.attached(call.lease) : []
    if (key === undefined) return
    const from = this.#past.last(key)?.revision ?? 0
    this.#findings.suspect(
      { span: { key }, from, to: revision },
      ...(['a lease lives its TTL, and no longer', at, `left ${quoted(key)} there`] as const),
    )
  }

  #write(revision: number, { call, at }: Writer, claims: OfKey): void {
    if (call.op === 'txn') this.#judgeTxn(revision, call, at)
    const effects = effectsOf(call, this.#past) ?? new Map<string, Effect>()
    if (call.op === 'delete')
      this.#judgeDeleted({ revision, at }, call, call.deleted, (key) => this.#past.last(key))
    this.#apply(revision, effects, claims, at)
  }

  /** No call that was answered made the revision: a call of unknown outcome did, or the end of a lease. */
  #explain(revision: number, claims: OfKey): void {
    const makers = this.#makers.of(revision, claims)
    const [first] = makers
    if (first === undefined) this.#report(revision, claims)
    else if (this.#match(revision, claims, makers)) this.explained.push(revision)
    if (makers.length === 1 && typeof first?.maker === 'string')
      this.#leases.endedIn(first.maker, revision, first.at)
    const isAmbiguous = new Set(makers.map(({ effects }) => signatureOf(effects))).size > 1
    if ((isAmbiguous || makers.some(({ isSupposed }) => isSupposed)) && ++this.ambiguousCount <= failuresMax)
      this.ambiguous.push({ revision, at: [...new Set(makers.map(({ at }) => at))].slice(0, failuresMax) })
    this.#apply(revision, first?.effects ?? new Map(), claims, first?.at)
  }

  /** An event that nobody made even alone is the fault; otherwise no call made all of them together. */
  #report(revision: number, claims: OfKey): void {
    const each = [...claims].map((claim) => new Map([claim]))
    const strays = each.find((one) => this.#makers.of(revision, one).length === 0) ?? claims
    this.#strays.report(revision, claims, strays)
  }

  /** A revision without room is left out: what the others ask of their makers holds without it, too. */
  #match(revision: number, claims: OfKey, possible: readonly PossibleMaker[]): boolean {
    const makers = [...new Set(possible.map(({ maker }) => maker))]
    const hasRoom = this.matching.hasRoomFor(makers)
    if (!hasRoom) this.#findings.drop()
    const isMatched = hasRoom && this.matching.add(revision, makers)
    if (hasRoom && !isMatched) this.#strays.reportTwice(revision, claims, possible[0]!.at)
    return isMatched
  }

  #apply(
    revision: number,
    effects: ReadonlyMap<string, Effect>,
    claims: OfKey,
    at: number | undefined,
  ): void {
    for (const [key, told] of claims) if (!effects.has(key)) this.#adopt(revision, key, told, at)
    for (const [key, effect] of effects) {
      const told = claims.get(key) ?? []
      const deletes = effect === 'deleted'
      const other = told.find(({ type }) => (type === 'delete') !== deletes)
      if (other !== undefined && at !== undefined)
        this.#findings.fail('all see the same event', other.at, 'and', at, 'do not agree')
      const by = told[0]?.at ?? at ?? 0
      const held = deletes ? undefined : this.#heldAfter(revision, key, effect, told, by)
      this.#add(revision, key, held, told, by)
    }
  }

  /** An event that the maker of its revision did not bring about. */
  #adopt(revision: number, key: string, told: readonly Claim[], at: number | undefined): void {
    const claim = told[0]!
    const before = this.#past.last(key)
    if (at !== undefined && !this.#disputed.has(revision)) {
      const parts = [claim.at, `has an event of ${quoted(key)} at ${revision}, which was made by`, at]
      const isOfNone = claim.type === 'delete' && before?.held === undefined
      const rule = 'each event is the work of one call'
      if (isOfNone)
        this.#findings.suspect(
          { span: { key }, from: this.#past.unseenFrom(key), to: revision },
          ...([rule, ...parts] as const),
        )
      else this.#findings.fail(rule, ...parts)
    }
    const deletes = claim.type === 'delete'
    const effect = { value: claim.value, lease: claim.lease ?? '' }
    const held = deletes ? undefined : this.#heldAfter(revision, key, effect, told, claim.at)
    this.#add(revision, key, held, told, claim.at)
  }

  #add(revision: number, key: string, held: Held | undefined, told: readonly Claim[], at: number): void {
    // A deletion that nobody told of may be none: an unseen event may have come before it.
    const isSure = held === undefined ? told.length > 0 : told.some(({ version }) => version !== undefined)
    const sureFrom = isSure ? revision : (this.#past.last(key)?.sureFrom ?? 0)
    this.#past.add(key, { revision, held, at, sureFrom, isTold: told.length > 0 })
  }

  #heldAfter(
    revision: number,
    key: string,
    { value, lease }: Exclude<Effect, 'deleted'>,
    told: readonly Claim[],
    at: number,
  ): Held {
    const before = this.#past.last(key)
    const createRevision = before?.held?.createRevision ?? revision
    const version = (before?.held?.version ?? 0) + 1
    const other = told.find(
      (claim) => disagrees(claim.createRevision, createRevision) || disagrees(claim.version, version),
    )
    if (other === undefined) return { value, lease, createRevision, modRevision: revision, version }
    this.#findings.suspect(
      {
        span: { key },
        from: before?.sureFrom ?? 0,
        to: revision,
      },
      ...[
        versionsRule,
        other.at,
        `has version ${other.version}, created at ${other.createRevision}; by the events`,
      ],
      ...[`before it, this is version ${version}, created at ${createRevision}:`, before?.at ?? at],
    )
    return {
      ...{ value, lease, modRevision: revision },
      createRevision: other.createRevision ?? createRevision,
      version: other.version ?? version,
    }
  }

  #judgeDeleted(
    { revision, at }: { readonly revision: number; readonly at: number },
    { key, rangeEnd }: KeySpan,
    deleted: number | undefined,
    versionOf: (key: string) => Version | undefined,
  ): void {
    const span = { key, rangeEnd }
    const there = [...this.#past.keysWithin(span)].filter((each) => versionOf(each)?.held !== undefined)
    if (deleted === undefined || deleted === there.length) return
    this.#findings.suspect(
      { span, from: 0, to: revision },
      ...['a delete tells what it deleted', at, `deleted ${deleted}, and ${there.length} keys were there`],
    )
  }

  /** A transaction is atomic: it compares with what was there before it, and each operation sees those before it. */
  #judgeTxn(revision: number, call: OkCall<TxnCall>, at: number): void {
    judgeCompares(call, at, (key) => this.#past.last(key), revision, this.#findings)
    const own = new Map<string, Version>()
    const versionOf = (key: string): Version | undefined => own.get(key) ?? this.#past.last(key)
    const told = { revision, at, sureFrom: revision, isTold: true }
    for (const { op, answer } of stepsOf(call)) {
      if (op.op === 'put') own.set(op.key, { ...told, held: justPut(op, revision) })
      if (op.op === 'delete') {
        this.#judgeDeleted({ revision, at }, op, answer.deleted, versionOf)
        for (const key of this.#past.keysWithin(op))
          if (this.#past.last(key)?.held !== undefined) own.set(key, { ...told, held: undefined })
      }
      if (op.op === 'range' && answer.kvs !== undefined)
        judgeShown({ range: op, kvs: answer.kvs, revision, at }, this.#past, versionOf, this.#findings)
    }
  }
}

/** A transaction took the branch that its comparisons say. */
export function judgeCompares(
  call: OkCall<TxnCall>,
  at: number,
  versionOf: (key: string) => Version | undefined,
  revision: number,
  findings: Findings,
): void {
  const holds = comparesHold(call.compare, (key) => versionOf(key)?.held)
  if (holds === undefined || holds === (call.succeeded === true)) return
  const suspect = (keys: readonly string[]): void => {
    const gaps = keys.map((key) => ({ span: { key }, from: versionOf(key)?.sureFrom ?? 0, to: revision }))
    const version = versionOf(keys[0] ?? '')
    const parts = [
      at,
      'took the other branch than its comparisons say',
      ...(version ? ['by', version.at] : []),
    ]
    findings.suspect(gaps, 'a transaction compares with what is there', ...parts)
  }
  // Of a transaction that did not succeed, any comparison may have failed. Of one that succeeded, each has to hold.
  if (holds) return suspect(call.compare.map(({ key }) => key))
  const isWrong = (compare: Compare): boolean =>
    comparesHold([compare], (key) => versionOf(key)?.held) === false
  for (const key of new Set(call.compare.filter(isWrong).map((compare) => compare.key))) suspect([key])
}

/** The state of a key behind a put of the same transaction, as far as a range of it is concerned. */
function justPut({ value, lease = '' }: Put, revision: number): Held {
  return { value, lease, createRevision: revision, modRevision: revision, version: 1 }
}

function disagrees(told: number | undefined, expected: number): boolean {
  return told !== undefined && told !== expected
}

function signatureOf(effects: ReadonlyMap<string, Effect>): string {
  return JSON.stringify([...effects].sort(([one], [other]) => compareKeys(one, other)))
}
