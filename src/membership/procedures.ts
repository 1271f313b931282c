/**
 * Requests of an operator: other members, or another leader. A refusal that may pass is asked again until the
 * deadline; a change that no cluster could make is refused at once.
 */
import type { ChangeOutcome, TransferOutcome } from '../driver/index.js'
import { RaftError, type Result, unwrap } from '../errors/index.js'
import {
  type Configuration,
  isJoint,
  isMember,
  isVoter,
  type Membership,
  type MembershipChange,
  type NodeId,
} from '../raft/index.js'
import type { Changeable } from './changeable.js'
import { answerTo, type Procedure } from './procedure.js'

export interface Within {
  /** Milliseconds until the call is given up. */
  readonly withinMs: number
}

export interface Adding extends Within {
  /** The node stays a learner, which holds the log and has no vote. */
  readonly learner: boolean
}

export interface HandingOver extends Within {
  /** A leader that is none of these nodes hands nothing over: the transfer is done. Left out: any leader. */
  readonly from?: readonly NodeId[]
}

export interface Removing extends Within {
  /** The node's folder stays. */
  readonly keep: boolean
}

/** Resolves once the changes are committed, and no joint configuration holds any more. */
export function changeMembership(
  cluster: Changeable,
  changes: readonly MembershipChange[],
  { withinMs }: Within,
): Procedure<Configuration> {
  return agreedOn(cluster, changes, cluster.now() + withinMs)
}

/** Adds a node with an id and a disk of its own, as a learner first, and gives it a vote once it has caught up. */
export function* addNode(cluster: Changeable, { learner, withinMs }: Adding): Procedure<NodeId> {
  const deadlineMs = cluster.now() + withinMs
  const nodeId = yield* joined(cluster, deadlineMs)
  if (!learner) yield* onceChanged(afterJoining(cluster, nodeId, [{ type: 'promote', nodeId }], deadlineMs))
  return nodeId
}

/** Takes nodes out of the configuration, and ends each once that is committed and the node does not lead any more. */
export function* removeNodes(
  cluster: Changeable,
  nodeIds: readonly NodeId[],
  { keep, withinMs }: Removing,
): Procedure<void> {
  const changes = nodeIds.map((nodeId) => ({ type: 'remove', nodeId }) as const)
  yield* agreedOn(cluster, changes, cluster.now() + withinMs, true)
  yield* onceChanged(ended(cluster, nodeIds, keep))
}

/**
 * Puts a new node into the place of one that may be dead: the new one is a learner until it has caught up, and then takes
 * the vote of the old one in one joint change. Resolves with the new id.
 */
export function* replaceNode(
  cluster: Changeable,
  nodeId: NodeId,
  { keep, withinMs }: Removing,
): Procedure<NodeId> {
  const deadlineMs = cluster.now() + withinMs
  const before = cluster.configuration?.membership
  if (before !== undefined && !isMember(before, nodeId))
    throw new RaftError('INVALID_CHANGE', {
      what: `the replacement of node ${nodeId}`,
      why: 'it is no member',
    })
  const added = yield* joined(cluster, deadlineMs)
  const { configuration } = cluster
  const hasVote = configuration === undefined || isVoter(configuration.membership, nodeId)
  const removal: MembershipChange = { type: 'remove', nodeId }
  const changes = hasVote ? [{ type: 'promote', nodeId: added } as const, removal] : [removal]
  yield* onceChanged(afterJoining(cluster, added, changes, deadlineMs))
  yield* onceChanged(ended(cluster, [nodeId], keep))
  return added
}

/** Resolves with the node that leads then: `to`, or without it the voter whose log was longest. */
export function* transferLeadership(
  cluster: Changeable,
  to: NodeId | undefined,
  { withinMs, from }: HandingOver,
): Procedure<NodeId> {
  const what = to === undefined ? 'the transfer' : `the transfer to node ${to}`
  const deadlineMs = cluster.now() + withinMs
  for (;;) {
    let why = whyNoLeader(cluster)
    const { leaderId } = cluster
    if (leaderId !== undefined) {
      if (from?.includes(leaderId) === false) return leaderId
      const leftMs = Math.max(0, deadlineMs - cluster.now())
      const outcome = yield* answerTo<TransferOutcome | undefined>((answered) =>
        cluster.handOver(leaderId, to, Math.min(leftMs, patienceMs(cluster)), answered),
      )
      const refusal = outcome?.outcome === 'refused' ? outcome : undefined
      // A node whose disk is slow may still take over after its leader has given up [MC7].
      if (refusal === undefined || refusal.code === 'timedOut')
        return yield* onceChanged(successorOf(cluster, leaderId, to, { what, stays: refusal?.why }))
      why = refusal.why
      if (refusal.code === 'invalid') throw new RaftError('INVALID_CHANGE', { what, why })
    }
    if (cluster.now() >= deadlineMs) throw new RaftError('NOT_CHANGED', { what, why })
    yield* pause(cluster)
  }
}

/**
 * Ends nodes, which can be started again. A leader among them first hands over to one of the others. Where none takes over,
 * the leader is ended all the same.
 */
export function* stopNodes(
  cluster: Changeable,
  nodeIds: readonly NodeId[],
  others: readonly NodeId[],
): Procedure<void> {
  // A leader that is stopped alone knows best which of the others follows.
  const successors = nodeIds.length === 1 && others.length > 0 ? [undefined] : others
  for (const to of successors) {
    const { leaderId } = cluster
    if (leaderId === undefined || !nodeIds.includes(leaderId)) break
    yield* triedTransfer(cluster, to, nodeIds)
  }
  const ends: Result<undefined>[] = []
  for (const nodeId of nodeIds)
    ends.push(yield* answerTo<Result<undefined>>((answered) => cluster.end(nodeId, answered)))
  for (const end of ends) unwrap(end)
}

function* triedTransfer(
  cluster: Changeable,
  to: NodeId | undefined,
  from: readonly NodeId[],
): Procedure<void> {
  try {
    yield* transferLeadership(cluster, to, { withinMs: patienceMs(cluster), from })
  } catch (error) {
    if (!isRefusal(error)) throw error
  }
}

/** The node that leads after `from`. `stays` says why `from` may lead on; left out: `from` has handed over. */
function* successorOf(
  cluster: Changeable,
  from: NodeId,
  to: NodeId | undefined,
  { what, stays }: { readonly what: string; readonly stays: string | undefined },
): Procedure<NodeId> {
  const deadlineMs = cluster.now() + patienceMs(cluster)
  const isOver = () => cluster.leaderId !== undefined && cluster.leaderId !== from
  while (!isOver() && cluster.now() < deadlineMs) yield* pause(cluster)
  const { leaderId } = cluster
  if (leaderId !== undefined && leaderId !== from && (to === undefined || leaderId === to)) return leaderId
  const leads = leaderId === undefined ? whyNoLeader(cluster) : `node ${leaderId} leads`
  throw new RaftError('NOT_CHANGED', { what, why: (leaderId === from && stays) || leads })
}

/** A node that is a learner from now on. */
function* joined(cluster: Changeable, deadlineMs: number): Procedure<NodeId> {
  cluster.nodesJoining++
  try {
    return yield* launchedAndAdded(cluster, deadlineMs)
  } finally {
    cluster.nodesJoining--
  }
}

/** A node that certainly did not become a learner is ended again. */
function* launchedAndAdded(cluster: Changeable, deadlineMs: number): Procedure<NodeId> {
  const nodeId = unwrap(yield* answerTo(cluster.launch.bind(cluster)))
  try {
    yield* agreedOn(cluster, [{ type: 'addLearner', nodeId }], deadlineMs)
  } catch (error) {
    if (error instanceof RaftError && error.mayHaveHappened === 'no')
      unwrap(yield* discarded(cluster, nodeId, false))
    throw error
  }
  return nodeId
}

function isRefusal(error: unknown): error is RaftError {
  return error instanceof RaftError && (error.code === 'NOT_CHANGED' || error.code === 'INVALID_CHANGE')
}

/** The changes that follow once a node has joined. Where they fail, it goes on as a learner, and the error says so. */
function* afterJoining(
  cluster: Changeable,
  nodeId: NodeId,
  changes: readonly MembershipChange[],
  deadlineMs: number,
): Procedure<void> {
  try {
    yield* agreedOn(cluster, changes, deadlineMs)
  } catch (error) {
    if (!isRefusal(error)) throw error
    const { what, why } = error.details
    const stays = `node ${nodeId} stays a learner: promote it later, or remove it`
    throw new RaftError('NOT_CHANGED', { what, why: `${why}; ${stays}` })
  }
}

/**
 * The steps after a change that was made. A refusal says itself what did not come about. Any other failure, as of a disk or
 * by the close of the cluster, has an unknown outcome: the caller must not take the change for one that was not made.
 */
function* onceChanged<Outcome>(rest: Procedure<Outcome>): Procedure<Outcome> {
  try {
    return yield* rest
  } catch (error) {
    if (!(error instanceof RaftError)) throw error
    const { code, mayHaveHappened, message } = error
    if (isRefusal(error) || mayHaveHappened === 'maybe') throw error
    const why =
      code === 'STOPPED' ? 'the cluster was closed meanwhile' : `the members changed, and then ${message}`
    throw new RaftError('UNKNOWN_OUTCOME', { why })
  }
}

/** Ends nodes that are no members any more, once none of them leads. */
function* ended(cluster: Changeable, nodeIds: readonly NodeId[], keep: boolean): Procedure<void> {
  yield* ledByAnother(cluster, nodeIds)
  const ends: Result<undefined>[] = []
  for (const nodeId of nodeIds) ends.push(yield* discarded(cluster, nodeId, keep))
  for (const end of ends) unwrap(end)
}

/** A leader that is no member any more hands over first. A leader that cannot has stepped down after a while. */
function* ledByAnother(cluster: Changeable, removed: readonly NodeId[]): Procedure<void> {
  const deadlineMs = cluster.now() + patienceMs(cluster)
  const isLed = () => cluster.leaderId !== undefined && !removed.includes(cluster.leaderId)
  while (!isLed() && cluster.now() < deadlineMs) yield* pause(cluster)
}

function discarded(cluster: Changeable, nodeId: NodeId, keep: boolean): Procedure<Result<undefined>> {
  return answerTo<Result<undefined>>((answered) => cluster.discard(nodeId, keep, answered))
}

/**
 * Asks each leader for the changes until one has made them. After an unknown outcome, or with `mayHold`, changes that are
 * refused since they hold already are done once they are committed.
 */
function* agreedOn(
  cluster: Changeable,
  changes: readonly MembershipChange[],
  deadlineMs: number,
  mayHold = false,
): Procedure<Configuration> {
  const what = inWords(changes)
  let unknown: string | undefined
  let why = 'the time was over before the leader was asked'
  // A request that no answer can reach in time would have an unknown outcome, so none is made at the deadline.
  while (cluster.now() < deadlineMs) {
    const outcome = yield* asked(cluster, changes, deadlineMs)
    if (outcome.outcome === 'done') return outcome
    why = outcome.why
    if (outcome.outcome === 'unknown') unknown = why
    else if (outcome.code === 'invalid') {
      const held = heldBy(cluster, changes)
      if (unknown === undefined && !(mayHold && held !== 'no'))
        throw new RaftError('INVALID_CHANGE', { what, why })
      if (typeof held === 'object') return held
    }
    if (cluster.now() < deadlineMs) yield* pause(cluster, unknown)
  }
  throw notAgreed(what, why, unknown)
}

function* asked(
  cluster: Changeable,
  changes: readonly MembershipChange[],
  deadlineMs: number,
): Procedure<ChangeOutcome> {
  const { leaderId } = cluster
  if (leaderId === undefined)
    return { outcome: 'refused', code: 'notLeader', leaderId, why: whyNoLeader(cluster) }
  const withinMs = Math.max(0, Math.min(deadlineMs - cluster.now(), patienceMs(cluster)))
  return yield* answerTo<ChangeOutcome>((answered) => cluster.change(leaderId, changes, withinMs, answered))
}

function notAgreed(what: string, why: string, unknown: string | undefined): RaftError {
  if (unknown === undefined) return new RaftError('NOT_CHANGED', { what, why })
  const since = why === unknown ? '' : `; and then: ${why}`
  return new RaftError('UNKNOWN_OUTCOME', { why: `${what}: ${unknown}${since}` })
}

/** Nodes that failed may be the reason why no other node leads. */
function whyNoLeader({ failures }: Changeable): string {
  return failures === undefined ? 'no node leads' : `no node leads: ${failures}`
}

/** The committed configuration of the leader, if it is as the changes want it. */
function heldBy(
  { configuration, nodesJoining }: Changeable,
  changes: readonly MembershipChange[],
): Configuration | 'notYet' | 'no' {
  if (configuration === undefined) return 'notYet'
  const { membership, isCommitted } = configuration
  if (!changes.every((change) => holds(membership, change))) return 'no'
  // A node that is ended while it joins would become a member without a process.
  const mayJoin = nodesJoining > 0 && changes.some(({ type }) => type === 'remove')
  return isCommitted && !isJoint(membership) && !mayJoin ? configuration : 'notYet'
}

function holds(membership: Membership, { type, nodeId }: MembershipChange): boolean {
  switch (type) {
    case 'addLearner':
      return isMember(membership, nodeId)
    case 'promote':
      return membership.voters.includes(nodeId)
    case 'demote':
      return membership.learners.includes(nodeId)
    case 'remove':
      return !isMember(membership, nodeId)
  }
}

/** As long as a leader may take to answer before another one may lead. */
function patienceMs({ electionTimeoutMs }: Changeable): number {
  return 2 * electionTimeoutMs
}

/** A while, after which the cluster may be closed. */
function* pause(cluster: Changeable, unknown?: string): Procedure<void> {
  yield* answerTo<void>((over) =>
    cluster.later(cluster.heartbeatIntervalMs / pausesAHeartbeat, () => over(undefined)),
  )
  try {
    cluster.checkOpen()
  } catch (error) {
    throw unknown === undefined ? error : new RaftError('UNKNOWN_OUTCOME', { why: unknown })
  }
}

const pausesAHeartbeat = 4

const verbs: Readonly<Record<MembershipChange['type'], string>> = {
  addLearner: 'adding',
  promote: 'promoting',
  demote: 'demoting',
  remove: 'removing',
}

function inWords(changes: readonly MembershipChange[]): string {
  if (changes.length === 0) return 'changing the members'
  return changes.map(({ type, nodeId }) => `${verbs[type]} node ${nodeId}`).join(' and ')
}
