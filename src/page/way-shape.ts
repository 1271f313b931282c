/** The way of one command as a picture: a row a node, its steps from left to right, and arrows between nodes. */
import type { CommandWay } from '../explain/index.js'
import type { NodeId } from '../raft/index.js'

export type Step = CommandWay['steps'][number]

export interface PlacedStep {
  readonly step: Step
  /** From 0, the first step, to 1, the last one. */
  readonly x: number
  /** Counts the rows from 0. */
  readonly row: number
}

export interface WayShape {
  readonly rows: readonly NodeId[]
  readonly steps: readonly PlacedStep[]
  readonly arrows: readonly (readonly [from: PlacedStep, to: PlacedStep])[]
  readonly tookMs: number
}

/** Steps are told apart by their order as well: some of them come within a few microseconds. */
const timeShare = 0.35

/** The leader's row is the first one. */
export function shapeOf({ steps, leaderId }: Pick<CommandWay, 'steps' | 'leaderId'>): WayShape {
  const ids = [...new Set(steps.map(({ nodeId }) => nodeId))].sort((a, b) => a - b)
  const rows = [...ids.filter((id) => id === leaderId), ...ids.filter((id) => id !== leaderId)]
  const firstMs = steps[0]?.atMs ?? 0
  const tookMs = (steps.at(-1)?.atMs ?? 0) - firstMs
  const placed = steps.map((step, at): PlacedStep => {
    const byTime = tookMs === 0 ? 0 : (step.atMs - firstMs) / tookMs
    const byOrder = steps.length === 1 ? 0 : at / (steps.length - 1)
    return {
      step,
      x: tookMs === 0 ? byOrder : timeShare * byTime + (1 - timeShare) * byOrder,
      row: rows.indexOf(step.nodeId),
    }
  })
  return { rows, steps: placed, arrows: arrowsOf(placed), tookMs }
}

/** A message goes from `sent` to `received`; an acknowledgement from the follower's disk to the leader. */
function arrowsOf(placed: readonly PlacedStep[]): (readonly [PlacedStep, PlacedStep])[] {
  return placed.flatMap((to) => {
    const { stage, nodeId, peer } = to.step
    const from = placed.find(({ step }) =>
      stage === 'received'
        ? step.stage === 'sent' && step.nodeId === peer && step.peer === nodeId
        : stage === 'acknowledged' && step.stage === 'flushed' && step.nodeId === peer,
    )
    return from === undefined || from.x > to.x ? [] : [[from, to] as const]
  })
}
