/** One seed, from beginning to end: a storm of faults under load, and then the calm in which all has to come right. */
import { Dice } from '../faults/index.js'
import { encode, writePut } from '../machine/index.js'
import type { Outcome } from '../proof/index.js'
import { membersOf } from '../raft/index.js'
import { openMemoryStore } from '../storage/index.js'
import type { Story } from '../telemetry/index.js'
import { SimulatedClient } from './client.js'
import { SimulatedCluster } from './cluster.js'
import type { SimulatedClusterOptions } from './cluster-options.js'
import type { Counts } from './counts.js'
import { deriveSeed, diceOf } from './dice.js'
import { Interrupter } from './interrupter.js'
import { SimulatedNemesis } from './nemesis.js'
import type { SimulatedNode } from './node.js'
import { Operator } from './operator.js'
import { type Plan, planOf, type Weather } from './plan.js'
import type { Violation } from './violation.js'

export interface SimulationOptions
  extends Partial<Plan>,
    Pick<SimulatedClusterOptions, 'createMachine' | 'script'> {
  readonly seed: number
  /** Called with a line for each thing that happens. */
  readonly trace?: (line: string) => void
  /** Called with the lines of a recording of all that the nodes' protocols are told. */
  readonly record?: (line: string) => void
  /**
   * Called once the nodes have started, and before anything else happens, for clients or faults of the caller's own. The function
   * that it returns stops them: the storm is over.
   */
  readonly begun?: (cluster: SimulatedCluster) => () => void
  /** Called at the end with the story of the run. */
  readonly story?: (story: Story) => void
}

/** Plain values: it travels between threads and into a file. */
export interface SimulationResult {
  readonly seed: number
  readonly weather: Weather
  readonly nodes: number
  /** Equal for equal runs, to the byte of every message. */
  readonly fingerprint: string
  readonly virtualMs: number
  readonly committed: number
  readonly counts: Counts
  readonly violation: Violation | undefined
}

/** Election timeouts after the last fault within which all has to come right. */
const patience = 60
const lastTimeoutMs = 500
/** Election timeouts at the end in which nothing happens. */
const calmTimeouts = 5

export function simulate(options: SimulationOptions): SimulationResult {
  const { seed, trace, record, begun, story, ...overrides } = options
  const plan: Plan = { ...planOf(seed), ...overrides }
  const cluster = new SimulatedCluster({ ...plan, seed, ...(trace && { trace }), ...(record && { record }) })
  const stopOthers = begun?.(cluster)
  const dice = (part: number): Dice => new Dice(deriveSeed(seed, part))
  const nemesis = new SimulatedNemesis(cluster, dice(diceOf.nemesis), dice(diceOf.swarm), plan)
  const interrupter = new Interrupter(cluster, dice(diceOf.interrupter), plan)
  const clients = clientsOf(cluster, seed, plan)
  const hasChanges = plan.changeGapMs > 0
  const operator = hasChanges && new Operator(cluster, dice(diceOf.operator), plan)
  const stop = (): void => {
    stopOthers?.()
    if (operator) operator.stop()
    interrupter.stop()
    nemesis.stop()
    for (const client of clients) client.stop()
  }
  if (cluster.advance(plan.stormMs)) comesRight(cluster, stop, hasChanges)
  for (const node of cluster.members.all) node.endRecording()
  story?.(cluster.story())
  return {
    seed,
    weather: plan.weather,
    nodes: plan.nodes,
    fingerprint: cluster.fingerprint,
    virtualMs: cluster.nowMs,
    committed: cluster.world.checker.ledger.last.index,
    counts: cluster.world.counts,
    violation: cluster.violation,
  }
}

function clientsOf(cluster: SimulatedCluster, seed: number, { load }: Plan): SimulatedClient[] {
  const posts = cluster.nodes.flatMap(({ id: nodeId }) => [
    { nodeId, isReader: true },
    { nodeId, isReader: false },
  ])
  const callers = Array.from({ length: load.clients }, () => undefined)
  return [...callers, ...(load.hasSentinels ? posts : [])].map((post, at) => {
    return new SimulatedClient(cluster, new Dice(deriveSeed(seed, diceOf.client, at + 1)), load, at + 1, post)
  })
}

/** Liveness: with a healthy majority there is a leader, a write is committed, and all nodes come to the same state. */
function comesRight(cluster: SimulatedCluster, stop: () => void, hasChanges: boolean): void {
  stop()
  const { checker } = cluster.world
  const limitMs = patience * cluster.limits.electionTimeoutTicks * cluster.tickMs
  // What a client asked before is settled or has timed out by then.
  const isLed = awaitsProgress(cluster, limitMs, () => leads(cluster), heldWithLeader)
  if (!isLed) return checker.report('liveness', 'no leader came forth after the last fault')
  const isWritten = writes(cluster, limitMs)
  if (cluster.violation !== undefined) return
  if (!isWritten) return checker.report('liveness', 'no write was committed after the last fault')
  if (hasChanges && !changes(cluster, limitMs))
    return checker.report('liveness', 'no change of the members was done after the last fault')
  const isEqual = awaitsProgress(cluster, limitMs, () => agree(cluster), appliedSum)
  if (cluster.violation !== undefined) return
  if (!isEqual) return checker.report('liveness', `the nodes did not come to the same: ${applied(cluster)}`)
  const isAnswered = awaits(cluster, limitMs, () => unanswered(cluster).length === 0)
  if (!isAnswered) return checker.report('liveness', `never answered: ${unanswered(cluster).join(', ')}`)
  if (hasChanges) staysCalm(cluster)
  // The log's time may have moved on meanwhile, and disks that are slow for the election timeout cost leader after leader.
  if (!awaitsProgress(cluster, limitMs, () => agree(cluster), appliedSum))
    return checker.report('liveness', `the nodes did not stay the same: ${applied(cluster)}`)
  endsWell(cluster)
}

function awaits(cluster: SimulatedCluster, limitMs: number, condition: () => boolean): boolean {
  const endMs = cluster.nowMs + limitMs
  while (cluster.nowMs < endMs && cluster.violation === undefined) {
    if (condition()) return true
    cluster.advance(cluster.tickMs)
  }
  return condition()
}

/** Nodes that were removed, and do not know it, raise the term of no member. Members may: their disks may be too slow. */
function staysCalm(cluster: SimulatedCluster): void {
  const members = membersNow(cluster).map(({ id }) => id)
  const { nowMs } = cluster
  cluster.advance(calmTimeouts * cluster.electionTimeoutMs)
  for (const event of cluster.story().happened) {
    if (event.atMs < nowMs || event.type !== 'role' || event.reason !== 'higherTerm') continue
    if (!members.includes(event.nodeId) || members.includes(event.from)) continue
    const what = `node ${event.nodeId} adopted term ${event.term} of node ${event.from}, which was removed`
    cluster.world.checker.report('a removed node disturbs nobody', what)
  }
}

/** A condition that thousands of entries have to be caught up with for is waited for as long as `progress` grows. */
function awaitsProgress(
  cluster: SimulatedCluster,
  limitMs: number,
  condition: () => boolean,
  progress: (cluster: SimulatedCluster) => number,
): boolean {
  let most: number
  do {
    most = progress(cluster)
    if (awaits(cluster, limitMs, condition)) return true
  } while (cluster.violation === undefined && progress(cluster) > most)
  return false
}

function appliedSum(cluster: SimulatedCluster): number {
  return membersNow(cluster).reduce((sum, { state }) => sum + (state?.log.lastApplied ?? 0), 0)
}

/**
 * How many entries the leader's peers are known to share with it. A leader that was elected over and over in the storm
 * may have hundreds of entries that no other node has, and can commit none before its own.
 */
function heldWithLeader(cluster: SimulatedCluster): number {
  const progress = cluster.leader?.state?.leadership?.progress.values() ?? []
  return [...progress].reduce((sum, { matchIndex }) => sum + matchIndex, 0)
}

function leads(cluster: SimulatedCluster): boolean {
  const { log, currentTerm } = cluster.leader?.state ?? {}
  return log !== undefined && log.termAt(log.commitIndex) === currentTerm
}

/** The write is tried again as a client would, since leadership may change once more. */
function writes(cluster: SimulatedCluster, limitMs: number): boolean {
  let attempts = 0
  let hasWritten = false
  const attempt = (): void => {
    const command = encode(writePut, 'after the storm', `attempt ${++attempts}`)
    cluster.send(cluster.leader?.id ?? 1, 'propose', [command], told, lastTimeoutMs)
  }
  const told = ({ outcome }: Outcome): void => {
    hasWritten = outcome === 'applied'
    if (!hasWritten) cluster.world.time.after(1000 * cluster.tickMs, attempt)
  }
  attempt()
  return awaits(cluster, limitMs, () => hasWritten)
}

/** Another node becomes a learner. */
function changes(cluster: SimulatedCluster, limitMs: number): boolean {
  const { members } = cluster
  let nodeId = 0
  members.launch((launched) => {
    if (launched.ok) nodeId = launched.value
  })
  let hasChanged = false
  const attempt = (): void =>
    members.change(cluster.leader?.id ?? nodeId, [{ type: 'addLearner', nodeId }], lastTimeoutMs, told)
  const told = (): void => {
    const { learners } = cluster.world.checker.ledger.last.membership
    hasChanged = learners.includes(nodeId)
    if (!hasChanged) cluster.world.time.after(1000 * cluster.tickMs, attempt)
  }
  attempt()
  return awaits(cluster, limitMs, () => hasChanged)
}

/** The nodes of the latest configuration. Removed nodes may still be there. */
function membersNow(cluster: SimulatedCluster): SimulatedNode[] {
  return membersOf(cluster.world.checker.ledger.last.membership).map((id) => cluster.node(id))
}

/** Every member has applied the same, and it is all there is. */
function agree(cluster: SimulatedCluster): boolean {
  const { index } = cluster.world.checker.ledger.last
  const isAtEnd = ({ state }: SimulatedNode): boolean =>
    state?.log.lastApplied === index && state.log.lastIndex === index
  return membersNow(cluster).every(isAtEnd)
}

function applied(cluster: SimulatedCluster): string {
  return membersNow(cluster)
    .map(({ id, state }) => `node ${id} ${state ? `applied ${state.log.lastApplied}` : 'does not run'}`)
    .join(', ')
}

/** The requests of members. A node that was removed meanwhile may never learn what became of it. */
function unanswered(cluster: SimulatedCluster): string[] {
  const members = membersNow(cluster).map(({ id }) => id)
  const calls = cluster.unanswered.filter(({ nodeId }) => members.includes(nodeId))
  const operations = cluster.members.unanswered.filter((nodeId) => members.includes(nodeId))
  return [
    ...calls.map(({ request, type, nodeId }) => `request ${request}, a ${type} to ${nodeId}`),
    ...operations.map((nodeId) => `an operator, by ${nodeId}`),
  ]
}

/** Equal states, and disks on which each node would find all of it again. */
function endsWell(cluster: SimulatedCluster): void {
  const { checker } = cluster.world
  const members = membersNow(cluster)
  for (const node of members) node.checkState()
  const hashes = new Set(members.map((node) => node.hash()))
  if (hashes.size > 1) checker.report('equal states at equal indexes', `${hashes.size} hashes at the end`)
  for (const { id, disk } of members) {
    checker.recovered(id, openMemoryStore(disk.disk.copy(), { defer: () => undefined }))
  }
}
