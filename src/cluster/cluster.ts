/** The handle that people program against: commands and reads, faults, status and events of a running cluster. */
import type { RecordableHistogram } from 'node:perf_hooks'
import { RaftError } from '../errors/index.js'
import {
  afterPrefix,
  type Bytes,
  type CommandSink,
  type KvRecord,
  type RangeBounds,
  readGetAnswer,
  readRangeAnswer,
  readWriteAnswer,
  type WriteAnswer,
  writeAppend,
  writeCas,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from '../machine/index.js'
import type { HashAt } from '../node/index.js'
import type { LogIndex, NodeId } from '../raft/index.js'
import { Client } from './client.js'
import type { ClusterDirectory } from './directory.js'
import type { ClusterEvents } from './events.js'
import { Members, type NodeStatus } from './members.js'
import type { ResolvedOptions } from './options.js'
import { callBytesMax, type ResultCursor } from './requests.js'

/** A write that happened. */
export interface Written {
  /** The place of the command in the log. */
  readonly index: LogIndex
  /** The revision of the store that the write made, or the present one when it changed nothing. */
  readonly revision: number
}

export interface Deleted extends Written {
  /** Whether there was such a key. */
  readonly deleted: boolean
}

export interface Swapped extends Written {
  readonly swapped: boolean
  /** What the key holds when it was not swapped; `undefined` when there is no such key. */
  readonly current: Entry | undefined
}

/** What a key holds. */
export interface Entry extends Omit<KvRecord, 'value'> {
  readonly value: Buffer
}

export interface RangeOptions {
  /** The first key, included. Default: from the beginning. */
  readonly start?: Bytes
  /** The first key that is left out. Default: to the end. */
  readonly end?: Bytes
  /** Instead of start and end: all keys that begin with it. */
  readonly prefix?: Bytes
  /** Entries at most, at least 1. Default 1000. */
  readonly limit?: number
}

export interface RangeResult {
  /** In the order of the keys' bytes. */
  readonly entries: readonly (Entry & { readonly key: Buffer })[]
  /** Whether more keys lie within the bounds: go on from `afterKey` of the last one. */
  readonly hasMore: boolean
}

export interface Applied {
  /** The place of the first command in the log; the others follow. */
  readonly index: LogIndex
  /** The machine's result for each command. */
  readonly results: readonly Buffer[]
}

export class Cluster implements AsyncDisposable {
  readonly options: ResolvedOptions
  readonly #directory: ClusterDirectory
  readonly #client: Client
  readonly #members: Members
  #closing: Promise<void> | undefined

  /** Use `startCluster`. */
  constructor(directory: ClusterDirectory, options: ResolvedOptions) {
    this.options = options
    this.#directory = directory
    this.#client = new Client(options.requestTimeoutMs, () => this.leaderId)
    this.#members = new Members(directory, options, this.#client)
  }

  /** Use `startCluster`. */
  async start(): Promise<void> {
    try {
      await this.#members.start()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  get dir(): string {
    return this.#directory.path
  }

  /** What happens and why: role changes with their reasons, kills, failures, snapshots. */
  get events(): ClusterEvents {
    return this.#members.events
  }

  /** Who leads, as far as the nodes have told; `undefined` while nobody does. */
  get leaderId(): NodeId | undefined {
    return this.#members.leaderId
  }

  /** Every node's role, pointers and counters, read from shared memory without asking the nodes. */
  status(): NodeStatus[] {
    return this.#members.status()
  }

  put(key: Bytes, value: Bytes): Promise<Written> {
    return this.#write((sink) => writePut(sink, key, value), written)
  }

  delete(key: Bytes): Promise<Deleted> {
    return this.#write(
      (sink) => writeDelete(sink, key),
      (answer, index) => ({ ...written(answer, index), deleted: answer.status === 'applied' }),
    )
  }

  /** Puts the value behind the present one; an absent key counts as an empty value. */
  append(key: Bytes, value: Bytes): Promise<Written> {
    return this.#write((sink) => writeAppend(sink, key, value), written)
  }

  /** Puts `value` if the key holds `expected`; `undefined` expects that there is no such key. */
  cas(key: Bytes, expected: Bytes | undefined, value: Bytes): Promise<Swapped> {
    return this.#write(
      (sink) => writeCas(sink, key, expected, value),
      (answer, index) => {
        const current = answer.status === 'mismatch' && answer.current ? entryOf(answer.current) : undefined
        return { ...written(answer, index), swapped: answer.status === 'applied', current }
      },
    )
  }

  /** A linearizable read: it sees every write that was acknowledged before it was called. */
  get(key: Bytes): Promise<Entry | undefined> {
    return this.#call(
      'read',
      1,
      (sink) => writeGet(this.#kv(sink), key),
      (results) => {
        results.advance()
        const answer = readGetAnswer(results.bytes, results.start, results.end)
        if (answer.status === 'malformed') throw refused(answer.status)
        return answer.status === 'found' ? entryOf(answer.record) : undefined
      },
    )
  }

  /** A linearizable read of all keys within bounds, in order. */
  range(options: RangeOptions = {}): Promise<RangeResult> {
    return this.#call(
      'read',
      1,
      (sink) => writeRange(this.#kv(sink), boundsOf(options)),
      (results) => {
        results.advance()
        const answer = readRangeAnswer(results.bytes, results.start)
        if (answer.status === 'malformed') throw refused(answer.status)
        const entries = answer.records.map((record) => ({ ...entryOf(record), key: Buffer.from(record.key) }))
        return { entries, hasMore: answer.hasMore }
      },
    )
  }

  /** Commands for a state machine of one's own, applied one after the other with nothing in between. */
  propose(commands: Uint8Array | readonly Uint8Array[]): Promise<Applied> {
    const all = commands instanceof Uint8Array ? [commands] : commands
    return this.#call(
      'propose',
      all.length,
      (sink) => {
        checkCall('commands', all)
        for (const command of all) sink.append(command)
      },
      (results, index) => ({ index, results: Array.from(all, () => nextResult(results)) }),
    )
  }

  /** A linearizable query of a state machine of one's own. */
  query(query: Uint8Array): Promise<Buffer> {
    return this.#call(
      'read',
      1,
      (sink) => {
        checkCall('query', [query])
        sink.append(query)
      },
      nextResult,
    )
  }

  /**
   * Ends a node at once, as a crash of its machine would: nothing more leaves it or is written. Calls that it
   * was sent and did not answer end with an unknown outcome. Returns the node that it was.
   */
  async kill(node: NodeId | 'leader'): Promise<NodeId> {
    const nodeId = node === 'leader' ? this.leaderId : node
    if (nodeId === undefined) throw new RaftError('STOPPED', { what: 'the leader' })
    await this.#members.kill(nodeId)
    return nodeId
  }

  /** Starts a node that was killed or has failed, from what its disk holds. */
  restart(nodeId: NodeId): Promise<void> {
    return this.#members.restart(nodeId)
  }

  /** The hash of each running node's state machine, and the index that it stands for. */
  hashes(): Promise<Map<NodeId, HashAt>> {
    return this.#members.hashes()
  }

  /** How late followers saw heartbeats since the last call, in microseconds plus one, over all running nodes. */
  takeHeartbeatLateness(): Promise<RecordableHistogram> {
    return this.#members.takeHeartbeatLateness()
  }

  /** Ends every call, node and thread, and removes the folder when it was a temporary one. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#client.close()
    await this.#members.close()
    this.#directory.release()
  }

  #write<T>(
    write: (sink: CommandSink) => void,
    decode: (answer: WriteAnswer, index: LogIndex) => T,
  ): Promise<T> {
    return this.#call(
      'propose',
      1,
      (sink) => write(this.#kv(sink)),
      (results, index) => {
        results.advance()
        return decode(readWriteAnswer(results.bytes, results.start, results.end), index)
      },
    )
  }

  /** Whatever `write` or `decode` throws becomes the rejection. */
  #call<T>(
    type: 'propose' | 'read',
    count: number,
    write: (sink: CommandSink & { append(command: Uint8Array): void }) => void,
    decode: (results: ResultCursor, index: LogIndex) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const applied = (results: ResultCursor, index: LogIndex): void => {
        try {
          resolve(decode(results, index))
        } catch (error) {
          reject(error as Error)
        }
      }
      this.#client.call(type, { count, applied, failed: reject }, write)
    })
  }

  /** Where commands of the key-value store go, unless another machine was given. */
  #kv(sink: CommandSink): CommandSink {
    const { machine } = this.options
    if (machine === undefined) return sink
    const expected = 'the key-value store: use propose and query with a machine of your own'
    throw new RaftError('INVALID_OPTION', { option: 'machine', expected, actual: machine })
  }
}

/** The bounds of a range; a prefix stands for both. */
function boundsOf({ prefix, start, end, limit }: RangeOptions): RangeBounds {
  const [from, to] = prefix === undefined ? [start ?? '', end ?? ''] : [prefix, afterPrefix(prefix)]
  return limit === undefined ? { start: from, end: to } : { start: from, end: to, limit }
}

function written(answer: WriteAnswer, index: LogIndex): Written {
  if (answer.status === 'tooLarge' || answer.status === 'malformed') throw refused(answer.status)
  return { index, revision: answer.revision }
}

function refused(status: 'tooLarge' | 'malformed'): RaftError {
  const why = status === 'tooLarge' ? 'the value would become too large' : 'the command is malformed'
  return new RaftError('REFUSED_BY_MACHINE', { why })
}

/** Copied out of the message, which holds the results of many calls. */
function entryOf({ value, createRevision, modRevision, version }: KvRecord): Entry {
  return { value: Buffer.from(value), createRevision, modRevision, version }
}

function nextResult(results: ResultCursor): Buffer {
  results.advance()
  return Buffer.from(results.bytes.subarray(results.start, results.end))
}

/** Refused before anything of the call is packed. */
function checkCall(what: string, commands: readonly Uint8Array[]): void {
  const isBytes = commands.length > 0 && commands.every((command) => command instanceof Uint8Array)
  if (!isBytes) {
    throw new RaftError('INVALID_COMMAND', {
      what,
      expected: 'at least one Uint8Array',
      actual: 'something else',
    })
  }
  const bytes = commands.reduce((sum, command) => sum + command.byteLength, 0)
  if (bytes <= callBytesMax) return
  throw new RaftError('INVALID_COMMAND', {
    what,
    expected: `at most ${callBytesMax} bytes in a call`,
    actual: bytes,
  })
}
