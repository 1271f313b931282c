/**
 * How far a node's log has come in each stage, and which messages it carried, as rows of numbers. Each row costs a few
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
import { type Carried, type CarriedType, carriedTypes, type Passed, stages } from './happenings.js'
import { type Row, RowRing } from './row-ring.js'

/** Stages of commands, and the messages that replicate them. Under full load it holds about a second. */
const busyRows = 1 << 15
/** Everything that comes with elections, heartbeats and snapshots, and now and then how much is committed. */
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
const sent = stages.indexOf('sent')
const received = stages.indexOf('received')
const flushed = stages.indexOf('flushed')
const acknowledged = stages.indexOf('acknowledged')
const committed = stages.indexOf('committed')
const applied = stages.indexOf('applied')
const answered = stages.indexOf('answered')

/** Codes of messages come after those of stages. A code also tells the direction, and what an answer says. */
const firstCarried = 16
const answers = [undefined, false, true] as const

export class Waymarks {
  readonly #busy: RowRing
  readonly #calm: RowRing
  /** One look at the clock for all that comes together. */
  readonly #now: () => number
  #term = 0
  #appended = 0
  #committed = 0
  /** In this turn; 0: nothing was. */
  #applied = 0
  #answered = 0
  #calmCommitAtMs = 0
  readonly #acknowledged = new Map<NodeId, number>()

  constructor({ busy, calm }: WaymarkMemory, now: () => number) {
    this.#busy = new RowRing(busy)
    this.#calm = new RowRing(calm)
    this.#now = now
  }

  received(message: Message): void {
    const { from } = message
    this.#carried(message, from, 1)
    if (message.type === 'appendEntries') {
      const last = entriesIn(message).at(-1)
      if (last !== undefined) this.#passed(received, from, lastIndexOf(last))
    } else if (
      message.type === 'appendEntriesResponse' &&
      message.mode === 'replication' &&
      message.success
    ) {
      const { matchIndex } = message
      if (matchIndex <= (this.#acknowledged.get(from) ?? 0)) return
      this.#acknowledged.set(from, matchIndex)
      this.#passed(acknowledged, from, matchIndex)
    }
  }

  sent(message: Message): void {
    this.#carried(message, message.to, 0)
    if (message.type !== 'appendEntries') return
    const last = entriesIn(message).at(-1)
    if (last !== undefined) this.#passed(sent, message.to, lastIndexOf(last))
  }

  /** The facts of a turn were told, and nothing that comes of them has left. */
  turnEnding({ log, role, currentTerm }: Raft['state']): void {
    if (currentTerm !== this.#term) {
      this.#term = currentTerm
      this.#acknowledged.clear()
    }
    const { lastIndex, commitIndex } = log
    if (lastIndex !== this.#appended) {
      this.#appended = lastIndex
      if (role === 'leader') this.#passed(appended, 0, lastIndex)
    }
    if (commitIndex === this.#committed) return
    this.#committed = commitIndex
    this.#passed(committed, 0, commitIndex)
    const atMs = this.#now()
    if (atMs - this.#calmCommitAtMs < calmCommitMs) return
    this.#calmCommitAtMs = atMs
    this.#calm.put(committed, 0, commitIndex, currentTerm, atMs)
  }

  flushEnded({ entries }: Persist): void {
    const last = entries.at(-1)
    if (last !== undefined) this.#passed(flushed, 0, lastIndexOf(last))
  }

  applied(run: EntryRun): void {
    this.#applied = lastIndexOf(run)
  }

  /** All commands up to `index` that came through this node were answered. */
  answered(index: number): void {
    this.#answered = index
  }

  turnEnded(): void {
    if (this.#applied > 0) this.#passed(applied, 0, this.#applied)
    if (this.#answered > 0) this.#passed(answered, 0, this.#answered)
    this.#applied = 0
    this.#answered = 0
  }

  #passed(stage: number, peer: NodeId, index: number): void {
    this.#busy.put(stage, peer, index, this.#term, this.#now())
  }

  /** `direction`: 0 sent, 1 received. */
  #carried(message: Message, peer: NodeId, direction: 0 | 1): void {
    const type = typeOf(message)
    const code = firstCarried + 6 * carriedTypes.indexOf(type) + 3 * direction + answerIn(message)
    const ring = type === 'appendEntries' || type === 'appendEntriesResponse' ? this.#busy : this.#calm
    ring.put(code, peer, markOf(message), message.term, this.#now())
  }
}

export function typeOf(message: Message): CarriedType {
  if (message.type === 'appendEntries') return message.mode === 'heartbeat' ? 'heartbeat' : 'appendEntries'
  if (message.type !== 'appendEntriesResponse') return message.type
  return message.mode === 'heartbeat' ? 'heartbeatResponse' : 'appendEntriesResponse'
}

/** The place of the answer among `answers`. */
function answerIn(message: Message): number {
  if (message.type === 'appendEntriesResponse') return message.success ? 2 : 1
  if (message.type === 'preVoteResponse' || message.type === 'requestVoteResponse')
    return message.voteGranted ? 2 : 1
  return 0
}

function markOf(message: Message): number {
  switch (message.type) {
    case 'preVote':
    case 'preVoteResponse':
      return message.campaign
    case 'requestVote':
      return message.term
    case 'requestVoteResponse':
      return message.electionTerm
    case 'appendEntries': {
      if (message.mode === 'heartbeat') return message.round
      const last = message.entries.at(-1)
      return last === undefined ? message.prevLogIndex : lastIndexOf(last)
    }
    case 'appendEntriesResponse':
      if (message.mode === 'heartbeat') return message.round
      return message.success ? message.matchIndex : message.conflictIndex
    case 'installSnapshot':
      return message.offset
    case 'installSnapshotResponse':
      return message.chunkOffset
  }
}

/** What the rows of a node tell, oldest first. The writer may be another thread, or gone. */
export function readWaymarks(
  nodeId: NodeId,
  { busy, calm }: WaymarkMemory,
): { readonly passed: Passed[]; readonly carried: Carried[] } {
  const busyRows = new RowRing(busy).read()
  const fullSinceMs = busyRows[0]?.atMs ?? Number.POSITIVE_INFINITY
  // What the calm rows tell of commits is told better by the busy rows, as far as those go back.
  const calmRows = new RowRing(calm)
    .read()
    .filter(({ code, atMs }) => code >= firstCarried || atMs < fullSinceMs)
  const rows = [...calmRows, ...busyRows].sort((a, b) => a.atMs - b.atMs)
  const passed = rows.filter(({ code }) => code < firstCarried).map((row) => passedOf(nodeId, row))
  const carried = rows.filter(({ code }) => code >= firstCarried).map((row) => carriedOf(nodeId, row))
  return { passed, carried }
}

function passedOf(nodeId: NodeId, { code, peer, mark: index, atMs }: Row): Passed {
  return { atMs, nodeId, stage: stages[code] ?? 'appended', peer: peer === 0 ? undefined : peer, index }
}

function carriedOf(nodeId: NodeId, { code, peer, mark, term, atMs }: Row): Carried {
  const kind = code - firstCarried
  const type = carriedTypes[Math.floor(kind / 6)] ?? 'heartbeat'
  const direction = kind % 6 < 3 ? 'sent' : 'received'
  return { atMs, nodeId, direction, peer, type, term, mark, isYes: answers[kind % 3] }
}
