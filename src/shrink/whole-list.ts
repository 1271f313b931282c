/** The short list of acts of whole nodes: acts are left out, and times made shorter, while the same property is broken. */
import { isDeepStrictEqual } from 'node:util'
import type { NodeId } from '../raft/index.js'
import type { Violation } from '../search/index.js'
import { simulate } from '../sim/index.js'
import { type CarriedType, carriedTypeOf } from '../telemetry/index.js'
import type { Bound } from './bound.js'
import { Dwindling } from './dwindling.js'
import { minimized } from './minimize.js'
import { renamedAct, type WholeAct, type WholeDeed } from './whole-acts.js'
import { performWhole, type WholePlayed } from './whole-scene.js'
import { ScriptNotes, wholeActsOf } from './whole-translate.js'
import { type WholeWorld, wholeWorldOf, widened } from './whole-world.js'
import type { FailedWorld } from './worlds.js'

export interface WholeRun {
  readonly world: WholeWorld
  readonly acts: readonly WholeAct[]
}

export interface ShrunkWhole extends WholeRun {
  /** The acts with their outcomes, numbered from 1 on. */
  readonly played: readonly WholePlayed[]
  /** Of the nodes. */
  readonly tickMs: number
  readonly broken: Violation
  /** True when the property holds without any single act; false when the time was over before that was known. */
  readonly isMinimal: boolean
}

/** Once a list is as short as this, no further world and no further way is looked at for a shorter one. */
const shortLength = 25

/** A choice that a run leaves open where acts take its place. */
interface Way {
  readonly isWide: boolean
  /** No fewer ticks pass in an act of their own, so that there are not too many. */
  readonly leastTicks: number
  readonly holdsWrites: boolean
}

/** Acts that flush writes are many, so that these ways come last. */
const ways: readonly Way[] = [
  { isWide: true, leastTicks: 0.5, holdsWrites: false },
  { isWide: false, leastTicks: 0.5, holdsWrites: false },
  { isWide: true, leastTicks: 0, holdsWrites: false },
  { isWide: false, leastTicks: 0, holdsWrites: false },
  { isWide: true, leastTicks: 0.5, holdsWrites: true },
  { isWide: true, leastTicks: 0, holdsWrites: true },
]

/**
 * The shortest list of the smallest world that has one, or of a larger one where that list is long. The same property is
 * broken as in the world, by the same checks.
 */
export function shortestWhole(
  seed: number,
  worlds: readonly FailedWorld[],
  bound: Bound,
): ShrunkWhole | undefined {
  let best: ShrunkWhole | undefined
  for (const world of worlds.toReversed()) {
    if (world.atMs === undefined || bound.isOver()) break
    const script = scriptOf(seed, world, bound)
    for (const way of ways) {
      const list = bound.isOver() ? undefined : listOf(seed, world, script, way, bound)
      if (list === undefined || (best !== undefined && list.acts.length >= best.acts.length)) continue
      best = list
      bound.came(list.acts.length)
      if (list.acts.length <= shortLength) return best
    }
  }
  return best
}

function scriptOf(seed: number, { change }: FailedWorld, bound: Bound): ScriptNotes {
  const script = new ScriptNotes()
  bound.ran()
  simulate({ ...change, seed, script, begun: (cluster) => script.begun(cluster) })
  return script
}

function listOf(
  seed: number,
  { change, rule, detail, atMs = 0 }: FailedWorld,
  { notes }: ScriptNotes,
  { isWide, leastTicks, holdsWrites }: Way,
  bound: Bound,
): ShrunkWhole | undefined {
  const drawn = wholeWorldOf(seed, change, rule === 'equal states at equal indexes')
  const world = isWide ? widened(drawn) : drawn
  bound.ran()
  try {
    const { acts, scene } = wholeActsOf(
      notes,
      world,
      { leastMs: leastTicks * world.tickMs, holdsWrites },
      atMs,
    )
    const { broken } = scene
    const isSame = broken !== undefined && isSameFailure({ rule, detail }, broken)
    return isSame ? shrunkWhole({ world, acts }, broken, bound) : undefined
  } catch {
    // Acts that end by an error tell of no property: the world tells the failure instead.
    return undefined
  }
}

/** The run must break the property. */
function shrunkWhole(run: WholeRun, broken: Violation, bound: Bound): ShrunkWhole {
  const shrinking = new WholeShrinking(run, broken, bound)
  const isMinimal = shrinking.run()
  const { world, acts } = shrinking
  const numbers = new Map(acts.map(({ id }, at) => [id, at + 1]))
  const numbered = acts.map((act) => renamedAct(act, (id) => numbers.get(id) ?? 0))
  const scene = performWhole(world, numbered)
  const { played, tickMs } = scene
  return { world, acts: numbered, played, tickMs, broken: scene.broken ?? broken, isMinimal }
}

/** The same property is broken. Where a node stops by itself, the same invariant, at whichever node. */
function isSameFailure(one: Violation, other: Violation | undefined): boolean {
  if (one.rule !== other?.rule) return false
  return one.rule !== 'a node never stops by itself' || causeOf(one) === causeOf(other)
}

function causeOf({ detail }: Violation): string {
  return detail.replace(/^node \d+: /, '')
}

class WholeShrinking extends Dwindling<WholeWorld, WholeAct> {
  readonly #broken: Violation

  constructor({ world, acts }: WholeRun, broken: Violation, bound: Bound) {
    super(world, acts, bound)
    this.#broken = broken
  }

  /** True when nothing more can go; false when the time was over before. */
  run(): boolean {
    // The time stays at first: elections need much of it, in many acts.
    this.#leaveOut(({ deed }) => deed.type !== 'pass')
    this.#joinTimes()
    while (!this.bound.isOver()) {
      this.#leaveOut(() => true)
      const before = this.acts
      this.#joinTimes()
      this.#nameTimeOuts()
      this.#leaveLaunchedOut()
      this.leaveVotersOut()
      this.#flushAtOnce()
      this.#widen()
      this.#lessTime()
      if (this.acts === before) this.#moveDeeds()
      if (this.acts === before) this.leavePairsOut()
      if (this.acts === before) return !this.bound.isOver()
    }
    return false
  }

  /** Leaves out as many as possible of the acts for which the rule is true. */
  #leaveOut(isMeant: (act: WholeAct) => boolean): void {
    minimized(
      this.acts.filter(isMeant),
      (kept) => {
        const left = new Set(kept)
        const failing = this.failing(this.acts.filter((act) => !isMeant(act) || left.has(act)))
        if (failing !== undefined) this.acts = failing
        return failing?.filter(isMeant)
      },
      this.bound,
    )
  }

  protected override failing(
    acts: readonly WholeAct[],
    world: WholeWorld = this.world,
  ): readonly WholeAct[] | undefined {
    this.bound.ran()
    try {
      const { played, broken } = performWhole(world, acts)
      return isSameFailure(this.#broken, broken) ? played.map(({ act }) => act) : undefined
    } catch {
      // A run that ends by an error is another failure.
      return undefined
    }
  }

  protected override withoutNodes(gone: readonly NodeId[]): readonly WholeAct[] {
    return gone.toReversed().reduce<readonly WholeAct[]>(withoutNode, this.acts)
  }

  /** Times that follow each other are one. */
  #joinTimes(): void {
    const { played } = performWhole(this.world, this.acts)
    const joined = joinedTimes(played)
    if (joined.length < this.acts.length) this.keeps(joined)
  }

  #leaveLaunchedOut(): void {
    for (const { node, deed } of this.acts.toReversed())
      if (deed.type === 'launch') this.keeps(this.withoutNodes([node]))
  }

  /** A disk that need not be stalled flushes each write in the act that asks for it. */
  #flushAtOnce(): void {
    for (const { node, deed } of this.acts)
      if (deed.type === 'stall') this.keeps(flushedAtOnce(this.acts, node))
  }

  /** Time that passes until a node campaigns is told so. */
  #nameTimeOuts(): void {
    for (const { act, happened } of performWhole(this.world, this.acts).played) {
      if (act.deed.type !== 'pass' || act.struck !== undefined) continue
      const campaigning = happened.filter(({ type, nodeId }) => type === 'role' && nodeId > 0)
      for (const node of new Set(campaigning.map(({ nodeId }) => nodeId)))
        if (this.keeps(this.acts.map((each) => (each.id === act.id ? timeOutOf(node, act) : each)))) break
    }
  }

  #widen(): void {
    const world = widened(this.world)
    if (!isDeepStrictEqual(world, this.world)) this.keeps(this.acts, world)
  }

  /** Less time passes, in whole milliseconds where that will do. */
  #lessTime(): void {
    for (const { id } of this.acts) {
      while (this.#timeOf(id) > 1 && this.#passes(id, Math.ceil(this.#timeOf(id) / 2)));
      const ms = this.#timeOf(id)
      if (!Number.isInteger(ms) && !this.#passes(id, Math.floor(ms))) this.#passes(id, Math.ceil(ms))
    }
  }

  #timeOf(id: number): number {
    const { deed } = this.acts.find((act) => act.id === id) ?? {}
    return deed?.type === 'pass' ? deed.ms : 0
  }

  #passes(id: number, ms: number): boolean {
    return (
      ms > 0 &&
      this.keeps(this.acts.map((act) => (act.id === id ? { ...act, deed: { type: 'pass', ms } } : act)))
    )
  }

  /** Another node takes a snapshot or ends in place of the one that did, if fewer acts will do then. */
  #moveDeeds(): void {
    const nodes = new Set(this.acts.map(({ node }) => node).filter((node) => node > 0))
    const snapshots = this.acts.filter(({ deed }) => deed.type === 'snapshot').map((act) => [act])
    const ofNodes = [...nodes].map((node) => this.acts.filter((act) => act.node === node && isMovable(act)))
    for (const moved of [...ofNodes, ...snapshots])
      for (const other of nodes) if (this.#movesTo(other, moved)) return
  }

  #movesTo(other: NodeId, moved: readonly WholeAct[]): boolean {
    const before = this.acts
    if (moved.every(({ node }) => node === other)) return false
    if (!this.keeps(before.map((act) => (moved.includes(act) ? { ...act, node: other } : act)))) return false
    this.#leaveOut(() => true)
    if (this.acts.length < before.length) return true
    this.acts = before
    return false
  }
}

/** A node takes snapshots and ends without a message, so any other node can do so in its place. */
function isMovable({ deed }: WholeAct): boolean {
  return deed.type === 'snapshot' || deed.type === 'crash'
}

/** The node's disk is not stalled. The messages that waited for a flush are those of the node's act before the flush. */
function flushedAtOnce(acts: readonly WholeAct[], node: NodeId): WholeAct[] {
  const flushedIn = new Map<number, number>()
  const kept: WholeAct[] = []
  let last = 0
  for (const act of acts) {
    const { id, deed } = act
    const isOfDisk = act.node === node && (deed.type === 'stall' || deed.type === 'flush')
    if (isOfDisk) flushedIn.set(id, last)
    else if (act.node === node) last = id
    const of = deed.type === 'take' ? flushedIn.get(deed.of) : undefined
    if (deed.type === 'take' && of !== undefined) kept.push({ ...act, deed: { ...deed, of } })
    else if (!isOfDisk) kept.push(act)
  }
  return kept
}

function timeOutOf(node: NodeId, { id }: WholeAct): WholeAct {
  return { id, node, deed: { type: 'timeOut' } }
}

/** The node and all that concerns it are gone, and the ids of later ones close up. */
function withoutNode(acts: readonly WholeAct[], gone: NodeId): WholeAct[] {
  const idOf = (id: NodeId): NodeId => (id > gone ? id - 1 : id)
  return acts
    .filter(({ node }) => node !== gone)
    .map((act) => ({ ...act, node: idOf(act.node), deed: withOtherNodes(act.deed, gone, idOf) }))
}

function withOtherNodes(deed: WholeDeed, gone: NodeId, idOf: (id: NodeId) => NodeId): WholeDeed {
  if (deed.type === 'transfer') return { ...deed, to: deed.to === undefined ? undefined : idOf(deed.to) }
  if (deed.type !== 'change') return deed
  const changes = deed.changes.filter(({ nodeId }) => nodeId !== gone)
  return { ...deed, changes: changes.map((change) => ({ ...change, nodeId: idOf(change.nodeId) })) }
}

/** Messages of a time that was joined to the one before it come after the messages of that one. */
function joinedTimes(played: readonly WholePlayed[]): WholeAct[] {
  const acts: WholeAct[] = []
  const joinedTo = new Map<number, { readonly id: number; readonly before: readonly WholePlayed[] }>()
  let before: WholePlayed[] = []
  for (const one of played) {
    const { act } = one
    const last = acts.at(-1)
    const isJoined = act.deed.type === 'pass' && act.struck === undefined
    if (isJoined && last?.deed.type === 'pass' && last.struck === undefined) {
      joinedTo.set(act.id, { id: last.id, before })
      before = [...before, one]
      acts[acts.length - 1] = { ...last, deed: { type: 'pass', ms: addedMs(last.deed.ms, act.deed.ms) } }
      continue
    }
    before = [one]
    const { deed } = act
    const joined = deed.type === 'take' ? joinedTo.get(deed.of) : undefined
    if (deed.type !== 'take' || joined === undefined) acts.push(act)
    else {
      const nth = deed.nth + countOf(joined.before, deed.kind, act.node)
      acts.push({ ...act, deed: { ...deed, of: joined.id, nth } })
    }
  }
  return acts
}

function countOf(played: readonly WholePlayed[], kind: CarriedType, to: NodeId): number {
  const sent = played.flatMap((one) => one.sent)
  return sent.filter((message) => message.to === to && carriedTypeOf(message) === kind).length
}

function addedMs(one: number, other: number): number {
  return Math.round(1000 * (one + other)) / 1000
}
