/**
 * The moments of a node's work at which a fault may strike: between a write and its flush, between a promise on the disk and
 * the message that tells of it. The node is not asked: its store, links, machine and clients' answers are watched.
 */
import type { Message, NodeId, Persist, RaftEvent } from '../raft/index.js'
import { entryKinds, isJoint } from '../raft/index.js'

/** The things that a write may hold: each has a moment while it is written, and one when it is flushed and the node has not heard of it. */
const writes = [
  'entries',
  'vote',
  'truncation',
  'configuration',
  'chunk',
  'install',
  'ownSnapshot',
  'logCut',
] as const
type Written = (typeof writes)[number]

/** Each counts how often a node was killed or lost its power there. `Leaving`: the message is made and not sent. `Left`: it is sent, and no later one. */
export const momentNames = [
  ...writes.map((written) => `${written}Writing` as const),
  ...writes.map((written) => `${written}Flushed` as const),
  'appendLeft',
  'heartbeatLeft',
  'acknowledgementLeaving',
  'acknowledgementLeft',
  'voteLeaving',
  'voteLeft',
  'voteRequestLeft',
  'chunkLeft',
  'chunkAnswerLeft',
  'takeOverLeft',
  'takeOverTaken',
  'readIndexLeft',
  'readIndexAnswerLeaving',
  'entriesTaken',
  /** Committed and not applied; applied and not answered. */
  'applying',
  'applied',
  /** Between two pieces of a snapshot of its own; before the machine begins anew from one that was received. */
  'snapshotTaking',
  'restoring',
  'answerLeaving',
  'answerLeft',
  'elected',
  'steppedDown',
  'campaigning',
  /** A joint configuration counts; a configuration is committed; a leader begins to hand over. */
  'jointEntered',
  'changeCommitted',
  'transferBegan',
  /** The first tick of a node that started again. */
  'startedAgain',
] as const

export type MomentName = (typeof momentNames)[number]
/** The counters of moments: the names tell them from the counters of what came of a run. */
export type MomentCount = `at ${MomentName}`

/** A pause, or a snapshot that somebody wishes for, begins once the turn is over: a thread of JavaScript has no other place. */
export type Strike = 'kill' | 'losePower' | 'pause' | 'snapshot'

/** Ends a node in the middle of its work. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  readonly how: 'kill' | 'losePower'

  constructor(moment: MomentName, how: 'kill' | 'losePower') {
    super(`interrupted at the moment ${moment}`)
    this.how = how
  }
}

/** Hears of moments that nodes come to. */
export interface MomentScript {
  /** The node takes the next piece of a snapshot of its own. */
  takesSnapshot(nodeId: NodeId): void
  /** A fault ends the node at this moment of its work. */
  struck(nodeId: NodeId, moment: MomentName, how: Interruption['how']): void
}

interface Armed {
  readonly how: Strike
  /** Nodes that pass the moment before it strikes. */
  passesLeft: number
  readonly struck: (nodeId: NodeId) => void
}

export class Moments {
  readonly #counts: Record<MomentCount, number>
  readonly #script: MomentScript | undefined
  readonly #armed = new Map<MomentName, Armed>()

  constructor(counts: Record<MomentCount, number>, script: MomentScript | undefined) {
    this.#counts = counts
    this.#script = script
  }

  get armedCount(): number {
    return this.#armed.size
  }

  /** The fault strikes the node that passes the moment next, after `passesLeft` others. */
  arm(moment: MomentName, armed: Armed): void {
    this.#armed.set(moment, armed)
  }

  disarmAll(): void {
    this.#armed.clear()
  }

  /** A node has come to a moment. Throws an `Interruption` when the node ends there. */
  passes(nodeId: NodeId, moment: MomentName): void {
    if (moment === 'snapshotTaking') this.#script?.takesSnapshot(nodeId)
    const armed = this.#armed.get(moment)
    if (armed === undefined || armed.passesLeft-- > 0) return
    this.#armed.delete(moment)
    armed.struck(nodeId)
    if (armed.how !== 'kill' && armed.how !== 'losePower') return
    this.#counts[`at ${moment}`]++
    this.#script?.struck(nodeId, moment, armed.how)
    throw new Interruption(moment, armed.how)
  }
}

/** The things that a write holds. */
export function writtenIn(persist: Persist): readonly Written[] {
  const { hardState, truncateFrom, entries, snapshotChunks, install, messages } = persist
  const isVote = ({ type }: Message): boolean => type === 'requestVoteResponse'
  const written: Written[] = []
  if (entries.length > 0) written.push('entries')
  if (hardState?.votedFor !== undefined && messages.some(isVote)) written.push('vote')
  if (truncateFrom !== undefined) written.push('truncation')
  if (entries.some(({ kind }) => kind === entryKinds.membership)) written.push('configuration')
  if (snapshotChunks.length > 0) written.push('chunk')
  if (install !== undefined) written.push('install')
  return written
}

/** The moments before and after a message leaves. */
export function leavingOf(message: Message): { readonly before?: MomentName; readonly after?: MomentName } {
  switch (message.type) {
    case 'appendEntries':
      return { after: message.mode === 'heartbeat' ? 'heartbeatLeft' : 'appendLeft' }
    case 'appendEntriesResponse':
      return message.success && message.mode === 'replication'
        ? { before: 'acknowledgementLeaving', after: 'acknowledgementLeft' }
        : {}
    case 'requestVote':
      return { after: 'voteRequestLeft' }
    case 'requestVoteResponse':
      return message.voteGranted ? { before: 'voteLeaving', after: 'voteLeft' } : {}
    case 'installSnapshot':
      return { after: 'chunkLeft' }
    case 'installSnapshotResponse':
      return { after: 'chunkAnswerLeft' }
    case 'timeoutNow':
      return { after: 'takeOverLeft' }
    case 'readIndex':
      return { after: 'readIndexLeft' }
    case 'readIndexResponse':
      return { before: 'readIndexAnswerLeaving' }
    default:
      return {}
  }
}

/** The moment after a message was taken. */
export function takenOf(message: Message): MomentName | undefined {
  if (message.type === 'timeoutNow') return 'takeOverTaken'
  return message.type === 'appendEntries' && message.mode === 'replication' ? 'entriesTaken' : undefined
}

/** The moment of an event that a node's protocol tells of itself. */
export function momentOf(event: RaftEvent): MomentName | undefined {
  if (event.type === 'transferBegan') return 'transferBegan'
  if (event.type === 'membership') {
    if (event.isCommitted) return 'changeCommitted'
    return isJoint(event.membership) ? 'jointEntered' : undefined
  }
  if (event.type !== 'role') return undefined
  if (event.role === 'leader') return 'elected'
  return event.role === 'candidate' ? 'campaigning' : undefined
}
