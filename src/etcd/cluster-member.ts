/**
 * A member over a node of a cluster: its calls, its header and its progress.
 *
 * A put has three steps:
 *
 *  1. The member makes sure that it hears its leader. A member that leads does. Another member may be cut off: a member of
 *     etcd then answers nothing, while this process would still reach the leader past the member's node. So the put waits
 *     for a read of nothing by way of the node (`Barrier`). The read is shared, and counts for an election timeout: in the
 *     second half of that time the next read begins, and no put waits for it.
 *  2. The leader gets the command, and answers once it has committed and applied the command. Commands go from this thread
 *     straight to the leader's node: the node of a member that follows has no part in this.
 *  3. The member's own node applies the command, so that reads of the member see the put. The node is not asked: its
 *     `lastApplied` is in shared memory. `Progress` looks there when answers arrive (`Shared.answered`, once a turn for all
 *     members), and by timers. A follower learns of the commit by the leader's next entries or heartbeat. If no other command
 *     is on its way (`Shared.proposals`), or none has brought the commit within `patienceMs`, the member makes one more read
 *     of nothing, for which the node applies all that is committed (`#catchUp`).
 *
 * All steps together have the time of one call. At its end the client is told `request timed out`: the outcome is unknown.
 *
 * A read is a query to the member's node. For `read`, the node asks the leader how far the log is committed, applies as
 * much, and answers; for `readLocal` it answers at once. The hub of watches waits for nobody: `onProgress` tells it that the
 * node has applied more, and it reads the node's history with `readLocal`.
 */
import {
  type Answers,
  type Calls,
  type Cluster,
  type CountersRead,
  type Reading,
  readingOfOne,
} from '../cluster/index.js'
import { Memory } from '../machine/index.js'
import {
  answerHeadBytes,
  type CommandOp,
  mvccCommandOps,
  mvccQueryOps,
  type QueryOp,
  requestBytesMax,
  statusNames,
  Writer,
  writeRequest,
} from '../mvcc/index.js'
import type { NodeId } from '../raft/index.js'
import { Barrier } from './barrier.js'
import { EtcdError } from './errors.js'
import { inEtcdsWords } from './in-etcds-words.js'
import { inTime } from './in-time.js'
import type { Member, MemberLook, Served } from './member.js'
import { Progress } from './progress.js'

/** Bytes of the answer to a command that may read many keys: so many of them share a message at most. */
const longAnswerBytes = 64 << 10

const noBytes = new Uint8Array(0)

/** Field numbers of a response, and of its header. */
const responseHeader = 1
const header = { clusterId: 1, memberId: 2, revision: 3, term: 4 } as const
/** Bytes of the tag and the length of a header, and the most that a header has: four fields of at most 11 bytes. */
const headBytes = 2
const headerBytesMax = headBytes + 4 * 11

const readings: Readonly<Partial<Record<CommandOp, Reading<Proposed | EtcdError>>>> = {
  deleteRange: readingOfOne('propose', proposed, longAnswerBytes),
  txn: readingOfOne('propose', proposed, longAnswerBytes),
}
const shortReading = readingOfOne('propose', proposed)
const readReading = readingOfOne('read', served)

interface Proposed extends Served {
  readonly index: number
}

/** State that the members of one cluster share. */
export interface Shared {
  /** Commands on their way to the leader. */
  proposals: number
  /** The last command that was answered. */
  lastIndex: number
  /** Called when a command was answered: any node may have applied more. */
  answered(): void
}

/** Milliseconds for which a follower waits for further entries to tell it of a commit. */
const patienceMs = 10

/** The parts that a member stands on. */
interface MemberParts {
  readonly cluster: Cluster
  /** From inside of the cluster: a fault between the node and its clients hits the connections of the clients. */
  readonly calls: Calls
  readonly nodeId: NodeId
  readonly counters: CountersRead
  readonly clusterId: bigint
  readonly shared: Shared
}

export class ClusterMember implements Member {
  readonly nodeId: NodeId
  readonly #cluster: Cluster
  readonly #calls: Calls
  readonly #counters: CountersRead
  readonly #progress: Progress
  readonly #header: Header
  readonly #timeoutMs: number
  readonly #shared: Shared
  readonly #read: Reading<Served | EtcdError>
  readonly #readLocal: Reading<Served | EtcdError>
  readonly #barrier: Barrier
  /** The last command of this member that the leader has answered. */
  #ownIndex = 0
  #isCatchingUp = false
  #patience: NodeJS.Timeout | undefined

  constructor({ cluster, calls, nodeId, counters, clusterId, shared }: MemberParts) {
    this.nodeId = nodeId
    this.#cluster = cluster
    this.#calls = calls
    this.#counters = counters
    this.#progress = new Progress(counters)
    this.#header = new Header(clusterId, nodeId)
    this.#timeoutMs = cluster.options.requestTimeoutMs
    this.#shared = shared
    this.#read = { ...readReading, at: { from: nodeId, isStale: false } }
    this.#readLocal = { ...readReading, at: { from: nodeId, isStale: true } }
    // As long as a follower without a word of its leader takes it to be alive.
    this.#barrier = new Barrier(
      () => this.#calls.call(this.#read, writeRequest, mvccQueryOps.figures, noBytes),
      cluster.options.electionTimeoutMs,
    )
  }

  get isLearner(): boolean {
    return this.#cluster.membership?.membership.learners.includes(this.nodeId) === true
  }

  async propose(op: CommandOp, request: Uint8Array): Promise<Served> {
    if (request.byteLength > requestBytesMax) throw new EtcdError('requestTooLarge')
    const deadlineMs = performance.now() + this.#timeoutMs
    try {
      const heard = this.#cluster.leaderId === this.nodeId ? undefined : this.#barrier.heard()
      const call = (): Promise<Proposed> => this.#callLeader(op, request)
      const answer = await (heard === undefined ? call() : callOnce(heard, deadlineMs, call))
      // A command that was applied elsewhere and not here has an outcome that this member does not know.
      if (!this.#progress.hasApplied(answer.index) && !(await this.#hasApplied(answer.index, deadlineMs))) {
        throw new EtcdError('timeout')
      }
      return answer
    } catch (error) {
      throw inEtcdsWords(error)
    }
  }

  async #callLeader(op: CommandOp, request: Uint8Array): Promise<Proposed> {
    const shared = this.#shared
    shared.proposals++
    try {
      const reading = readings[op] ?? shortReading
      const answer = unlessRefused(await this.#calls.call(reading, writeRequest, mvccCommandOps[op], request))
      this.#ownIndex = Math.max(this.#ownIndex, answer.index)
      shared.lastIndex = Math.max(shared.lastIndex, answer.index)
      return answer
    } finally {
      shared.proposals--
      shared.answered()
    }
  }

  #hasApplied(index: number, deadlineMs: number): Promise<boolean> {
    this.#catchUp()
    return this.#progress.appliedBy(index, deadlineMs)
  }

  /**
   * A read makes a commit known here, long before the leader's next heartbeat would: to those who wait, and to watchers.
   * Under load the entries that follow tell of it, too.
   */
  #catchUp(): void {
    const index = this.#progress.hasListeners ? this.#shared.lastIndex : this.#ownIndex
    if (this.#isCatchingUp || this.#progress.hasApplied(index)) return
    if (this.#shared.proposals === 0) return this.#readOn()
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined
      if (!this.#isCatchingUp && !this.#progress.hasApplied(index)) this.#readOn()
    }, patienceMs)
  }

  #readOn(): void {
    this.#isCatchingUp = true
    const ended = (): void => {
      this.#isCatchingUp = false
    }
    this.#barrier.caughtUp().then(() => {
      ended()
      this.lookNow()
    }, ended)
  }

  read(op: QueryOp, request: Uint8Array): Promise<Served> {
    return this.#calls.call(this.#read, writeRequest, mvccQueryOps[op], request).then(unlessRefused, rethrow)
  }

  readLocal(op: QueryOp, request: Uint8Array): Promise<Served> {
    return this.#calls
      .call(this.#readLocal, writeRequest, mvccQueryOps[op], request)
      .then(unlessRefused, rethrow)
  }

  look(): MemberLook {
    const counters = this.#counters
    const leaderId = counters.get('leaderId')
    return {
      leaderId: leaderId === 0 ? undefined : leaderId,
      term: counters.get('currentTerm'),
      commitIndex: counters.get('commitIndex'),
      lastApplied: counters.get('lastApplied'),
    }
  }

  header(revision: number): Buffer {
    return this.#header.of(revision, this.#counters.get('currentTerm'))
  }

  applied(index: number, signal?: AbortSignal): Promise<void> {
    return this.#progress.applied(index, signal)
  }

  onProgress(listener: () => void): () => void {
    return this.#progress.onProgress(listener)
  }

  /** A fault has begun or ended: the node may have lost its way to the leader. */
  doubt(): void {
    this.#barrier.forget()
  }

  /** Answers have arrived: the node may have applied more. */
  lookNow(): void {
    this.#progress.look()
    this.#catchUp()
  }

  close(): void {
    this.#progress.close()
    clearTimeout(this.#patience)
  }
}

/** Makes the call once `heard` resolves, and rejects at the deadline, after which it makes none. */
function callOnce<Value>(
  heard: Promise<unknown>,
  deadlineMs: number,
  call: () => Promise<Value>,
): Promise<Value> {
  const called = heard.then(() => {
    if (performance.now() >= deadlineMs) throw new EtcdError('timeout')
    return call()
  })
  return inTime(deadlineMs - performance.now(), called)
}

/** `ResponseHeader` as field 1 of a response. */
class Header {
  /** Each header is written here, behind the ids, which stay, and is copied. */
  readonly #writer = new Writer(new Memory(Buffer.alloc(headerBytesMax)), headBytes)
  readonly #idsEnd: number
  #revision = -1
  #term = -1
  #bytes: Buffer = Buffer.alloc(0)

  constructor(clusterId: bigint, nodeId: NodeId) {
    const writer = this.#writer
    writer.bigintField(header.clusterId, clusterId)
    writer.numberField(header.memberId, nodeId)
    this.#idsEnd = writer.at
  }

  /** The same bytes as long as neither has changed. */
  of(revision: number, term: number): Buffer {
    if (revision === this.#revision && term === this.#term) return this.#bytes
    const writer = this.#writer
    writer.at = this.#idsEnd
    writer.numberField(header.revision, revision)
    writer.numberField(header.term, term)
    const end = writer.at
    writer.at = 0
    writer.bytesHead(responseHeader, end - headBytes)
    this.#revision = revision
    this.#term = term
    this.#bytes = Buffer.from(writer.memory.take(0, end))
    return this.#bytes
  }
}

/** A refusal of the machine is a value until the call has ended: an error of a reading means that it cannot be read. */
function served(answers: Answers): Served | EtcdError {
  const { bytes, start, end, view } = answers
  const status = statusNames[bytes[start] ?? -1]
  if (status === undefined) throw new RangeError(`a machine of etcd has no status ${bytes[start]}`)
  const revision = view.getFloat64(start + 1, true)
  const body = answers.take(start + answerHeadBytes, end)
  if (status === 'ok') return { revision, body }
  return new EtcdError(status, { cause: { revision, body } satisfies Served })
}

function proposed(answers: Answers): Proposed | EtcdError {
  const answer = served(answers)
  return answer instanceof EtcdError ? answer : { ...answer, index: answers.index }
}

function unlessRefused<Answer>(answer: Answer | EtcdError): Answer {
  if (answer instanceof EtcdError) throw answer
  return answer
}

/** A read names its node. It is refused where that node does not run. */
const wordsOfRead = { INVALID_COMMAND: 'stopped' } as const

function rethrow(error: unknown): never {
  throw inEtcdsWords(error, wordsOfRead)
}
