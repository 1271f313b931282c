/** The small world: parts of a seed's plan are taken away for as long as a run of the seed breaks the same rule. */
import { reasonOf } from '../errors/index.js'
import { faultKinds, type Plan, planOf, simulate } from '../sim/index.js'
import type { Bound } from './bound.js'

/** The parts of a plan that differ from those that the seed stands for. */
export type PlanChange = Partial<Plan>

/** A run that broke a rule. */
export interface FailedWorld {
  readonly change: PlanChange
  readonly rule: string
  readonly detail: string
  /** `undefined`: an error ended the run, and nobody knows when. */
  readonly atMs: number | undefined
}

/** Takes a part of a plan away; `undefined` where the plan has no such part. */
type Smaller = (plan: Plan) => PlanChange | undefined

/** The parts of a plan as they are when they are taken away. Of lists, members are left out, and a storm becomes shorter. */
export const takenAway = {
  changeGapMs: 0,
  losesDisks: false,
  damagesDisks: false,
  nodes: 3,
  /** Of a log that is never cut. */
  bounds: { logBytesMax: 1 << 20, trailingBytes: 0 },
  network: { lossRate: 0, duplicationRate: 0, spikeRate: 0, strayRate: 0 },
  load: { hasSentinels: false, clients: 1, sessionMs: 0, elsewhereShare: 0, roamingShare: 0, batchMax: 1 },
} as const
/** A smaller world may break the rule later than the seed does, up to so many times. */
const laterMax = 2

const smaller: readonly Smaller[] = [
  ({ changeGapMs }) => (changeGapMs > 0 ? { changeGapMs: 0 } : undefined),
  ({ faults }) => (faults.length > 0 ? { faults: [] } : undefined),
  ...faultKinds.map(
    (kind): Smaller =>
      ({ faults }) => {
        return faults.includes(kind) ? { faults: faults.filter((each) => each !== kind) } : undefined
      },
  ),
  ({ losesDisks }) => (losesDisks ? { losesDisks: false } : undefined),
  ({ damagesDisks }) => (damagesDisks ? { damagesDisks: false } : undefined),
  ({ moments }) => (moments.length > 0 ? { moments: [] } : undefined),
  ({ nodes }) => (nodes > takenAway.nodes ? { nodes: takenAway.nodes } : undefined),
  ({ neverLeading }) => (neverLeading.length > 0 ? { neverLeading: [] } : undefined),
  ({ bounds }) =>
    bounds.logBytesMax < takenAway.bounds.logBytesMax ? { bounds: takenAway.bounds } : undefined,
  ({ network }) => {
    const names = Object.keys(takenAway.network) as (keyof typeof takenAway.network)[]
    const isFaulty = names.some((name) => network[name] > 0)
    return isFaulty ? { network: { ...network, ...takenAway.network } } : undefined
  },
  ...(Object.keys(takenAway.load) as (keyof typeof takenAway.load)[]).map(
    (name): Smaller =>
      ({ load }) => {
        const value = takenAway.load[name]
        return load[name] === value ? undefined : { load: { ...load, [name]: value } }
      },
  ),
  // Only a rule that is broken after the storm, or nobody knows when, leaves this to be tried.
  ({ stormMs }) => (stormMs > 1 ? { stormMs: Math.floor(stormMs / 2) } : undefined),
]

/** `undefined`: the run kept all promises. */
export function failedWorld(
  seed: number,
  change: PlanChange,
  record?: (line: string) => void,
): FailedWorld | undefined {
  try {
    const { violation } = simulate({ ...change, seed, ...(record && { record }) })
    return violation && { change, rule: violation.rule, detail: violation.detail, atMs: violation.atMs }
  } catch (error) {
    // A sweep tells errors of the simulator itself by the same rule.
    return { change, rule: 'the simulator runs', detail: reasonOf(error), atMs: undefined }
  }
}

/** The worlds that were kept one after the other, the smallest last. The first is that of the seed itself. */
export function shrunkWorlds(seed: number, first: FailedWorld, bound: Bound): readonly FailedWorld[] {
  const whole = planOf(seed)
  const latestMs = first.atMs === undefined ? undefined : laterMax * first.atMs
  const kept = [cut(first, whole.stormMs)]
  for (let before = 0; before < kept.length; ) {
    before = kept.length
    for (const take of smaller) {
      const change = changeBy(take, whole, kept.at(-1) ?? first, latestMs)
      if (change === undefined) continue
      if (bound.isOver()) return kept
      bound.ran()
      const world = failedWorld(seed, change)
      if (world?.rule === first.rule && (latestMs === undefined || (world.atMs ?? 0) <= latestMs))
        kept.push(cut(world, change.stormMs ?? whole.stormMs))
    }
  }
  return kept
}

/** The change of the next world to try; `undefined` where nothing is taken away. */
function changeBy(
  take: Smaller,
  whole: Plan,
  { change, atMs }: FailedWorld,
  latestMs: number | undefined,
): PlanChange | undefined {
  const plan = { ...whole, ...change }
  const part = take(plan)
  const isTimeKnown = atMs !== undefined && latestMs !== undefined
  if (part === undefined || !isTimeKnown || atMs > plan.stormMs) return part && { ...change, ...part }
  // The storm was cut off at the violation, which may come later in the smaller world.
  if (part.stormMs !== undefined) return undefined
  return { ...change, stormMs: Math.min(whole.stormMs, Math.ceil(latestMs)), ...part }
}

/** The storm ends with the violation: nothing before it changes. */
function cut(world: FailedWorld, stormMs: number): FailedWorld {
  if (world.atMs === undefined) return world
  const cutMs = Math.ceil(world.atMs)
  return cutMs < stormMs ? { ...world, change: { ...world.change, stormMs: cutMs } } : world
}
