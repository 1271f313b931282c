/** A member whose history is told by a test, and a client's end of watches on it. */
import type { MethodDefinition } from '@grpc/grpc-js'
import { EtcdError } from '../../src/etcd/errors.js'
import type { Member, Served } from '../../src/etcd/member.js'
import { protos } from '../../src/etcd/protos.js'
import { WatchHub } from '../../src/etcd/watch/hub.js'
import {
  type CreateRequest,
  type Outlet,
  type WatchRequest,
  WatchStream,
} from '../../src/etcd/watch/stream.js'

const definition = protos['etcdserverpb.Watch'] as unknown as Record<
  'Watch',
  MethodDefinition<object, ToldResponse>
>

export interface ToldEvent {
  readonly type: number
  readonly kv: { readonly key: Buffer; readonly value: Buffer; readonly modRevision: string }
  readonly prevKv: { readonly value: Buffer } | null
}

export interface ToldResponse {
  readonly header: { readonly revision: string }
  readonly watchId: string
  readonly created: boolean
  readonly canceled: boolean
  readonly compactRevision: string
  readonly cancelReason: string
  readonly fragment: boolean
  readonly events: readonly ToldEvent[]
}

/** `key=value` puts, `-key` deletes. */
export type Change = string

interface Happened {
  readonly revision: number
  readonly bytes: Buffer
  readonly bytesWithPrev: Buffer
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

const field = (tag: number, bytes: Buffer): Buffer =>
  Buffer.concat([varint(tag), varint(bytes.byteLength), bytes])

function keyValue(key: string, revision: number, value: string | undefined): Buffer {
  const parts = [field(0x0a, Buffer.from(key)), Buffer.from([0x18]), varint(revision)]
  if (value !== undefined) parts.push(field(0x2a, Buffer.from(value)))
  return Buffer.concat(parts)
}

function eventBytes(revision: number, isDelete: boolean, kv: Buffer, prevKv: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeDoubleLE(revision, 0)
  head.writeUInt8(isDelete ? 1 : 0, 8)
  const length = (bytes: Buffer): Buffer => {
    const told = Buffer.alloc(4)
    told.writeUInt32LE(bytes.byteLength)
    return told
  }
  return Buffer.concat([head, length(kv), kv, length(prevKv), prevKv])
}

export class ScriptedMember implements Pick<Member, 'readLocal' | 'look' | 'header' | 'onProgress'> {
  revision = 1
  compactRevision = 0
  /** Each read of the node: `from`, and whether for key-values before. */
  readonly asked: { readonly from: number; readonly withPrev: boolean }[] = []
  /** The node does not answer before this resolves. */
  held: Promise<void> = Promise.resolve()
  /** The node answers this many reads with an error. */
  failures = 0
  /** The last index that the node has applied: less than all for a node that is behind. */
  lastApplied = 1
  appliedRevision: number | undefined
  readonly #history: Happened[] = []
  readonly #values = new Map<string, Buffer>()
  readonly #listeners = new Set<() => void>()

  get listeners(): number {
    return this.#listeners.size
  }

  /** All changes happen at one revision. */
  happens(...changes: readonly Change[]): void {
    this.revision++
    for (const change of changes) this.#change(change)
    this.progress()
  }

  #change(change: Change): void {
    const isDelete = change.startsWith('-')
    const [key = '', value] = isDelete ? [change.slice(1)] : change.split('=', 2)
    const kv = keyValue(key, this.revision, value)
    const prevKv = this.#values.get(key) ?? Buffer.alloc(0)
    this.#history.push({
      revision: this.revision,
      bytes: eventBytes(this.revision, isDelete, kv, Buffer.alloc(0)),
      bytesWithPrev: eventBytes(this.revision, isDelete, kv, prevKv),
    })
    if (isDelete) this.#values.delete(key)
    else this.#values.set(key, kv)
  }

  /** The node tells that it has applied more. */
  progress(): void {
    this.lastApplied++
    for (const listener of this.#listeners) listener()
  }

  async readLocal(_op: string, query: Buffer): Promise<Served> {
    const [from, bytesMax, withPrev] = [
      query.readDoubleLE(0),
      query.readUInt32LE(8),
      query.readUInt8(12) === 1,
    ]
    this.asked.push({ from, withPrev })
    await this.held
    if (this.failures > 0) {
      this.failures--
      throw new EtcdError('timeout')
    }
    if (from < this.compactRevision) {
      const body = Buffer.alloc(8)
      body.writeDoubleLE(this.compactRevision)
      throw new EtcdError('compacted', { cause: { revision: this.revision, body } satisfies Served })
    }
    const revision = this.appliedRevision ?? this.revision
    const told: Buffer[] = []
    let bytes = 0
    let last = 0
    for (const happened of this.#history) {
      if (happened.revision < from || happened.revision > revision) continue
      const event = withPrev ? happened.bytesWithPrev : happened.bytes
      if (bytes > 0 && happened.revision !== last && bytes + event.byteLength > bytesMax) break
      told.push(event)
      bytes += event.byteLength
      last = happened.revision
    }
    return { revision, body: Buffer.concat(told) }
  }

  look(): ReturnType<Member['look']> {
    return {
      leaderId: 1,
      term: 1,
      commitIndex: this.lastApplied,
      lastApplied: this.lastApplied,
    }
  }

  header(revision: number): Buffer {
    return field(
      0x0a,
      revision === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x18]), varint(revision)]),
    )
  }

  onProgress(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** A client that reads all that it is sent, unless `hasRoom` is false. */
export class ScriptedClient implements Outlet {
  hasRoom = true
  isPaused = false
  failure: unknown
  readonly told: ToldResponse[] = []
  readonly stream: WatchStream
  /** Called after each response. */
  onTold: (told: ToldResponse) => void = () => undefined

  constructor(hub: WatchHub) {
    this.stream = new WatchStream(hub, this)
  }

  write(response: Buffer): void {
    const told = definition.Watch.responseDeserialize(response)
    this.told.push(told)
    this.onTold(told)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  fail(error: unknown): void {
    this.failure = error
  }

  create(
    request: Partial<Omit<CreateRequest, 'key' | 'rangeEnd'>> & { key: string; rangeEnd?: string },
  ): void {
    const { key, rangeEnd = '', ...rest } = request
    this.send({
      createRequest: {
        startRevision: '0',
        progressNotify: false,
        filters: [],
        prevKv: false,
        watchId: '0',
        fragment: false,
        ...rest,
        key: Buffer.from(key),
        rangeEnd: Buffer.from(rangeEnd),
      },
    })
  }

  send(request: WatchRequest): void {
    this.stream.receive(request)
  }

  /** Each response in a line: its watch, its revision, and what it says. */
  get lines(): string[] {
    return this.told.map(line)
  }

  linesOf(watchId: string): string[] {
    return this.told.filter((told) => told.watchId === watchId).map(line)
  }

  /** The events that a watch was told, in their order. */
  eventsOf(watchId: string): string[] {
    return this.told.filter((told) => told.watchId === watchId).flatMap(({ events }) => events.map(eventLine))
  }
}

export function line(told: ToldResponse): string {
  const words = [`${told.watchId}@${told.header.revision}`]
  if (told.created) words.push('created')
  if (told.canceled) words.push('canceled')
  if (told.compactRevision !== '0') words.push(`compacted ${told.compactRevision}`)
  if (told.cancelReason !== '') words.push(`(${told.cancelReason})`)
  if (told.fragment) words.push('fragment')
  return [...words, ...told.events.map(eventLine)].join(' ')
}

function eventLine({ type, kv, prevKv }: ToldEvent): string {
  const before = prevKv === null ? '' : `<${prevKv.value}`
  return `${kv.modRevision}:${type === 1 ? '-' : ''}${kv.key}${type === 1 ? '' : `=${kv.value}`}${before}`
}

export function watched(member = new ScriptedMember()): {
  readonly member: ScriptedMember
  readonly hub: WatchHub
  readonly client: ScriptedClient
} {
  const hub = new WatchHub(member)
  return { member, hub, client: new ScriptedClient(hub) }
}
