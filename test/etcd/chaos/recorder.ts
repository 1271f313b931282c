/** Calls of etcd's API and their answers, as `protos` tells them, as records of a history for `raftbox check --model etcd`. */
import type { EtcdCall, EtcdRecord, TxnOp, WatchEvent } from '../../../src/check/index.js'
import type { Answer, Message } from '../oracle/client.js'

/** The kind of error that gRPC tells when a call has not left the client. */
const notSent = 'No connection established'
/** Codes of gRPC with which a server says that it did nothing. */
const refusals = [3, 5, 6, 9, 11]
const errors: readonly (readonly [RegExp, EtcdCall['error']])[] = [
  [/has been compacted/, 'compacted'],
  [/future revision/, 'futureRevision'],
  [/lease not found/, 'leaseNotFound'],
]
const results = ['=', '>', '<', '!='] as const
const targets = ['version', 'createRevision', 'modRevision', 'value', 'lease'] as const

/** The time in microseconds. */
export const nowUs = (): number => Math.round(performance.now() * 1000)

export class Recorder {
  readonly records: EtcdRecord[] = []

  /** The call `KV/Put`, say, ended now. */
  ended(client: string, name: string, request: Message, callUs: number, answer: Answer): void {
    const begun = { client, call: callUs, return: nowUs() }
    const told = 'response' in answer
    const ended = told
      ? { ...begun, outcome: 'ok', ...revisionOf(answer.response) }
      : { ...begun, ...failed(answer) }
    const record = { ...ended, ...asked(name, request, told ? answer.response : undefined) }
    this.records.push(record as EtcdRecord)
  }

  watches(client: string, watch: string, { key, rangeEnd, startRevision }: Message): void {
    const span = { key: textOf(key), rangeEnd: textOf(rangeEnd) }
    this.records.push({
      op: 'watch',
      client,
      watch,
      ...span,
      startRevision: Number(startRevision ?? 0),
      call: nowUs(),
    })
  }

  watched(client: string, watch: string, response: Message): void {
    const { created, canceled, compactRevision, fragment, events } = response
    this.records.push({
      ...{ op: 'watchResponse', client, watch, return: nowUs(), ...revisionOf(response) },
      ...{ created: created === true, canceled: canceled === true, fragment: fragment === true },
      compactRevision: Number(compactRevision ?? 0),
      events: (events as Message[]).map(eventOf),
    } as EtcdRecord)
  }
}

function failed({ code, details }: { code: number; details: string }): Partial<EtcdCall> {
  const error = errors.find(([words]) => words.test(details))?.[1]
  const isRefused = refusals.includes(code) || details.startsWith(notSent)
  return { outcome: isRefused ? 'fail' : 'unknown', ...(error && { error }) }
}

function asked(name: string, request: Message, response: Message | undefined): object {
  switch (name) {
    case 'KV/Txn':
      return { op: 'txn', ...txn(request, response) }
    case 'KV/Compact':
      return { op: 'compact', atRevision: Number(request['revision']) }
    case 'Lease/LeaseGrant':
      return { op: 'grant', lease: response?.['ID'] ?? '-1', ...ttlOf(response) }
    case 'Lease/LeaseKeepAlive':
      return { op: 'keepAlive', lease: request['ID'], ...ttlOf(response) }
    case 'Lease/LeaseRevoke':
      return { op: 'revoke', lease: request['ID'] }
    case 'KV/Range': {
      const { revision, serializable } = request
      const how = { atRevision: Number(revision ?? 0), serializable: serializable === true }
      return { ...opOf({ requestRange: request }), ...how, ...answerOf('responseRange', response) }
    }
    case 'KV/DeleteRange':
      return { ...opOf({ requestDeleteRange: request }), ...answerOf('responseDeleteRange', response) }
    default:
      return opOf({ requestPut: request })
  }
}

function txn({ compare = [], success = [], failure = [] }: Message, response: Message | undefined): object {
  const compares = (compare as Message[]).map((each) => {
    const target = targets[Number(each['target'] ?? 0)] ?? 'version'
    const value = target === 'value' ? textOf(each[target]) : Number(each[target] ?? 0)
    return { key: textOf(each['key']), target, result: results[Number(each['result'] ?? 0)], value }
  })
  const branches = { success: (success as Message[]).map(opOf), failure: (failure as Message[]).map(opOf) }
  if (response === undefined) return { compare: compares, ...branches }
  const responses = (response['responses'] as Message[]).map((each) => {
    const [[kind, answer] = ['', {}]] = Object.entries(each).filter(([, value]) => isMessage(value))
    return answerOf(kind, answer as Message)
  })
  return { compare: compares, ...branches, succeeded: response['succeeded'] === true, responses }
}

function opOf({ requestPut, requestRange, requestDeleteRange }: Message): TxnOp {
  if (requestPut !== undefined) {
    const { key, value, lease } = requestPut as Message
    return { op: 'put', key: textOf(key), value: textOf(value), ...leaseOf(lease) }
  }
  const { key, rangeEnd, limit } = (requestRange ?? requestDeleteRange) as Message
  const span = { key: textOf(key), rangeEnd: textOf(rangeEnd) }
  if (requestRange === undefined) return { op: 'delete', ...span }
  return { op: 'range', ...span, limit: Number(limit ?? 0) }
}

function answerOf(kind: string, response: Message | undefined): object {
  if (response === undefined) return {}
  if (kind === 'responseRange') return { kvs: (response['kvs'] as Message[]).map(keyValueOf) }
  return kind === 'responseDeleteRange' ? { deleted: Number(response['deleted']) } : {}
}

function eventOf({ type, kv }: Message): WatchEvent {
  const { key, modRevision } = kv as Message
  if (type === 0 || type === 'PUT') return { type: 'put', ...keyValueOf(kv as Message) }
  return { type: 'delete', key: textOf(key), modRevision: Number(modRevision) }
}

function keyValueOf({ key, value, createRevision, modRevision, version, lease }: Message) {
  return {
    ...{ key: textOf(key), value: textOf(value), createRevision: Number(createRevision) },
    ...{ modRevision: Number(modRevision), version: Number(version), ...leaseOf(lease) },
  }
}

function revisionOf(response: Message): { readonly revision?: number } {
  const revision = Number((response['header'] as { revision: string } | undefined)?.revision ?? 0)
  return revision === 0 ? {} : { revision }
}

function ttlOf(response: Message | undefined): { readonly ttl?: number } {
  return response === undefined ? {} : { ttl: Number(response['TTL']) }
}

function leaseOf(lease: unknown): { readonly lease?: string } {
  return lease === undefined || lease === '0' || lease === 0 ? {} : { lease: String(lease) }
}

function textOf(bytes: unknown): string {
  return bytes === undefined ? '' : Buffer.from(bytes as Uint8Array).toString('latin1')
}

function isMessage(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
