/** etcd's machine in a test's hands: requests and responses are messages of the proto files. */
import { codecOf, definitionOf } from '../../src/etcd/services/service.js'
import { forEachResult, ResultBuilder } from '../../src/machine/index.js'
import {
  answerHeadBytes,
  commandOps,
  createMvcc,
  queryOps,
  type Status,
  statusNames,
} from '../../src/mvcc/index.js'
import { entryKinds, packCommands, stampRun } from '../../src/raft/index.js'

const methods = {
  put: ['KV', 'Put'],
  deleteRange: ['KV', 'DeleteRange'],
  txn: ['KV', 'Txn'],
  compact: ['KV', 'Compact'],
  range: ['KV', 'Range'],
  leaseGrant: ['Lease', 'LeaseGrant'],
  leaseRevoke: ['Lease', 'LeaseRevoke'],
  leaseKeepAlive: ['Lease', 'LeaseKeepAlive'],
  leaseTimeToLive: ['Lease', 'LeaseTimeToLive'],
  leaseLeases: ['Lease', 'LeaseLeases'],
  alarm: ['Maintenance', 'Alarm'],
  alarms: ['Maintenance', 'Alarm'],
} as const
type Method = keyof typeof methods
type Command = Method & keyof typeof commandOps
type Query = Method & keyof typeof queryOps

export interface Told {
  readonly status: Status
  readonly revision: number
  // biome-ignore lint/suspicious/noExplicitAny: a message of whatever type, which the test looks into
  readonly message: any
}

export class OneMachine {
  readonly machine = createMvcc()
  term = 1
  timeMs = 0
  #index = 0

  do(op: Command, request: object): Told {
    return this.doBytes(op, codec(op).encodeRequest(request))
  }

  /** A command whose request has these bytes. */
  doBytes(op: Command, request: Uint8Array): Told {
    const results = new ResultBuilder()
    const frame = packCommands([Buffer.concat([Buffer.of(commandOps[op]), request])])
    const run = stampRun(frame, ++this.#index, this.term, entryKinds.commands)
    this.machine.apply({ ...run, timeMs: this.timeMs }, results)
    return this.#told(op, results)
  }

  ask(op: Query, request: object): Told {
    const results = new ResultBuilder()
    const query = Buffer.concat([Buffer.of(queryOps[op]), codec(op).encodeRequest(request)])
    this.machine.read(packCommands([query]), results)
    return this.#told(op, results)
  }

  /** So much time passes, and is told. */
  passes(ms: number): void {
    this.timeMs += ms
    this.machine.timeTold?.({ index: ++this.#index, term: this.term, timeMs: this.timeMs })
  }

  put(key: string, lease: bigint | number = 0): Told {
    return this.do('put', { key: Buffer.from(key), value: Buffer.from('v'), lease: String(lease) })
  }

  grant(id: bigint | number, ttl = 10): Told {
    return this.do('leaseGrant', { ID: String(id), TTL: String(ttl) })
  }

  /** All keys that exist, with the revisions of their last writes. */
  get keys(): string[] {
    const { message } = this.ask('range', { key: Buffer.of(0), rangeEnd: Buffer.of(0) })
    return message.kvs.map(({ key, modRevision }: never) => `${key}@${modRevision}`)
  }

  get revision(): number {
    return this.ask('range', { key: Buffer.of(0) }).revision
  }

  /** Another node, which begins with a snapshot of this one. */
  restored(): OneMachine {
    const other = new OneMachine()
    const pieces = [...{ [Symbol.iterator]: () => this.machine.snapshot() }]
    other.machine.restore(pieces)
    other.term = this.term
    other.timeMs = this.timeMs
    other.#index = this.#index
    return other
  }

  #told(method: Method, results: ResultBuilder): Told {
    const taken = results.take()
    let told: Told | undefined
    forEachResult(taken, (start, end) => {
      const answer = Buffer.from(taken.bytes.subarray(start, end))
      told = {
        status: statusNames[answer[0]!]!,
        revision: answer.readDoubleLE(1),
        message: codec(method).decodeResponse(answer.subarray(answerHeadBytes)),
      }
    })
    if (told === undefined) throw new Error('the machine gave no answer')
    return told
  }
}

function codec(method: Method): ReturnType<typeof codecOf> {
  const [service, name] = methods[method]
  return codecOf(definitionOf(`etcdserverpb.${service}`), name)
}
