/** The handle that people program against: commands and reads, faults, status and events of a running cluster. */
import type { RecordableHistogram } from 'node:perf_hooks'
import { RaftError } from '../errors/index.js'
import {
  afterPrefix,
  type Bytes,
  type RangeBounds,
  writeAppend,
  writeCas,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from '../machine/index.js'
import type { HashAt } from '../node/index.js'
import type { NodeId } from '../raft/index.js'
import { Client } from './client.js'
import type { ClusterDirectory } from './directory.js'
import type { ClusterEvents } from './events.js'
import { Members, type NodeStatus } from './members.js'
import type { ResolvedOptions } from './options.js'
import {
  type Applied,
  AppliedCommands,
  type Deleted,
  type Entry,
  nextDeleted,
  nextEntry,
  nextRange,
  nextResult,
  nextSwapped,
  nextWritten,
  type RangeResult,
  type Swapped,
  type Written,
} from './outcomes.js'
import { type Answers, type CallFrame, callBytesMax } from './requests.js'

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
    return this.#callKv('propose', nextWritten, writePut, key, value)
  }

  delete(key: Bytes): Promise<Deleted> {
    return this.#callKv('propose', nextDeleted, writeDelete, key)
  }

  /** Puts the value behind the present one; an absent key counts as an empty value. */
  append(key: Bytes, value: Bytes): Promise<Written> {
    return this.#callKv('propose', nextWritten, writeAppend, key, value)
  }

  /** Puts `value` if the key holds `expected`; `undefined` expects that there is no such key. */
  cas(key: Bytes, expected: Bytes | undefined, value: Bytes): Promise<Swapped> {
    return this.#callKv('propose', nextSwapped, writeSwap, key, expected, value)
  }

  /** A linearizable read: it sees every write that was acknowledged before it was called. */
  get(key: Bytes): Promise<Entry | undefined> {
    return this.#callKv('read', nextEntry, writeGet, key)
  }

  /** A linearizable read of all keys within bounds, in order. */
  range(options: RangeOptions = {}): Promise<RangeResult> {
    return this.#callKv('read', nextRange, (into) => writeRange(into, boundsOf(options)))
  }

  /** Commands for a state machine of one's own, applied one after the other with nothing in between. */
  propose(commands: Uint8Array | readonly Uint8Array[]): Promise<Applied> {
    const all = commands instanceof Uint8Array ? [commands] : commands
    return this.#client.call(
      'propose',
      (answers) => new AppliedCommands(answers, all.length),
      (frame) => {
        checkCall('commands', all)
        for (const command of all) frame.append(command)
      },
    )
  }

  /** A linearizable query of a state machine of one's own. */
  query(query: Uint8Array): Promise<Buffer> {
    return this.#client.call('read', nextResult, (frame) => {
      checkCall('query', [query])
      frame.append(query)
    })
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

  /**
   * Starts a node that was killed or has failed, from what its disk holds. With `renew`, a node that lost its disk begins
   * anew, as with the option of this name.
   */
  restart(nodeId: NodeId, { renew = false }: { readonly renew?: boolean } = {}): Promise<void> {
    return this.#members.restart(nodeId, renew)
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

  /** One command or query of the key-value store, which another machine would not understand. */
  #callKv<Outcome, Parts extends unknown[]>(
    type: 'propose' | 'read',
    read: (answers: Answers) => Outcome,
    write: (into: CallFrame, ...parts: Parts) => void,
    ...parts: Parts
  ): Promise<Outcome> {
    const { machine } = this.options
    if (machine === undefined) return this.#client.call(type, read, write, ...parts)
    const expected = 'the key-value store: use propose and query with a machine of your own'
    return Promise.reject(new RaftError('INVALID_OPTION', { option: 'machine', expected, actual: machine }))
  }
}

/** Where the key holds another value than expected, that one is the answer. */
function writeSwap(into: CallFrame, key: Bytes, expected: Bytes | undefined, value: Bytes): void {
  writeCas(into, key, expected, value)
  into.expectValue()
}

/** The bounds of a range; a prefix stands for both. */
function boundsOf({ prefix, start, end, limit }: RangeOptions): RangeBounds {
  const [from, to] = prefix === undefined ? [start ?? '', end ?? ''] : [prefix, afterPrefix(prefix)]
  return limit === undefined ? { start: from, end: to } : { start: from, end: to, limit }
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
