/** One node of a cluster, over all its lives. */
import { type MemberKind, memberKindOf } from '../membership/index.js'
import type { ControlledNode } from '../node/index.js'
import type { LogIndex, Membership, NodeId, Role } from '../raft/index.js'
import {
  allocateVitals,
  Counters,
  type CounterValues,
  MembershipMemory,
  type MembershipTold,
  NodeLatencies,
  nodesOf,
  roles,
  ToldMemory,
  type Vitals,
} from '../telemetry/index.js'
import type { NodeLook } from './look.js'
import { NodeBoard } from './node-board.js'

/** A paused node is alive, and nothing of it runs. */
export type NodeState = 'running' | 'paused' | 'stopped' | 'failed'

export interface NodeStatus extends Omit<CounterValues, 'role' | 'leaderId'> {
  readonly nodeId: NodeId
  readonly state: NodeState
  /** By the configuration of the leader, or else by the latest one that is known. */
  readonly member: MemberKind
  /** Role and counters are the last ones known when the node does not run. */
  readonly role: Role
  readonly leaderId: NodeId | undefined
  /** The configuration by which this node goes, and the node to which it hands over; `undefined`: it has not run yet. */
  readonly membership: MembershipTold | undefined
  /** Why it failed, when it did. */
  readonly failure: string | undefined
}

export interface Member {
  readonly nodeId: NodeId
  readonly memory: SharedArrayBuffer
  readonly counters: Counters
  readonly membership: MembershipMemory
  readonly vitals: ToldMemory<Vitals>
  readonly latencies: NodeLatencies
  readonly board: NodeBoard
  state: Exclude<NodeState, 'paused'>
  failure: string | undefined
  node: ControlledNode | undefined
  /** The node while it starts. A thread that is frozen then would keep all starts and removals behind it waiting. */
  starting: ControlledNode | undefined
  /** Once its disk is open, or could not be: nobody else may open the disk meanwhile. */
  opened: Promise<unknown>
  /** The last entry that its disk held when its present life began. */
  lastIndexAtStart: LogIndex
  /** Settled once its power is gone: until then the node runs, and is not to be brought back. */
  powerGoes: Promise<unknown>
  /** The end of its last life. The next one waits for it: two nodes on one log would destroy it. */
  ended: Promise<void>
}

export function newMember(nodeId: NodeId): Member {
  const memory = Counters.allocate()
  return {
    nodeId,
    memory,
    counters: new Counters(memory),
    membership: new MembershipMemory(),
    vitals: new ToldMemory(allocateVitals()),
    latencies: new NodeLatencies(),
    board: new NodeBoard(),
    state: 'stopped',
    failure: undefined,
    node: undefined,
    starting: undefined,
    opened: Promise.resolve(),
    lastIndexAtStart: 0,
    powerGoes: Promise.resolve(),
    ended: Promise.resolve(),
  }
}

/** `configuration`: the one by which the cluster goes, if any is known. */
export function statusOf(member: Member, configuration: Membership | undefined): NodeStatus {
  const { nodeId, state: lasting, failure, counters, board, membership } = member
  const state = board.frozenAtMs === undefined ? lasting : 'paused'
  const values = counters.read()
  const role = roles[values.role] ?? 'follower'
  const leaderId = values.leaderId === 0 ? undefined : values.leaderId
  const kind = memberKindOf(nodeId, configuration)
  return { ...values, nodeId, state, member: kind, failure, role, leaderId, membership: membership.read() }
}

export function lookAt({ nodeId, vitals, latencies, counters }: Member): NodeLook {
  return { nodeId, vitals: withPeers(vitals.read(), counters), ...latencies.read() }
}

/** Under load, a leader knows thousands of entries more of its peers than at its last tick. */
function withPeers(vitals: Vitals | undefined, counters: Counters): Vitals | undefined {
  if (vitals === undefined || vitals.progress.length === 0) return vitals
  const peers = new Map(counters.peers().map((peer) => [peer.nodeId, peer]))
  const progress = vitals.progress.map((told) => ({ ...told, ...peers.get(told.nodeId) }))
  return { ...vitals, progress }
}

/**
 * The leader of the latest term that a running node has told; `undefined` while there is none. A leader that is frozen leads
 * no more once another node has told of a later term.
 */
export function leaderAmong<Led extends Pick<Member, 'state' | 'counters' | 'board'>>(
  members: Iterable<Led>,
): Led | undefined {
  let leader: Led | undefined
  let [termOfLeader, latestTerm] = [0, 0]
  for (const member of members) {
    if (member.state !== 'running') continue
    const term = member.counters.get('currentTerm')
    latestTerm = Math.max(latestTerm, term)
    if (term < termOfLeader || roles[member.counters.get('role')] !== 'leader') continue
    leader = member
    termOfLeader = term
  }
  const isReplaced = leader?.board.frozenAtMs !== undefined && termOfLeader < latestTerm
  return isReplaced ? undefined : leader
}

/** The nodes that failed, and why, in a line; `undefined`: none has. */
export function failuresAmong(
  members: Iterable<Pick<NodeStatus, 'nodeId' | 'state' | 'failure'>>,
): string | undefined {
  const failed = new Map<string, NodeId[]>()
  for (const { nodeId, state, failure } of members) {
    if (state !== 'failed' || failure === undefined) continue
    failed.set(failure, [...(failed.get(failure) ?? []), nodeId])
  }
  const told = [...failed].map(([why, nodeIds]) => `${nodesOf(nodeIds)} failed: ${why}`)
  return told.length === 0 ? undefined : told.join('; ')
}
