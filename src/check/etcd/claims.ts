/** The events of a history, each of one revision and one key, as its records tell them. Records that tell the same event must agree. */
import type { Findings } from './findings.js'
import {
  type EtcdKeyValue,
  type EtcdRecord,
  isCall,
  isOk,
  type OkCall,
  type TxnCall,
  type TxnOp,
  type WatchEvent,
} from './record.js'

/** A field that is left out was not told. */
export interface Claim {
  readonly revision: number
  readonly key: string
  readonly type: 'put' | 'delete'
  readonly value?: string
  readonly createRevision?: number
  readonly version?: number
  /** Empty: the key has none. */
  readonly lease?: string
  /** The record that says so. */
  readonly at: number
}

const compared = ['type', 'value', 'createRevision', 'version', 'lease'] as const

export class Claims {
  readonly #ofRevision = new Map<number, Map<string, Claim[]>>()
  readonly #keys = new Set<string>()
  readonly #findings: Findings

  constructor(findings: Findings) {
    this.#findings = findings
  }

  hear(record: EtcdRecord, at: number): void {
    for (const claim of claimsOf(record, at)) this.#add(claim)
  }

  revisions(): Iterable<number> {
    return this.#ofRevision.keys()
  }

  at(revision: number): ReadonlyMap<string, readonly Claim[]> {
    return this.#ofRevision.get(revision) ?? new Map()
  }

  keys(): Iterable<string> {
    return this.#keys
  }

  #add(claim: Claim): void {
    this.#keys.add(claim.key)
    const ofKey = this.#ofRevision.get(claim.revision) ?? new Map<string, Claim[]>()
    this.#ofRevision.set(claim.revision, ofKey)
    const known = ofKey.get(claim.key) ?? []
    ofKey.set(claim.key, known)
    if (known.some((other) => compared.every((field) => other[field] === claim[field]))) return
    const other = known.find((each) => differ(each, claim) !== undefined)
    if (other !== undefined)
      this.#findings.fail(
        'all see the same event',
        `${differ(other, claim)} of the event of revision ${claim.revision}:`,
        ...[other.at, 'and', claim.at],
        'do not agree',
      )
    known.push(claim)
  }
}

function differ(one: Claim, other: Claim): (typeof compared)[number] | undefined {
  return compared.find(
    (field) => one[field] !== undefined && other[field] !== undefined && one[field] !== other[field],
  )
}

function claimsOf(record: EtcdRecord, at: number): Claim[] {
  if (record.op === 'watchResponse') return (record.events ?? []).flatMap((event) => claimsOfEvent(event, at))
  if (!isCall(record) || !isOk(record)) return []
  const { revision } = record
  switch (record.op) {
    case 'put':
      return revision === undefined ? [] : [claimOfPut(record, revision, at)]
    case 'range':
      return (record.kvs ?? []).flatMap((kv) => claimsOfKv(kv, at))
    case 'txn':
      return stepsOf(record).flatMap(({ op, answer }) => {
        if (op.op === 'put') return revision === undefined ? [] : [claimOfPut(op, revision, at)]
        return (answer.kvs ?? []).flatMap((kv) => claimsOfKv(kv, at))
      })
    default:
      return []
  }
}

/** The operations that a transaction did, with their answers. */
export function stepsOf({ succeeded, success, failure, responses }: OkCall<TxnCall>) {
  return (succeeded === true ? success : failure).map((op: TxnOp, step) => ({
    op,
    answer: responses?.[step] ?? {},
  }))
}

function claimOfPut(
  { key, value, lease = '' }: { key: string; value: string; lease?: string | undefined },
  revision: number,
  at: number,
): Claim {
  return { revision, key, type: 'put', value, lease, at }
}

function claimsOfEvent(event: WatchEvent, at: number): Claim[] {
  if (event.type === 'put') return claimsOfKv(event, at)
  return [{ revision: event.modRevision, key: event.key, type: 'delete', at }]
}

/** A key also tells of the event that created it. */
function claimsOfKv(kv: EtcdKeyValue, at: number): Claim[] {
  const { key, value, createRevision, modRevision, version, lease = '' } = kv
  const shown: Claim = { revision: modRevision, key, type: 'put', value, createRevision, version, lease, at }
  if (createRevision >= modRevision) return [shown]
  return [shown, { revision: createRevision, key, type: 'put', createRevision, version: 1, at }]
}
