/** Moments and stretches of time that are worth a mark: elections, crashes, and windows of faults. */
import type { Frame } from '../observer/index.js'
import type { NodeId, Term } from '../raft/index.js'
import type { Happened } from '../telemetry/index.js'

export interface FaultWindow {
  readonly id: number
  /** The line that a person would type for the fault. */
  readonly line: string
  readonly fromMs: number
  /** `undefined`: it stands. */
  readonly toMs: number | undefined
}

export interface Moment {
  readonly type: 'election' | 'crash'
  readonly atMs: number
  readonly nodeId: NodeId
  /** Of an election. */
  readonly term: Term | undefined
}

export interface Moments {
  readonly faults: readonly FaultWindow[]
  readonly moments: readonly Moment[]
}

/** Faults whose beginning is no longer among what happened are known by the last frame. */
export function momentsOf(happened: readonly Happened[], last: Frame | undefined): Moments {
  return { faults: faultsOf(happened, last), moments: happened.flatMap((told) => momentOf(told) ?? []) }
}

function momentOf(told: Happened): Moment | undefined {
  const { atMs, nodeId } = told
  if (told.type === 'role' && told.role === 'leader')
    return { type: 'election', atMs, nodeId, term: told.term }
  if (told.type === 'killed' || told.type === 'failed')
    return { type: 'crash', atMs, nodeId, term: undefined }
  return undefined
}

function faultsOf(happened: readonly Happened[], last: Frame | undefined): FaultWindow[] {
  const faults = new Map<number, FaultWindow>()
  /** The nodes at which a fault is not healed yet. */
  const nodesOf = new Map<number, Set<NodeId>>()
  for (const told of happened) {
    if (told.type === 'faultBegan') {
      const { id, line, nodes } = told.fault
      faults.set(id, { id, line, fromMs: told.atMs, toMs: undefined })
      nodesOf.set(id, new Set(nodes))
    } else if (told.type === 'faultHealed') {
      const { id, nodes } = told.fault
      const left = nodesOf.get(id)
      for (const healed of nodes) left?.delete(healed)
      const began = faults.get(id)
      // A fault may be healed at some of its nodes, and stand at the others.
      if (began !== undefined && !left?.size) faults.set(id, { ...began, toMs: told.atMs })
    }
  }
  for (const { id, line, sinceMs } of last?.faults ?? [])
    if (!faults.has(id)) faults.set(id, { id, line, fromMs: sinceMs, toMs: undefined })
  return [...faults.values()]
}

/** The faults that stand at a moment, and what happened near it, in one line. */
export function momentInWords({ faults, moments }: Moments, atMs: number, nearMs: number): string {
  const near = moments.filter((moment) => Math.abs(moment.atMs - atMs) <= nearMs)
  const standing = faults.filter(
    ({ fromMs, toMs }) => fromMs <= atMs && atMs <= (toMs ?? Number.POSITIVE_INFINITY),
  )
  const words = near.map(({ type, nodeId, term }) =>
    type === 'election' ? `node ${nodeId} is elected in term ${term}` : `node ${nodeId} ends`,
  )
  return [...words, ...standing.map(({ line }) => line)].join(' · ')
}
