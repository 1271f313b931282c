/**
 * The moments of a run in virtual time at which a power loss leaves something else on a disk: each write that a disk is
 * given, and each that it has flushed. A run is repeated up to one of them, since a seed is the same run each time, and
 * there the power goes. The cluster has to come right within its bound, and every promise has to hold.
 */
import type { NodeId } from '../../src/raft/index.js'
import {
  type Counts,
  type Plan,
  type SimulatedCluster,
  type SimulationOptions,
  simulate,
  type Violation,
} from '../../src/sim/index.js'
import type { DiskMoment } from '../../src/storage/index.js'

/** A run whose power losses are gone through. */
export type Run = Pick<SimulationOptions, 'seed'> & Partial<Plan>

/** One moment of a run. */
interface Moment {
  /** Its number in the run, from 0 on. */
  readonly at: number
  readonly nodeId: NodeId
  readonly what: DiskMoment
  /** Writes that the node's disk was given, and has not flushed. */
  readonly unflushed: number
}

/** Whose power goes. */
const losers = ['one node', 'all nodes'] as const

/** A power loss at a moment. */
export interface Loss {
  readonly at: number
  readonly of: (typeof losers)[number]
  /** Of the writes that are not flushed, the first ones that are on the disk all the same. */
  readonly kept: number
  /** Election timeouts until the nodes are back. */
  readonly downTimeouts: number
}

/** The outcome of a power loss: the writes of the one node that were lost and kept unflushed. */
interface Lost {
  readonly violation: Violation | undefined
  readonly lost: number
  readonly kept: number
}

export interface Enumerated {
  readonly moments: number
  readonly losses: number
  /** Writes that were lost, and writes that survived unflushed. */
  readonly lost: number
  readonly kept: number
  /** What the run had in it before any power was lost. */
  readonly counts: Counts
  readonly broken: readonly { readonly loss: Loss; readonly violation: Violation }[]
}

/** All moments of the run in which nothing is lost, and what happened in it. */
export function momentsOf(run: Run): { readonly moments: readonly Moment[]; readonly counts: Counts } {
  const moments: Moment[] = []
  const { counts, violation } = simulate({
    ...run,
    begun: (cluster) => {
      cluster.world.diskMoment = (nodeId, what) => {
        moments.push({ at: moments.length, nodeId, what, unflushed: unflushedOf(cluster, nodeId) })
      }
      return () => undefined
    },
  })
  if (violation !== undefined) throw new Error(`the run without a power loss: ${violation.detail}`)
  return { moments, counts }
}

/** The power losses of a moment: of the one node and of all, and with every share of what is not flushed. */
export function lossesAt({ at, unflushed }: Moment): Loss[] {
  const shares = Array.from({ length: unflushed + 1 }, (_, kept) => kept)
  // Back before anybody missed it, or after the others went on without it.
  return losers.flatMap((of) =>
    shares.map((kept) => ({ at, of, kept, downTimeouts: at % 2 === 0 ? 0.1 : 3 })),
  )
}

/** The violation that comes of a power loss, if one does, and the unflushed writes of the one node that were lost and kept. */
export function lose(run: Run, loss: Loss): Lost {
  let passed = 0
  let hasCome = false
  let struck = { lost: 0, kept: 0 }
  const { violation } = simulate({
    ...run,
    begun: (cluster) => {
      cluster.world.diskMoment = (nodeId, what) => {
        if (passed++ !== loss.at) return
        hasCome = true
        // A disk that is being opened has a node that does not run yet.
        if (!cluster.node(nodeId).isUp)
          return void cluster.later(0, () => {
            struck = strike(cluster, nodeId, loss)
          })
        struck = strike(cluster, nodeId, loss)
        // The node that gives a write is in the middle of its turn, and nothing of that turn may run on.
        if (what === 'given') throw new Error('the power is gone')
      }
      return () => undefined
    },
  })
  if (!hasCome) throw new Error(`moment ${loss.at} did not come: two runs of seed ${run.seed} differ`)
  return { violation, ...struck }
}

function strike(
  cluster: SimulatedCluster,
  nodeId: NodeId,
  { of, kept, downTimeouts }: Loss,
): Pick<Lost, 'lost' | 'kept'> {
  const before = unflushedOf(cluster, nodeId)
  const ids = of === 'one node' ? [nodeId] : [...cluster.nodeIds]
  for (const id of ids) {
    const { disk, isUp } = cluster.node(id)
    if (!isUp) continue
    // Of the other disks a share is drawn.
    if (id === nodeId) {
      disk.disk.crash(kept)
      if (disk.disk.unflushedCount > 0) throw new Error(`node ${id} has unflushed writes after a power loss`)
    }
    cluster.losePower(id)
  }
  cluster.later(downTimeouts * cluster.electionTimeoutMs, () => {
    for (const id of ids) cluster.restart(id)
  })
  return { lost: Math.max(0, before - kept), kept: Math.min(kept, before) }
}

function unflushedOf(cluster: SimulatedCluster, nodeId: NodeId): number {
  return cluster.node(nodeId).disk.disk.unflushedCount
}

/** Goes through the power losses of a run: all of them, or every `each`th one. */
export function enumerate(run: Run, each = 1): Enumerated {
  const { moments, counts } = momentsOf(run)
  const broken: { loss: Loss; violation: Violation }[] = []
  let [losses, lost, kept] = [0, 0, 0]
  const all = moments.flatMap(lossesAt)
  for (let next = 0; next < all.length; next += each) {
    const loss = all[next]!
    losses++
    const outcome = lose(run, loss)
    kept += outcome.kept
    lost += outcome.lost
    if (outcome.violation !== undefined) broken.push({ loss, violation: outcome.violation })
  }
  return { moments: moments.length, losses, lost, kept, counts, broken }
}
