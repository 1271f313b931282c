/**
 * A record of what a client of etcd's API asked and was told: a call with its end, or a message of a watch. Times are whole
 * microseconds of one clock, since a lease is judged by them. Keys and values are texts, keys in the order of their bytes.
 */
import type { Outcome } from '../model.js'

/** The first write of a store has revision 2: revision 1 is the empty store. */
export const emptyRevision = 1

/** A key as an answer shows it. `lease` is left out if the key has none. */
export interface EtcdKeyValue {
  readonly key: string
  readonly value: string
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  readonly lease?: string | undefined
}

/** As in etcd's API: one key without an end, all keys from `key` on with the end `\0`. */
export interface KeySpan {
  readonly key: string
  readonly rangeEnd?: string | undefined
}

export interface Put {
  readonly op: 'put'
  readonly key: string
  readonly value: string
  readonly lease?: string | undefined
}

export interface Delete extends KeySpan {
  readonly op: 'delete'
}

export interface Range extends KeySpan {
  readonly op: 'range'
  readonly limit?: number | undefined
}

export type TxnOp = Put | Delete | Range

/** The answer to an operation, as far as it tells anything: keys to a range, a number of keys to a delete. */
export interface OpAnswer {
  readonly kvs?: readonly EtcdKeyValue[] | undefined
  readonly deleted?: number | undefined
}

export interface Compare {
  readonly key: string
  readonly target: 'version' | 'createRevision' | 'modRevision' | 'value' | 'lease'
  readonly result: '=' | '!=' | '>' | '<'
  readonly value: string | number
}

/** Errors of an operation that failed, as far as they promise something. */
export const etcdErrors = ['compacted', 'futureRevision', 'leaseNotFound'] as const
export type EtcdError = (typeof etcdErrors)[number]

interface Call {
  readonly client: number | string
  readonly call: number
  /** Only an `ok` call, and one that failed with an `error`, need it. */
  readonly return?: number | null | undefined
  readonly outcome: Outcome
  readonly error?: EtcdError | undefined
}

/** `revision` is that of the answer's header. */
interface Answered extends Call {
  readonly revision?: number | undefined
}

export type PutCall = Answered & Put
export type DeleteCall = Answered & Delete & Pick<OpAnswer, 'deleted'>
export type RangeCall = Answered &
  Range &
  Pick<OpAnswer, 'kvs'> & {
    /** The revision that was asked for, if any. */
    readonly atRevision?: number | undefined
    readonly serializable?: boolean | undefined
  }
export interface TxnCall extends Answered {
  readonly op: 'txn'
  readonly compare: readonly Compare[]
  readonly success: readonly TxnOp[]
  readonly failure: readonly TxnOp[]
  readonly succeeded?: boolean | undefined
  /** One for each operation of the branch that was taken. */
  readonly responses?: readonly OpAnswer[] | undefined
}
export interface CompactCall extends Answered {
  readonly op: 'compact'
  readonly atRevision: number
}
/** `ttl` is the one that was answered, in seconds; 0 or less if the lease has ended. */
export interface LeaseCall extends Answered {
  readonly op: 'grant' | 'keepAlive' | 'revoke'
  readonly lease: string
  readonly ttl?: number | undefined
}

export type EtcdCall = PutCall | DeleteCall | RangeCall | TxnCall | CompactCall | LeaseCall

/** A watch begins. Another record of its client with the same `watch` says that the client began it anew, here or at another member. */
export interface WatchBegun extends KeySpan {
  readonly op: 'watch'
  readonly client: number | string
  readonly watch: string
  /** 0 or left out: from the answer's revision on. */
  readonly startRevision?: number | undefined
  readonly call: number
}

export type WatchEvent =
  | ({ readonly type: 'put' } & EtcdKeyValue)
  | { readonly type: 'delete'; readonly key: string; readonly modRevision: number }

/** A message of a watch came at the time `return`. One without events that is neither creation nor end tells progress. */
export interface WatchResponse {
  readonly op: 'watchResponse'
  readonly client: number | string
  readonly watch: string
  readonly return: number
  readonly revision: number
  readonly created?: boolean | undefined
  readonly canceled?: boolean | undefined
  readonly compactRevision?: number | undefined
  /** More of the same revision follows in the next message. */
  readonly fragment?: boolean | undefined
  readonly events?: readonly WatchEvent[] | undefined
}

export type EtcdRecord = EtcdCall | WatchBegun | WatchResponse

export type OkCall<C extends EtcdCall = EtcdCall> = C & { readonly return: number; readonly outcome: 'ok' }

export function isCall(record: EtcdRecord): record is EtcdCall {
  return record.op !== 'watch' && record.op !== 'watchResponse'
}

export function isOk<C extends EtcdCall>(call: C): call is OkCall<C> {
  return call.outcome === 'ok'
}
