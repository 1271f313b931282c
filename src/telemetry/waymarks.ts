/**
 * The stages of a node's log and the messages that it carried, as rows of numbers. Each row costs a few
 * stores and a turn a few looks at the clock, so that all of it stays on under load.
 */
import {
  type EntryRun,
  entriesIn,
  lastIndexOf,
  type Message,
  type NodeId,
  type Persist,
  type Raft,
} from '../raft/index.js'
import {
  type Carried,
  type CarriedType,
  carriedTypeOf,
  carriedTypes,
  type Passed,
  type Stage,
  stages,
} from './happenings.js'
import { type Row, RowRing } from './row-ring.js'

/** Stages of commands, and the messages that replicate them. Under full load it holds a second or two. */
const busyRows = 1 << 15
/** Messages of elections, heartbeats and snapshots, and now and then how much is committed. */
const calmRows = 1 << 13
/** The calm rows hold no two marks of commits that are closer in time, so that they hold minutes. */
const calmCommitMs = 10

/** The memory of a node's rows: shared between threads, or of one thread. */
export interface WaymarkMemory {
  readonly busy: ArrayBufferLike
  readonly calm: ArrayBufferLike
}

/** Memory that threads share. A single thread may do with fewer rows. */
export function allocateWaymarks(
  busy = busyRows,
  calm = calmRows,
): { readonly busy: SharedArrayBuffer; readonly calm: SharedArrayBuffer } {
  return {
    busy: new SharedArrayBuffer(RowRing.bytesFor(busy)),
    calm: new SharedArrayBuffer(RowRing.bytesFor(calm)),
  }
}

const appended = stages.indexOf('appended')
const acknowledged = stages.indexOf('acknowledged')
const flushed = stages.indexOf('flushed')
const committed = stages.indexOf('committed')
const applied = stages.indexOf('applied')
const answered = stages.indexOf('answered')

/**
 * Codes of messages come after those of stages: eight for each type. The lowest bit is the direction, and the two above
 * it tell what an answer says, or that AppendEntries carries entries.
 */
const firstCarried = 16
const codes = Object.fromEntries(carriedTypes.map((type, at) => [type, firstCarried + 8 * at])) as Record<
  CarriedType,
  number
>
const received = 1
const no = 2
const yes = 4

export class Waymarks {
  readonly #busy: RowRing
  readonly #calm: RowRing
  /** The time of rows that are put now. NaN: it is known when the turn ends. */
  #atMs = Number.NaN
  #term = 0
  #appended = 0
  #committed = 0
  /** The match of each follower's log, as far as this leader heard of it in its term. */
  readonly #matched = new Map<NodeId, number>()
  /** In this turn; 0: nothing was. */
  #applied = 0
  #answered = 0
  #calmCommitAtMs = 0

  constructor({ busy, calm }: WaymarkMemory) {
    this.#busy = new RowRing(busy)
    this.#calm = new RowRing(calm)
  }

  /** A look at the clock: for all that came in this turn, and for what comes next. */
  isNow(atMs: number): void {
    this.#atMs = atMs
    this.#busy.stamp(atMs)
    this.#calm.stamp(atMs)
  }

  received(message: Message): void {
    const { from } = message
    this.#carried(message, from, received)
    if (message.type !== 'appendEntriesResponse' || !message.success) return
    const { matchIndex, mode } = message
    if (matchIndex <= (this.#matched.get(from) ?? 0)) return
    this.#matched.set(from, matchIndex)
    // The other acknowledgements are rows of their own.
    if (mode === 'heartbeat') this.#busy.put(acknowledged, from, matchIndex, message.term, this.#atMs)
  }

  sent(message: Message): void {
    this.#carried(message, message.to, 0)
  }

  /** The facts of a turn were told, and nothing that comes of them has left. */
  turnEnding({ log, role, currentTerm }: Raft['state']): void {
    if (currentTerm !== this.#term) this.#matched.clear()
    this.#term = currentTerm
    const { lastIndex, commitIndex } = log
    if (lastIndex !== this.#appended) {
      this.#appended = lastIndex
      if (role === 'leader') this.#passed(appended, lastIndex)
    }
    if (commitIndex === this.#committed) return
    this.#committed = commitIndex
    this.#passed(committed, commitIndex)
    const atMs = this.#atMs
    if (atMs - this.#calmCommitAtMs < calmCommitMs) return
    this.#calmCommitAtMs = atMs
    this.#calm.put(committed, 0, commitIndex, currentTerm, atMs)
  }

  flushEnded({ entries }: Persist): void {
    const last = entries.at(-1)
    if (last !== undefined) this.#passed(flushed, lastIndexOf(last))
  }

  applied(run: EntryRun): void {
    this.#applied = lastIndexOf(run)
  }

  /** All commands up to `index` that came through this node were answered. */
  answered(index: number): void {
    this.#answered = index
  }

  turnEnded(): void {
    if (this.#applied > 0) this.#passed(applied, this.#applied)
    if (this.#answered > 0) this.#passed(answered, this.#answered)
    this.#applied = 0
    this.#answered = 0
    this.#atMs = Number.NaN
    this.#busy.show()
    this.#calm.show()
  }

  #passed(stage: number, index: number): void {
    this.#busy.put(stage, 0, index, this.#term, this.#atMs)
  }

  #carried(message: Message, peer: NodeId, direction: 0 | typeof received): void {
    const code = direction + codeOf(message)
    const isOfCommands = code >= codes.appendEntries && code < codes.installSnapshot
    const ring = isOfCommands ? this.#busy : this.#calm
    ring.put(code, peer, markOf(message), message.term, this.#atMs)
  }
}

function codeOf(message: Message): number {
  return codes[carriedTypeOf(message)] + sayingOf(message)
}

/** The two bits of a code that tell what an answer says, or that AppendEntries carries entries. */
function sayingOf(message: Message): number {
  switch (message.type) {
    case 'appendEntries':
      return message.mode !== 'heartbeat' && message.entries.length > 0 ? yes : 0
    case 'appendEntriesResponse':
      return message.success ? yes : no
    case 'preVoteResponse':
    case 'requestVoteResponse':
      return message.voteGranted ? yes : no
    case 'readIndexResponse':
      return message.readIndex !== undefined ? yes : no
    default:
      return 0
  }
}

function markOf(message: Message): number {
  switch (message.type) {
    case 'appendEntries': {
      if (message.mode === 'heartbeat') return message.round
      const last = entriesIn(message).at(-1)
      return last === undefined ? message.prevLogIndex : lastIndexOf(last)
    }
    case 'appendEntriesResponse':
      if (message.mode === 'heartbeat') return message.round
      return message.success ? message.matchIndex : message.conflictIndex
    case 'preVote':
    case 'preVoteResponse':
      return message.campaign
    case 'requestVote':
    case 'timeoutNow':
      return message.term
    case 'requestVoteResponse':
      return message.electionTerm
    case 'installSnapshot':
      return message.offset
    case 'installSnapshotResponse':
      return message.chunkOffset
    case 'readIndex':
    case 'readIndexResponse':
      return message.question
  }
}

/** The stages and messages in the rows of nodes, oldest first. The writers may be other threads, or gone. */
export function readWaymarks(memories: Iterable<readonly [NodeId, WaymarkMemory]>): {
  readonly passed: Passed[]
  readonly carried: Carried[]
} {
  const passed: Passed[] = []
  const carried: Carried[] = []
  for (const [nodeId, memory] of memories) {
    for (const row of rowsOf(memory)) {
      const stage = passedIn(nodeId, row)
      if (stage !== undefined) passed.push(stage)
      if (isOfMessage(row.code)) carried.push(carriedOf(nodeId, row))
    }
  }
  return { passed: passed.sort(byTime), carried: carried.sort(byTime) }
}

function rowsOf({ busy, calm }: WaymarkMemory): Row[] {
  const busyRows = new RowRing(busy).read()
  const fullSinceMs = busyRows[0]?.atMs ?? Number.POSITIVE_INFINITY
  // Commits are told better by the busy rows than by the calm ones, as far as the busy rows go back.
  const calmRows = new RowRing(calm)
    .read()
    .filter(({ code, atMs }) => isOfMessage(code) || atMs < fullSinceMs)
  return [...calmRows, ...busyRows]
}

/** True for the rows of messages. The other rows are of stages. */
export function isOfMessage(code: number): boolean {
  return code >= firstCarried
}

/** True for the rows of messages that a node has taken, and not sent. */
export function isOfReceived(code: number): boolean {
  return (code & received) !== 0
}

export function byTime(one: { readonly atMs: number }, other: { readonly atMs: number }): number {
  return one.atMs - other.atMs
}

function passedIn(nodeId: NodeId, { code, peer, mark: index, atMs }: Row): Passed | undefined {
  const stage = stageOf(code)
  return stage && { atMs, nodeId, stage, peer: peer === 0 ? undefined : peer, index }
}

/** The stage that a row tells. A message that carries entries, or acknowledges them, is a stage of these too. */
export function stageOf(code: number): Stage | undefined {
  return stages[code] ?? stagesOfMessages.get(code)
}

/** Whether the row tells of an answer to a piece of a snapshot. */
export function answersChunk(code: number): boolean {
  return (code & ~received) === codes.installSnapshotResponse
}

const stagesOfMessages: ReadonlyMap<number, Stage> = new Map([
  [codes.appendEntries + yes, 'sent'],
  [codes.appendEntries + yes + received, 'received'],
  [codes.appendEntriesResponse + yes + received, 'acknowledged'],
])

export function carriedOf(nodeId: NodeId, { code, peer, mark, term, atMs }: Row): Carried {
  const type = carriedTypes[(code - firstCarried) >> 3] ?? 'heartbeat'
  const direction = isOfReceived(code) ? 'received' : 'sent'
  const isAnswer = type.endsWith('Response') && type !== 'installSnapshotResponse'
  return { atMs, nodeId, direction, peer, type, term, mark, isYes: isAnswer ? (code & yes) > 0 : undefined }
}
