/** The machine as its tests see it: requests and responses as objects, by way of protobufjs. */
import { protos } from '../../src/etcd/protos.js'
import type { StateMachine } from '../../src/machine/index.js'
import { forEachResult, ResultBuilder } from '../../src/machine/index.js'
import {
  answerHeadBytes,
  type CommandOp,
  createMvcc,
  mvccCommandOps,
  mvccQueryOps,
  type QueryOp,
  type Status,
  statusNames,
} from '../../src/mvcc/index.js'
import { type Frame, packCommands } from '../../src/raft/index.js'

type Method = {
  readonly requestSerialize: (request: object) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => object
}

const services = {
  put: ['etcdserverpb.KV', 'Put'],
  deleteRange: ['etcdserverpb.KV', 'DeleteRange'],
  txn: ['etcdserverpb.KV', 'Txn'],
  compact: ['etcdserverpb.KV', 'Compact'],
  range: ['etcdserverpb.KV', 'Range'],
  txnRange: ['etcdserverpb.KV', 'Txn'],
  hashKV: ['etcdserverpb.Maintenance', 'HashKV'],
  alarm: ['etcdserverpb.Maintenance', 'Alarm'],
  alarms: ['etcdserverpb.Maintenance', 'Alarm'],
  leaseGrant: ['etcdserverpb.Lease', 'LeaseGrant'],
  leaseRevoke: ['etcdserverpb.Lease', 'LeaseRevoke'],
  leaseKeepAlive: ['etcdserverpb.Lease', 'LeaseKeepAlive'],
  leaseTimeToLive: ['etcdserverpb.Lease', 'LeaseTimeToLive'],
  leaseLeases: ['etcdserverpb.Lease', 'LeaseLeases'],
} as const
export type ServiceOp = keyof typeof services

function methodOf(op: ServiceOp): Method {
  const [service, method] = services[op]
  return (protos[service] as unknown as Record<string, Method>)[method]!
}

export interface Answered {
  readonly status: Status
  readonly revision: number
  readonly body: Buffer
}

/** A response as its client sees it; keys and values as text. */
export type Response = Readonly<Record<string, unknown>>

export function encode(op: ServiceOp, request: object): Buffer {
  return methodOf(op).requestSerialize(withBuffers(request) as object)
}

export function decode(op: ServiceOp, body: Buffer): Response {
  return withTexts(methodOf(op).responseDeserialize(body)) as Response
}

const bytesFields = new Set(['key', 'value', 'rangeEnd'])

/** Texts in the place of bytes become bytes: one character a byte. */
function withBuffers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBuffers)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      bytesFields.has(name) && typeof each === 'string' ? Buffer.from(each, 'latin1') : withBuffers(each),
    ]),
  )
}

/** Bytes become texts, numbers of 64 bits numbers; what was not sent is left out. */
function withTexts(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  if (Array.isArray(value)) return value.map(withTexts)
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return Number(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null)
      .map(([name, each]) => [
        name,
        bytesFields.has(name) ? (each as Buffer).toString('latin1') : withTexts(each),
      ]),
  )
}

/** A machine and the log of what it applied. */
export class Machine {
  readonly machine: StateMachine
  #index = 1
  /** The log's time. A test that begins with a snapshot sets it. */
  timeMs = 0

  constructor(machine = createMvcc()) {
    this.machine = machine
  }

  apply(op: CommandOp, request: Uint8Array): Answered {
    const frame = packCommands([Buffer.concat([Buffer.of(mvccCommandOps[op]), request])])
    const results = new ResultBuilder()
    this.machine.apply({ ...frame, index: this.#index++, term: 1, timeMs: this.timeMs }, results)
    return answersOf(results)[0]!
  }

  /** So much time passes, and is told. */
  passes(ms: number): void {
    this.timeMs += ms
    this.machine.timeTold?.({ index: this.#index++, term: 1, timeMs: this.timeMs })
  }

  /** Applies runs of no command: they give a sweep its time. */
  idle(runs: number): void {
    const frame: Frame = packCommands([])
    for (let run = 0; run < runs; run++)
      this.machine.apply({ ...frame, index: this.#index, term: 1, timeMs: 0 }, undefined)
  }

  read(op: QueryOp, request: Uint8Array): Answered {
    const results = new ResultBuilder()
    this.machine.read(packCommands([Buffer.concat([Buffer.of(mvccQueryOps[op]), request])]), results)
    return answersOf(results)[0]!
  }

  /** The status where it is not ok, and the response with the revision of its header otherwise. */
  do(op: ServiceOp, request: object): Response | Status {
    const bytes = encode(op, request)
    const answered =
      op in mvccCommandOps ? this.apply(op as CommandOp, bytes) : this.read(op as QueryOp, bytes)
    if (answered.status !== 'ok') return answered.status
    return { ...decode(op, answered.body), revision: answered.revision }
  }

  put(key: string, value: string, lease = 0): number {
    return this.apply('put', encode('put', { key, value, lease })).revision
  }

  delete(key: string, rangeEnd?: string): number {
    return this.apply('deleteRange', encode('deleteRange', { key, rangeEnd })).revision
  }

  compact(revision: number): Status {
    return this.apply('compact', encode('compact', { revision })).status
  }

  /** `key=value` of each key of a range. */
  range(request: object): string[] {
    const response = this.do('range', request)
    if (typeof response === 'string') throw new Error(`the range was ${response}`)
    return (response['kvs'] as { key: string; value: string }[]).map(({ key, value }) => `${key}=${value}`)
  }

  hash(): string {
    return this.machine.hash()
  }
}

function answersOf(results: ResultBuilder): Answered[] {
  const packed = results.take()
  const answers: Answered[] = []
  forEachResult(packed, (start, end) => {
    const bytes = Buffer.from(packed.bytes.slice(start, end))
    answers.push({
      status: statusNames[bytes.readUInt8(0)]!,
      revision: bytes.readDoubleLE(1),
      body: bytes.subarray(answerHeadBytes),
    })
  })
  return answers
}

/** All keys. */
export const everything = { key: '\0', rangeEnd: '\0' } as const

export interface Event {
  readonly revision: number
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly kv: Response
  readonly prev: Response | undefined
}

const keyValueOf = (bytes: Buffer): Response => {
  // A RangeResponse of this one KeyValue.
  const head = Buffer.from([0x12, ...lengthOf(bytes.byteLength)])
  const { kvs } = decode('range', Buffer.concat([head, bytes])) as unknown as { kvs: Response[] }
  return kvs[0]!
}

function lengthOf(length: number): number[] {
  return length < 0x80 ? [length] : [(length & 0x7f) | 0x80, ...lengthOf(length >>> 7)]
}

export function historyQuery(from: number, bytesMax: number): Buffer {
  const query = Buffer.alloc(13)
  query.writeDoubleLE(from, 0)
  query.writeUInt32LE(bytesMax, 8)
  query.writeUInt8(1, 12)
  return query
}

/** The history from a revision on; where it is compacted, the compacted revision. */
export function historyOf(machine: Machine, from: number, bytesMax = 0xffff_ffff): Event[] | number {
  const { status, body } = machine.read('history', historyQuery(from, bytesMax))
  if (status === 'compacted') return body.readDoubleLE(0)
  if (status !== 'ok') throw new Error(`the history was ${status}`)
  const events: Event[] = []
  for (let at = 0; at < body.byteLength; ) {
    const kvEnd = at + 13 + body.readUInt32LE(at + 9)
    const prevEnd = kvEnd + 4 + body.readUInt32LE(kvEnd)
    const kv = keyValueOf(body.subarray(at + 13, kvEnd))
    events.push({
      revision: body.readDoubleLE(at),
      type: body.readUInt8(at + 8) === 0 ? 'put' : 'delete',
      key: kv['key'] as string,
      kv,
      prev: prevEnd === kvEnd + 4 ? undefined : keyValueOf(body.subarray(kvEnd + 4, prevEnd)),
    })
    at = prevEnd
  }
  return events
}
