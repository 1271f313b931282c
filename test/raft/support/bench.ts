/** One node alone on a bench: its peers exist by name only, and the test speaks for them. */
import {
  type AppendEntriesResponse,
  type EndTurn,
  type EntryRun,
  type Heartbeat,
  type HeartbeatResponse,
  type Membership,
  type Message,
  type MessageType,
  membersOf,
  type NodeId,
  type Persist,
  type Raft,
  type Replication,
  type Role,
  type Snapshot,
} from '../../../src/raft/index.js'
import { type NetworkNode, type NodeSetup, RaftNetwork } from '../../../src/testing/index.js'
import { cloneMessage } from '../../../src/transport/index.js'

/** The end of a turn of a node whose store takes a write. */
export function endTurn(fields: Partial<EndTurn> = {}): EndTurn {
  return {
    type: 'endTurn',
    now: undefined,
    mayWrite: true,
    applyBytesMax: Number.POSITIVE_INFINITY,
    ...fields,
  }
}

/** What a node wants written at the end of a turn. */
export function takePersist(raft: Raft): Persist | undefined {
  return raft.step(endTurn()).persist
}

/** Node 1 of a cluster of the given size, whose other nodes never answer by themselves. */
export class Bench {
  readonly network: RaftNetwork
  readonly node: NetworkNode

  constructor(setup: NodeSetup = {}, voterCount = 3, membership: Partial<Membership> = {}) {
    const voters = Array.from({ length: voterCount }, (_, position) => position + 1)
    this.network = new RaftNetwork({ nodes: { 1: setup }, membership: { voters, ...membership } })
    this.node = this.network.node(1)
  }

  get state() {
    return this.node.state
  }

  /** What the node sent since the last call. */
  sent(): Message[] {
    return this.network.take()
  }

  /** What the node sent since the last call, of one type. */
  sentOf<T extends MessageType>(type: T): Extract<Message, { type: T }>[] {
    return this.sent().filter((message): message is Extract<Message, { type: T }> => message.type === type)
  }

  /** The heartbeats that the node sent since the last call. */
  heartbeats(): Heartbeat[] {
    return this.sentOf('appendEntries').filter((message) => message.mode === 'heartbeat')
  }

  /** What the node sent to replicate since the last call. */
  replications(): Replication[] {
    return this.sentOf('appendEntries').filter((message) => message.mode === 'replication')
  }

  /** Delivers messages to the node, and returns what it sent meanwhile. */
  receive(...messages: readonly Message[]): Message[] {
    for (const message of messages) this.node.receive(cloneMessage(message))
    return this.sent()
  }

  /** The named nodes hold the leader's whole log on their disks, and say so. Returns what it sent meanwhile. */
  acknowledge(...nodeIds: readonly NodeId[]): Message[] {
    const { log, currentTerm: term } = this.state
    return this.receive(...nodeIds.map((from) => accepted(log.lastIndex, { from, term })))
  }

  /** An answer to the node's last campaign. */
  preVoteResponse(fields: Fields<'preVoteResponse'>) {
    return preVoteResponse({ campaign: this.state.campaign, ...fields })
  }

  /** Brings the node into a role; a leader's empty entry is on its disk, and on no other. */
  become(role: Role): this {
    if (role === 'follower') return this
    this.node.campaign()
    this.#answer('preVote', role === 'preCandidate')
    this.#answer('requestVote', role === 'candidate')
    if (this.state.role !== role) throw new Error(`the node is ${this.state.role} and not ${role}`)
    this.sent()
    return this
  }

  /** Makes the node leader, with all of its log on the disks of all other members. */
  lead(): this {
    this.become('leader')
    this.acknowledge(...membersOf(this.state.membership).filter((id) => id !== 1))
    this.sent()
    return this
  }

  #answer(type: 'preVote' | 'requestVote', isSilent: boolean): void {
    for (const message of this.sent()) {
      if (isSilent || message.type !== type) continue
      if (message.type === 'preVote') {
        this.node.receive(this.preVoteResponse({ from: message.to, term: message.term }))
      } else if (message.type === 'requestVote') {
        this.node.receive(requestVoteResponse({ from: message.to, term: message.term }))
      }
    }
  }
}

export const addLearner = (nodeId: NodeId) => ({ type: 'addLearner', nodeId }) as const
export const promote = (nodeId: NodeId) => ({ type: 'promote', nodeId }) as const
export const demote = (nodeId: NodeId) => ({ type: 'demote', nodeId }) as const
export const remove = (nodeId: NodeId) => ({ type: 'remove', nodeId }) as const

/** A leader in a joint configuration that is not committed yet, after an entry of its term that is. */
export function jointLeader(outgoing: readonly NodeId[], incoming: readonly NodeId[]): Bench {
  const learners = incoming.filter((id) => !outgoing.includes(id))
  const bench = new Bench({}, outgoing.length, { voters: outgoing, learners }).become('leader')
  for (const from of [...outgoing, ...learners]) if (from !== 1) bench.receive(accepted(1, { from }))
  bench.node.changeMembership(
    ...learners.map((nodeId) => ({ type: 'promote', nodeId }) as const),
    ...outgoing.filter((id) => !incoming.includes(id)).map((nodeId) => ({ type: 'remove', nodeId }) as const),
  )
  const { voters, votersOutgoing } = bench.state.membership
  if (votersOutgoing.length === 0) throw new Error(`the configuration is not joint: ${voters.join()}`)
  bench.sent()
  return bench
}

type FieldsOf<M> = Partial<Omit<M, 'type' | 'mode'>>
type Fields<T extends MessageType> = FieldsOf<Extract<Message, { type: T }>>

const envelope = { from: 2, to: 1, term: 1 } as const

export function requestVote(fields: Fields<'requestVote'>) {
  return { type: 'requestVote', ...envelope, lastLogIndex: 0, lastLogTerm: 0, ...fields } as const
}

export function requestVoteResponse(fields: Fields<'requestVoteResponse'>) {
  const electionTerm = fields.term ?? envelope.term
  return { type: 'requestVoteResponse', ...envelope, electionTerm, voteGranted: true, ...fields } as const
}

/** `nextTerm` is the one after `term` when it is left out. */
export function preVote(fields: Fields<'preVote'>) {
  const nextTerm = (fields.term ?? 1) + 1
  const log = { lastLogIndex: 0, lastLogTerm: 0 }
  return { type: 'preVote', ...envelope, nextTerm, campaign: 1, ...log, ...fields } as const
}

export function preVoteResponse(fields: Fields<'preVoteResponse'>) {
  return { type: 'preVoteResponse', ...envelope, campaign: 1, voteGranted: true, ...fields } as const
}

export function readIndex(fields: Fields<'readIndex'>) {
  return { type: 'readIndex', ...envelope, question: 1, ...fields } as const
}

export function readIndexResponse(fields: Fields<'readIndexResponse'>) {
  return { type: 'readIndexResponse', ...envelope, question: 1, readIndex: 1, ...fields } as const
}

const place = { prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 } as const

export function appendEntries(fields: FieldsOf<Replication>) {
  const entries: readonly EntryRun[] = []
  return { type: 'appendEntries', mode: 'replication', ...envelope, ...place, entries, ...fields } as const
}

/** A heartbeat of a leader that knows nothing of the receiver's log. */
export function heartbeat(fields: FieldsOf<Heartbeat>) {
  return { type: 'appendEntries', mode: 'heartbeat', ...envelope, ...place, round: 1, ...fields } as const
}

/** Answers the heartbeat of the round when there is one, and entries otherwise. */
export function accepted(
  matchIndex: number,
  fields: FieldsOf<HeartbeatResponse> = {},
): AppendEntriesResponse {
  const { round, ...others } = fields
  const result = { success: true, matchIndex, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 }
  const answer = { type: 'appendEntriesResponse', ...envelope, ...result, ...others } as const
  return round === undefined ? { ...answer, mode: 'replication' } : { ...answer, mode: 'heartbeat', round }
}

export function refused(prevLogIndex: number, fields: FieldsOf<HeartbeatResponse> = {}) {
  return accepted(0, { success: false, prevLogIndex, conflictIndex: prevLogIndex, ...fields })
}

export function installSnapshot(
  snapshot: Snapshot,
  data: Uint8Array,
  fields: Fields<'installSnapshot'> = {},
) {
  const { index: lastIncludedIndex, term: lastIncludedTerm, membership, size } = snapshot
  const offset = fields.offset ?? 0
  return {
    type: 'installSnapshot',
    ...envelope,
    lastIncludedIndex,
    lastIncludedTerm,
    membership,
    size,
    offset,
    length: data.byteLength,
    data,
    done: offset + data.byteLength === size,
    ...fields,
  } as const
}

export function installSnapshotResponse(fields: Fields<'installSnapshotResponse'>) {
  const answer = { lastIncludedIndex: 0, chunkOffset: 0, offset: 0, done: false }
  return { type: 'installSnapshotResponse', ...envelope, ...answer, ...fields } as const
}

/** Membership of the given voters and nobody else. */
export function votersOf(...voters: readonly NodeId[]): Membership {
  return { voters, votersOutgoing: [], learners: [] }
}
