/** etcd's store as a plain list of changes, and random commands to it. */
import fc from 'fast-check'
import type { Event } from './machine-help.js'

interface Change {
  readonly revision: number
  readonly key: string
  /** `undefined`: the key was deleted. */
  readonly value: string | undefined
  readonly createRevision: number
  readonly version: number
}

interface Keys {
  readonly key: string
  readonly rangeEnd?: string | undefined
}

export interface KeyValue {
  readonly key: string
  readonly value: string
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
}

export interface Put {
  readonly key: string
  readonly value: string
}

export interface Txn {
  readonly compare: readonly {
    readonly key: string
    readonly target: 2
    readonly result: 0
    readonly modRevision: number
  }[]
  readonly success: readonly Operation[]
  readonly failure: readonly Operation[]
}

export type Operation =
  | { readonly requestPut: Put }
  | { readonly requestDeleteRange: Keys }
  | { readonly requestTxn: Txn }

export type Step =
  | { readonly op: 'put'; readonly request: Put }
  | { readonly op: 'deleteRange'; readonly request: Keys }
  | { readonly op: 'txn'; readonly request: Txn }
  /** So many revisions before the present one. */
  | { readonly op: 'compact'; readonly back: number }

const key = fc.constantFrom('a', 'aa', 'ab', 'b', 'ba', 'c', '\xff')
const rangeEnd = fc.constantFrom(undefined, undefined, '\0', 'ab', 'b', 'c')
const value = fc.oneof(
  fc.constantFrom('', 'x', 'y'),
  fc.integer({ min: 0, max: 3000 }).map((length) => 'z'.repeat(length)),
)
const putRequest: fc.Arbitrary<Put> = fc.record({ key, value })
const keys: fc.Arbitrary<Keys> = fc.record({ key, rangeEnd })
const compare = fc.record({
  key,
  target: fc.constant(2 as const),
  result: fc.constant(0 as const),
  modRevision: fc.constantFrom(0, 0, 2, 3, 5, 8),
})
const txn = fc.letrec<{ txn: Txn }>((tie) => {
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    { depthSize: 'small' },
    fc.record({ requestPut: putRequest }),
    fc.record({ requestDeleteRange: keys }),
    fc.record({ requestTxn: tie('txn') }),
  )
  const operations = fc.array(operation, { maxLength: 3 })
  return {
    txn: fc.record({
      compare: fc.array(compare, { maxLength: 2 }),
      success: operations,
      failure: operations,
    }),
  }
}).txn

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: putRequest.map((request) => ({ op: 'put' as const, request })) },
  { weight: 3, arbitrary: keys.map((request) => ({ op: 'deleteRange' as const, request })) },
  { weight: 3, arbitrary: txn.map((request) => ({ op: 'txn' as const, request })) },
  { weight: 1, arbitrary: fc.nat({ max: 12 }).map((back) => ({ op: 'compact' as const, back })) },
)

/** A put of a value so long that a program of such puts fills some segments of the store's memory. */
export const largePut: fc.Arbitrary<Step> = fc
  .record({ key, value: fc.integer({ min: 40_000, max: 100_000 }).map((length) => 'z'.repeat(length)) })
  .map((request) => ({ op: 'put' as const, request }))

export class Model {
  readonly #changes: Change[] = []
  revision = 1
  compactRevision = -1
  /** Whether the command under way has changed something. */
  #isChanged = false

  do(each: Step): void {
    if (each.op === 'put') this.#put(each.request)
    else if (each.op === 'deleteRange') this.#delete(each.request)
    else if (each.op === 'txn') this.#run(each.request, this.#decide(each.request))
    else this.compactRevision = Math.max(this.compactRevision, this.revision - each.back)
    if (this.#isChanged) this.revision++
    this.#isChanged = false
  }

  /** Keys and their values at a revision. */
  range({ key: from, rangeEnd: end }: Keys, revision: number): KeyValue[] {
    const isWithin = (each: string): boolean =>
      end === undefined ? each === from : each >= from && (end === '\0' || each < end)
    const names = [...new Set(this.#changes.map((change) => change.key))].filter(isWithin).sort()
    return names.flatMap((name) => this.#at(name, revision) ?? [])
  }

  /** The changes from a revision on, of which the compaction left all. */
  history(from: number): Pick<Event, 'revision' | 'type' | 'key'>[] {
    return this.#changes
      .filter(({ revision }) => revision >= from)
      .map((change) => ({
        revision: change.revision,
        type: change.value === undefined ? 'delete' : 'put',
        key: change.key,
      }))
  }

  #at(name: string, revision: number): KeyValue | undefined {
    const last = this.#changes.findLast((change) => change.key === name && change.revision <= revision)
    if (last?.value === undefined) return undefined
    const { createRevision, version, revision: modRevision } = last
    return { key: name, value: last.value, createRevision, modRevision, version }
  }

  #put({ key: name, value: text }: Put): void {
    const revision = this.revision + 1
    const present = this.#at(name, revision)
    this.#isChanged = true
    this.#changes.push({
      revision,
      key: name,
      value: text,
      createRevision: present?.createRevision ?? revision,
      version: (present?.version ?? 0) + 1,
    })
  }

  #delete(request: Keys): void {
    const revision = this.revision + 1
    for (const { key: name } of this.range(request, revision)) {
      this.#isChanged = true
      this.#changes.push({ revision, key: name, value: undefined, createRevision: 0, version: 0 })
    }
  }

  /** Whether `success` runs, of this and of each nested transaction, in the order in which they run. */
  #decide(request: Txn): boolean[] {
    const holds = request.compare.every(
      ({ key: name, modRevision }) => (this.#at(name, this.revision)?.modRevision ?? 0) === modRevision,
    )
    const operations = holds ? request.success : request.failure
    return [
      holds,
      ...operations.flatMap((each) => ('requestTxn' in each ? this.#decide(each.requestTxn) : [])),
    ]
  }

  #run(request: Txn, path: boolean[]): void {
    for (const each of path.shift() === true ? request.success : request.failure) {
      if ('requestPut' in each) this.#put(each.requestPut)
      else if ('requestDeleteRange' in each) this.#delete(each.requestDeleteRange)
      else this.#run(each.requestTxn, path)
    }
  }
}
