/** Goes through all revisions in their order: each was made by one call or by the end of a lease, and changed what that changes. */
import { type Claim, type Claims, stepsOf } from './claims.js'
import type { Doubt, Doubts } from './doubts.js'
import { comparesHold, type Effect, effectsOf, isChange } from './effects.js'
import type { Findings } from './findings.js'
import { compareKeys } from './keys.js'
import type { Leases } from './leases.js'
import { type Maker, Matching } from './matching.js'
import type { Held, Past, Version } from './past.js'
import { type EtcdRecord, isCall, isOk, type KeySpan, type OkCall, type Put, type TxnCall } from './record.js'
import { judgeShown } from './shown.js'
import { Strays } from './strays.js'

interface Writer {
  readonly call: OkCall
  readonly at: number
}

export interface ReplayParts {
  readonly claims: Claims
  readonly past: Past
  readonly doubts: Doubts
  readonly leases: Leases
  readonly findings: Findings
  /** Whether a watch told all events of the key in that revision. */
  isCovered(key: string, revision: number): boolean
}

type OfKey = ReadonlyMap<string, readonly Claim[]>

const versionsRule = 'versions and revisions of a key agree'

export class Replay {
  /** Revisions whose maker is one of several that would have changed different keys. */
  readonly ambiguous: { readonly revision: number; readonly at: readonly number[] }[] = []
  readonly matching = new Matching()
  readonly #claims: Claims
  readonly #past: Past
  readonly #doubts: Doubts
  readonly #leases: Leases
  readonly #findings: Findings
  readonly #strays: Strays
  readonly #isCovered: ReplayParts['isCovered']
  readonly #writers = new Map<number, Writer>()
  /** Revisions that two writes were told. */
  readonly #disputed = new Set<number>()
  readonly #revokes = new Map<number, Writer>()

  constructor(records: readonly EtcdRecord[], parts: ReplayParts) {
    this.#isCovered = parts.isCovered
    this.#claims = parts.claims
    this.#past = parts.past
    this.#doubts = parts.doubts
    this.#leases = parts.leases
    this.#findings = parts.findings
    this.#strays = new Strays(records, parts)
    records.forEach((call, at) => {
      if (isCall(call) && isOk(call)) this.#heard({ call, at })
    })
  }

  /** Turns, one for each revision. */
  *run(): Generator<void> {
    const all = new Set([...this.#claims.revisions(), ...this.#writers.keys(), ...this.#revokes.keys()])
    for (const revision of [...all].sort((one, other) => one - other)) {
      this.#replay(revision)
      yield
    }
  }

  /** Revisions with an event that somebody was told of, sorted. */
  writtenRevisions(): number[] {
    const all = new Set([...this.#claims.revisions(), ...this.#writers.keys()])
    return [...all].sort((one, other) => one - other)
  }

  #heard(writer: Writer): void {
    const { call, at } = writer
    const { revision } = call
    if (revision === undefined) return
    if (call.op === 'revoke') this.#revokes.set(revision, writer)
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
    const writer = this.#writers.get(revision)
    const revoke = this.#revokes.get(revision)
    const isRevoke = writer === undefined && revoke !== undefined
    const maker = writer ?? (isRevoke ? revoke : undefined)
    if (maker === undefined) this.#explain(revision, claims)
    else this.#write(revision, maker, claims)
    const left = revoke?.call.op === 'revoke' ? this.#past.attached(revoke.call.lease) : []
    if (left.length > 0)
      this.#findings.fail('a lease lives its TTL, and no longer', revoke!.at, `left ${left[0]} there`)
  }

  #write(revision: number, { call, at }: Writer, claims: OfKey): void {
    if (call.op === 'txn') this.#judgeTxn(revision, call, at)
    const effects = effectsOf(call, this.#past) ?? new Map<string, Effect>()
    if (call.op === 'revoke' && effects.size > 0) this.#leases.endedIn(call.lease, revision, at)
    if (call.op === 'delete') this.#judgeDeleted(revision, call, call.deleted, at)
    this.#apply(revision, effects, claims, at)
  }

  /** No call that was answered made the revision: a call of unknown outcome did, or the end of a lease. */
  #explain(revision: number, claims: OfKey): void {
    const makers = this.#makersOf(revision, claims)
    const [first] = makers
    if (first === undefined) this.#strays.report(revision, claims)
    else if (
      !this.matching.add(
        revision,
        makers.map(({ maker }) => maker),
      )
    )
      this.#strays.reportTwice(revision, claims, first.at)
    if (makers.length === 1 && typeof first?.maker === 'string')
      this.#leases.endedIn(first.maker, revision, first.at)
    if (new Set(makers.map(({ effects }) => signatureOf(effects))).size > 1)
      this.ambiguous.push({ revision, at: makers.map(({ at }) => at) })
    this.#apply(revision, first?.effects ?? new Map(), claims, first?.at)
  }

  /** The one that changes the fewest keys first. */
  #makersOf(revision: number, claims: OfKey): { maker: Maker; effects: Map<string, Effect>; at: number }[] {
    const [[key, [claim]] = ['', []]] = claims as ReadonlyMap<string, Claim[]>
    if (claim === undefined) return []
    const makers = this.#doubts.of(key, revision).flatMap(({ call, at }: Doubt) => {
      const effects = effectsOf(call, this.#past)
      return effects !== undefined && isExplained(claims, effects)
        ? [{ maker: at as Maker, effects, at }]
        : []
    })
    const lease = claim.type === 'delete' ? this.#past.last(key)?.held?.lease : undefined
    if (lease && this.#leases.mayEndIn(lease, revision) === true) {
      const effects = new Map<string, Effect>(this.#past.attached(lease).map((each) => [each, 'deleted']))
      if (isExplained(claims, effects)) makers.push({ maker: lease, effects, at: claim.at })
    }
    const isSeen = (effects: ReadonlyMap<string, Effect>): boolean =>
      [...effects.keys()].every((each) => claims.has(each) || !this.#isCovered(each, revision))
    // A watch would have told of all that the maker changed.
    const seen = makers.filter(({ effects }) => isSeen(effects))
    const likely = seen.length > 0 ? seen : makers
    return likely.sort((one, other) => one.effects.size - other.effects.size)
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
      const parts = [claim.at, `has an event of ${JSON.stringify(key)} at ${revision}, which was made by`, at]
      const lease = before?.held?.lease || undefined
      const isOfNone = claim.type === 'delete' && before?.held === undefined
      const rule = 'each event is the work of one call'
      if (isOfNone)
        this.#findings.suspect(
          { span: { key }, from: before?.revision ?? 0, to: revision, lease },
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
    const isSure = held === undefined || told.some(({ version }) => version !== undefined)
    const sureFrom = isSure ? revision : (this.#past.last(key)?.sureFrom ?? 0)
    this.#past.add(key, { revision, held, at, sureFrom })
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
        lease: before?.held?.lease || undefined,
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

  #judgeDeleted(revision: number, { key, rangeEnd }: KeySpan, deleted: number | undefined, at: number): void {
    const span = { key, rangeEnd }
    const there = [...this.#past.keysWithin(span)].filter((each) => this.#past.last(each)?.held !== undefined)
    if (deleted === undefined || deleted === there.length) return
    const lease = this.#leaseWithin(span)
    this.#findings.suspect(
      { span, from: 0, to: revision, lease },
      ...['a delete tells what it deleted', at, `deleted ${deleted}, and ${there.length} keys were there`],
    )
  }

  #leaseWithin(span: { readonly key: string; readonly rangeEnd?: string | undefined }): string | undefined {
    for (const key of this.#past.keysWithin(span)) {
      const lease = this.#past.last(key)?.held?.lease
      if (lease) return lease
    }
    return undefined
  }

  /** A transaction is atomic: it compares with what was there before it, and each operation sees those before it. */
  #judgeTxn(revision: number, call: OkCall<TxnCall>, at: number): void {
    judgeCompares(call, at, (key) => this.#past.last(key), revision, this.#findings)
    const own = new Map<string, Version>()
    for (const { op, answer } of stepsOf(call)) {
      if (op.op === 'put') own.set(op.key, { revision, at, sureFrom: revision, held: justPut(op, revision) })
      if (op.op === 'delete') {
        this.#judgeDeleted(revision, op, answer.deleted, at)
        for (const key of this.#past.keysWithin(op))
          if (this.#past.last(key)?.held !== undefined)
            own.set(key, { revision, at, sureFrom: revision, held: undefined })
      }
      if (op.op === 'range' && answer.kvs !== undefined)
        judgeShown(
          { range: op, kvs: answer.kvs, revision, at },
          this.#past,
          (key) => own.get(key) ?? this.#past.last(key),
          this.#findings,
        )
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
  const wrong = call.compare.find(
    (compare) => comparesHold([compare], (key) => versionOf(key)?.held) !== call.succeeded,
  )
  const version = wrong && versionOf(wrong.key)
  const { key = '' } = wrong ?? {}
  const parts = [at, 'took the other branch than its comparisons say', ...(version ? ['by', version.at] : [])]
  const lease = version?.held?.lease || undefined
  findings.suspect(
    { span: { key }, from: version?.sureFrom ?? 0, to: revision, lease },
    ...(['a transaction compares with what is there', ...parts] as const),
  )
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

/** Whether these effects are, among others, the events that were told. */
function isExplained(claims: OfKey, effects: ReadonlyMap<string, Effect>): boolean {
  return [...claims].every(([key, told]) => {
    const effect = effects.get(key)
    return told.every(({ type, value, lease }) => {
      if (effect === undefined || effect === 'deleted') return effect === 'deleted' && type === 'delete'
      return (
        type === 'put' && (value ?? effect.value) === effect.value && (lease ?? effect.lease) === effect.lease
      )
    })
  })
}
