/** The short list: acts and nodes are left out of a run for as long as the same rule is broken. */
import type { NodeId } from '../raft/index.js'
import type { ClusterSize, Violation } from '../search/index.js'
import { type Act, type Deed, type Played, perform } from './acts.js'
import type { Bound } from './bound.js'
import { Dwindling } from './dwindling.js'
import { minimized } from './minimize.js'

export interface Run {
  readonly size: ClusterSize
  readonly acts: readonly Act[]
}

export interface ShrunkList extends Run {
  /** The acts with their outcomes, numbered from 1 on. */
  readonly played: readonly Played[]
  readonly broken: Violation
  /** True when the rule holds without any single act; false when the time was over before that was known. */
  readonly isMinimal: boolean
}

/** The run must break the rule. */
export function shrunkList(run: Run, broken: Violation, bound: Bound): ShrunkList {
  const shrinking = new Shrinking(run, broken, bound)
  const isMinimal = shrinking.run()
  const { world: size, acts } = shrinking
  const numbered = renumbered(acts)
  const scene = perform(size, numbered)
  return { size, acts: numbered, played: scene.played, broken: scene.broken ?? broken, isMinimal }
}

class Shrinking extends Dwindling<ClusterSize, Act> {
  readonly #broken: Violation

  constructor({ size, acts }: Run, broken: Violation, bound: Bound) {
    super(size, acts, bound)
    this.#broken = broken
  }

  /** True when nothing more can go; false when the time was over before. */
  run(): boolean {
    while (!this.bound.isOver()) {
      this.acts = minimized(this.acts, (acts) => this.failing(acts), this.bound)
      const before = this.acts
      this.leaveVotersOut()
      this.#flushAtOnce()
      if (this.acts === before) this.leavePairsOut()
      if (this.acts === before) return !this.bound.isOver()
    }
    return false
  }

  protected override failing(acts: readonly Act[], size = this.world): readonly Act[] | undefined {
    this.bound.ran()
    const { played, broken } = perform(size, acts)
    const { rule, detail } = this.#broken
    // Where a node stops itself, the detail is the invariant.
    const isSame = broken?.rule === rule && (rule !== 'the node stops itself' || broken.detail === detail)
    return isSame ? played.map(({ act }) => act) : undefined
  }

  protected override withoutNodes(gone: readonly NodeId[]): Act[] {
    return withoutNodes(this.acts, gone)
  }

  /** A write that need not wait is flushed in the act that asks for it. */
  #flushAtOnce(): void {
    for (const act of this.acts.filter(({ isHeld }) => isHeld)) {
      if (this.acts.includes(act)) this.keeps(flushedAtOnce(this.acts, act))
    }
  }
}

/** The nodes and all that concerns them are gone, and the ids of the others close up. */
function withoutNodes(acts: readonly Act[], gone: readonly NodeId[]): Act[] {
  const idOf = (id: NodeId): NodeId => id - gone.filter((other) => other < id).length
  const isThere = ({ node, deed }: Act): boolean => {
    const named = deed.type === 'transfer' ? [deed.to] : []
    return ![node, ...named].some((id) => gone.includes(id))
  }
  return acts
    .filter(isThere)
    .map((act) => ({ ...act, node: idOf(act.node), deed: renamed(act.deed, gone, idOf) }))
}

function renamed(deed: Deed, gone: readonly NodeId[], idOf: (id: NodeId) => NodeId): Deed {
  if (deed.type === 'transfer') return { ...deed, to: idOf(deed.to) }
  if (deed.type !== 'change') return deed
  const changes = deed.changes.filter(({ nodeId }) => !gone.includes(nodeId))
  return { ...deed, changes: changes.map((change) => ({ ...change, nodeId: idOf(change.nodeId) })) }
}

/** The act sends the messages that waited for the node's next flush, and that flush is gone. */
function flushedAtOnce(acts: readonly Act[], act: Act): Act[] {
  const from = acts.indexOf(act)
  const flush = acts.find(({ node, deed }, at) => at > from && node === act.node && deed.type === 'flush')
  return acts
    .filter((each) => each !== flush)
    .map((each) => {
      if (each === act) return { ...act, isHeld: false }
      const { deed } = each
      return deed.type === 'take' && deed.of === flush?.id ? { ...each, deed: { ...deed, of: act.id } } : each
    })
}

function renumbered(acts: readonly Act[]): readonly Act[] {
  const numbers = new Map(acts.map(({ id }, at) => [id, at + 1]))
  const numberOf = (id: number): number => numbers.get(id) ?? 0
  const renumberedDeed = (deed: Deed): Deed =>
    deed.type === 'take' ? { ...deed, of: numberOf(deed.of) } : deed
  return acts.map((act) => ({ ...act, id: numberOf(act.id), deed: renumberedDeed(act.deed) }))
}
