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
  readonly atMs: number
}

/** Takes a part of a plan away; `undefined` where the plan has no such part. */
type Smaller = (plan: Plan) => PlanChange | undefined

/** Of a log that is never cut. */
const logBytesMax = 1 << 20
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
  ({ nodes }) => (nodes > 3 ? { nodes: 3 } : undefined),
  ({ neverLeading }) => (neverLeading.length > 0 ? { neverLeading: [] } : undefined),
  ({ bounds }) =>
    bounds.logBytesMax < logBytesMax ? { bounds: { logBytesMax, trailingBytes: 0 } } : undefined,
  ({ network }) => {
    const without = { lossRate: 0, duplicationRate: 0, spikeRate: 0, strayRate: 0 }
    const isFaulty = Object.keys(without).some((name) => network[name as keyof typeof without] > 0)
    return isFaulty ? { network: { ...network, ...without } } : undefined
  },
  ({ load }) => (load.hasSentinels ? { load: { ...load, hasSentinels: false } } : undefined),
  ({ load }) => (load.clients > 1 ? { load: { ...load, clients: 1 } } : undefined),
  ({ load }) => (load.sessionMs > 0 ? { load: { ...load, sessionMs: 0 } } : undefined),
  ({ load }) => (load.elsewhereShare > 0 ? { load: { ...load, elsewhereShare: 0 } } : undefined),
  ({ load }) => (load.roamingShare > 0 ? { load: { ...load, roamingShare: 0 } } : undefined),
  ({ load }) => (load.batchMax > 1 ? { load: { ...load, batchMax: 1 } } : undefined),
  // Only a rule that is broken after the storm leaves this to be tried.
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
    return { change, rule: 'the simulator runs', detail: reasonOf(error), atMs: 0 }
  }
}

/** The worlds that were kept one after the other, the smallest last. The first is that of the seed itself. */
export function shrunkWorlds(seed: number, first: FailedWorld, bound: Bound): readonly FailedWorld[] {
  const whole = planOf(seed)
  const latestMs = laterMax * first.atMs
  const kept = [cut(first, whole.stormMs)]
  for (let before = 0; before < kept.length; ) {
    before = kept.length
    for (const take of smaller) {
      const change = changeBy(take, whole, kept.at(-1) ?? first, latestMs)
      if (change === undefined) continue
      if (bound.isOver()) return kept
      bound.ran()
      const world = failedWorld(seed, change)
      if (world?.rule === first.rule && world.atMs <= latestMs)
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
  latestMs: number,
): PlanChange | undefined {
  const plan = { ...whole, ...change }
  const part = take(plan)
  if (part === undefined || atMs > plan.stormMs) return part && { ...change, ...part }
  // The storm was cut off at the violation, which may come later in the smaller world.
  if (part.stormMs !== undefined) return undefined
  return { ...change, stormMs: Math.min(whole.stormMs, Math.ceil(latestMs)), ...part }
}

/** The storm ends with the violation: nothing before it changes. */
function cut(world: FailedWorld, stormMs: number): FailedWorld {
  const cutMs = Math.ceil(world.atMs)
  return cutMs < stormMs ? { ...world, change: { ...world.change, stormMs: cutMs } } : world
}
