/** A list of acts of any kind that becomes shorter, for as long as it fails in the same way. */
import type { NodeId } from '../raft/index.js'
import type { Bound } from './bound.js'

/** Pairs of acts are tried in lists up to this length: 780 runs. */
const pairsLengthMax = 40

export abstract class Dwindling<World extends { readonly voters: number }, Act> {
  world: World
  acts: readonly Act[]
  protected readonly bound: Bound

  constructor(world: World, acts: readonly Act[], bound: Bound) {
    this.world = world
    this.acts = acts
    this.bound = bound
  }

  /** The acts that were taken up to the failure; `undefined`: the same rule is not broken. */
  protected abstract failing(acts: readonly Act[], world?: World): readonly Act[] | undefined
  /** The nodes and all that concerns them are gone, and the ids of the others close up. */
  protected abstract withoutNodes(gone: readonly NodeId[]): readonly Act[]

  protected keeps(acts: readonly Act[], world: World = this.world): boolean {
    if (this.bound.isOver()) return false
    const failing = this.failing(acts, world)
    if (failing === undefined || failing.length > this.acts.length) return false
    this.acts = failing
    this.world = world
    return true
  }

  /** Two voters less need one vote less; one voter less is fewer to look at. */
  protected leaveVotersOut(): void {
    for (const count of [2, 1]) {
      let groups = groupsOf(this.world.voters, count)
      for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
        const world = { ...this.world, voters: this.world.voters - count }
        if (world.voters > 0 && this.keeps(this.withoutNodes(group), world))
          groups = groupsOf(world.voters, count)
      }
    }
  }

  /** Acts that are only needed for each other. */
  protected leavePairsOut(): void {
    if (this.acts.length > pairsLengthMax) return
    for (let one = this.acts.length - 1; one > 0; one--)
      for (let other = one - 1; other >= 0; other--)
        if (this.keeps(this.acts.filter((_, at) => at !== one && at !== other))) return
  }
}

function groupsOf(voters: number, count: number): NodeId[][] {
  const ids = Array.from({ length: voters }, (_, at) => at + 1)
  if (count === 1) return ids.map((id) => [id])
  return ids.flatMap((one) => ids.filter((other) => other > one).map((other) => [one, other]))
}
