/**
 * Every interleaving within bounds, breadth first: so the first violation that is found is one of the shortest. Worlds that
 * differ in nothing but the names of their nodes are one.
 */
import { type Bounds, type BudgetName, budgetLeft, packedBudgets, spent } from './bounds.js'
import { atNode, codeOf, decoded, held, type Kind } from './codes.js'
import { FingerprintSet } from './fingerprint-set.js'
import { Growing } from './growing.js'
import { Lane, type Shared } from './lanes.js'
import type { PlacedStep } from './member.js'
import { type Outcome, Parts } from './parts.js'
import { type Renaming, renamingsOf } from './renamed.js'
import { brokenCommit, type Violation } from './rules.js'
import { type World, Worlds } from './worlds.js'

/** Of which threads this is one. */
export interface LaneOf {
  readonly lane: number
  readonly lanes: number
}

/** A rule that does not hold, and the steps that lead there from the start. */
export interface Broken extends Violation {
  readonly steps: readonly PlacedStep[]
}

/** What one thread found. The worlds are counted by all threads together. */
export interface Found {
  /** Steps from a world to another, or to the same. */
  readonly transitions: number
  readonly broken: Broken | undefined
}

/** Worlds for each thread, before the threads part. */
const seedsPerLane = 64
/** Fingerprints of the levels before that, for each thread. */
const sharedLevelsMaxPerLane = 1 << 14
/** Worlds between two looks at whether to stop. */
const worldsPerLook = 16

const budgetOf: Readonly<Partial<Record<Kind, BudgetName>>> = {
  duplicate: 'duplicates',
  heartbeat: 'heartbeats',
  propose: 'entries',
  crash: 'crashes',
  transfer: 'transfers',
  change: 'changes',
}

export class Search {
  readonly #parts: Parts
  readonly #bounds: Bounds
  readonly #renamings: readonly Renaming[]
  readonly #lane: Lane
  readonly #place: LaneOf
  /** For each world that was found here: the world before it, and the step between. */
  readonly #before = new Growing()
  readonly #steps = new Growing()
  /** The fingerprints before the threads part; afterwards those that all share. */
  #seen: { add(low: number, high: number): boolean }
  #level: Worlds
  #next: Worlds
  /** For each renaming: both halves of the sum over the parts of the world whose steps are taken. */
  readonly #sums: Int32Array
  #fresh = 0
  #broken: Broken | undefined
  #transitions = 0

  /** `areMerged`: worlds that differ in the names of their nodes are one. Only a test wants them apart. */
  constructor(bounds: Bounds, shared: Shared, place: LaneOf = { lane: 0, lanes: 1 }, areMerged = true) {
    this.#bounds = bounds
    this.#lane = new Lane(shared, place.lanes)
    this.#place = place
    this.#renamings = areMerged ? renamingsOf(bounds.nodes) : renamingsOf(bounds.nodes).slice(0, 1)
    this.#parts = new Parts(bounds.nodes, this.#renamings)
    this.#level = new Worlds(bounds.nodes)
    this.#next = new Worlds(bounds.nodes)
    this.#sums = new Int32Array(2 * this.#renamings.length)
    this.#seen = this.#lane.seen
  }

  run(): Found {
    const budgets = packedBudgets(this.#bounds)
    const first = { found: -1, history: 0, budgets, nodes: this.#parts.begin(), messages: [] }
    let depth = 0
    if (this.#place.lanes > 1) depth = this.#seed(first)
    else this.#begin(first)
    this.#report()
    while (this.#lane.nextLevel(depth, this.#level.count)) {
      this.#takeLevel()
      this.#report()
      depth++
    }
    return { transitions: this.#transitions, broken: this.#broken }
  }

  #begin(first: World): void {
    this.#sumUp(first)
    this.#addLeast([], [], first.budgets)
    this.#found(first, 0)
    this.#turnLevel()
  }

  /** All threads take the same first levels, and then each goes on with its share of the worlds. */
  #seed(first: World): number {
    const { lane, lanes } = this.#place
    const seen = new FingerprintSet(new ArrayBuffer(FingerprintSet.bytesFor(lanes * sharedLevelsMaxPerLane)))
    this.#seen = seen
    this.#begin(first)
    let depth = 0
    while (this.#level.count > 0 && this.#level.count < lanes * seedsPerLane) {
      this.#takeLevel()
      if (this.#broken !== undefined) break
      if (this.#level.count > 0) depth++
    }
    this.#lane.reached(depth)
    const fingerprints = this.#lane.seen
    seen.forEach((low, high) => void fingerprints.add(low, high))
    this.#seen = fingerprints
    // All threads have taken these levels, and the first one counts them.
    if (lane > 0) this.#fresh = this.#transitions = 0
    let at = 0
    for (const world of this.#level) if (at++ % lanes === lane) this.#next.push(world)
    this.#turnLevel()
    return depth
  }

  #turnLevel(): void {
    const done = this.#level
    this.#level = this.#next
    done.clear()
    this.#next = done
  }

  #takeLevel(): void {
    let worlds = 0
    for (const world of this.#level) {
      if (++worlds % worldsPerLook === 0) {
        this.#report()
        // Before the threads part, all of them take the same steps, and find the same violation.
        if (this.#seen === this.#lane.seen && this.#lane.stop !== 'no') break
      }
      this.#sumUp(world)
      this.#takeSteps(world)
      if (this.#broken !== undefined) break
    }
    this.#turnLevel()
  }

  #report(): void {
    // The worlds before the threads part are counted once they have.
    if (this.#seen !== this.#lane.seen) return
    this.#lane.counted(this.#fresh)
    this.#fresh = 0
  }

  #takeSteps(world: World): void {
    for (const message of new Set(world.messages)) {
      const { to } = this.#parts.messages.at(message).value
      this.#take(world, codeOf('deliver', to - 1, message))
      this.#take(world, codeOf('duplicate', to - 1, message))
    }
    for (const [place, node] of world.nodes.entries()) {
      this.#take(world, codeOf('timeOut', place))
      this.#take(world, codeOf('crash', place))
      this.#take(world, codeOf('flush', place))
      if (!this.#parts.factsOf(node).isLeader) continue
      this.#take(world, codeOf('heartbeat', place))
      this.#take(world, codeOf('propose', place, budgetLeft(world.budgets, 'entries')))
      for (const change of this.#parts.changes) this.#take(world, codeOf('change', place, change))
      for (const [other] of world.nodes.entries()) this.#take(world, codeOf('transfer', place, other + 1))
    }
  }

  /** A step of a world, once as it is and once with a write that is held. */
  #take(world: World, code: number): void {
    const budget = budgetOf[decoded(code).kind]
    if (budget !== undefined && budgetLeft(world.budgets, budget) === 0) return
    const budgets = budget === undefined ? world.budgets : spent(world.budgets, budget)
    if (!this.#arrive(world, code, budgets) || budgetLeft(budgets, 'slowWrites') === 0) return
    this.#arrive(world, held(code), spent(budgets, 'slowWrites'))
  }

  /** True when the step asked for a write. */
  #arrive(world: World, code: number, budgets: number): boolean {
    const { kind, place, subject } = decoded(code)
    const node = world.nodes[place] ?? 0
    const outcome = this.#parts.outcomeOf(node, atNode(code))
    if (outcome.broken !== undefined) return this.#violated(world, code, outcome.broken)
    const isNothing = outcome.node === node && outcome.sent.length === 0
    if (isNothing || this.#parts.factsOf(outcome.node).term > this.#bounds.terms) return false
    this.#transitions++
    const history = this.#parts.historyAfter(world.history, outcome.node)
    const broken = typeof history === 'number' ? this.#brokenBy(world, place, outcome.node, history) : history
    if (broken !== undefined || typeof history !== 'number') return this.#violated(world, code, broken)
    const taken = kind === 'deliver' ? world.messages.indexOf(subject) : -1
    if (!this.#isNew(world, place, outcome, history, budgets, taken)) return outcome.hasWritten
    const nodes = world.nodes.with(place, outcome.node)
    const messages = [...world.messages.filter((_, at) => at !== taken), ...outcome.sent]
    this.#found({ found: world.found, history, budgets, nodes, messages }, code)
    return outcome.hasWritten
  }

  /** Keeps a world for the next level, with the step that leads there. */
  #found(world: World, code: number): void {
    this.#next.push({ ...world, found: this.#steps.length })
    this.#before.push(world.found)
    this.#steps.push(code)
    this.#fresh++
  }

  /** The rule that does not hold of all nodes together, after one of them has come to another state. */
  #brokenBy(world: World, place: number, node: number, history: number): Violation | undefined {
    for (const [at, other] of world.nodes.entries()) {
      const broken = at === place ? undefined : this.#parts.brokenByPair(node, other)
      if (broken !== undefined) return broken
    }
    if (history === world.history) return undefined
    const [before, after] = [world.history, history].map(
      (one) => this.#parts.histories.at(one).value.committed,
    )
    if (before?.length === after?.length) return undefined
    const facts = world.nodes.with(place, node).map((one) => this.#parts.factsOf(one))
    return brokenCommit(this.#parts.factsOf(node), facts, before?.length ?? 0)
  }

  #violated(world: World, code: number, broken: Violation | undefined): false {
    if (broken === undefined || this.#broken !== undefined) return false
    const codes = [code]
    for (let at = world.found; this.#before.at(at) >= 0; at = this.#before.at(at))
      codes.unshift(this.#steps.at(at))
    this.#broken = { ...broken, steps: codes.map((each) => this.#parts.placed(each)) }
    this.#lane.end('violation')
    return false
  }

  /** The sums of the hashes of all parts, under each renaming. */
  #sumUp({ history, nodes, messages }: World): void {
    const sums = this.#sums.fill(0)
    const add = (hashes: Int32Array): void => {
      for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + (hashes[at] ?? 0)
    }
    add(this.#parts.histories.at(history).hashes)
    for (const node of nodes) add(this.#parts.nodes.at(node).hashes)
    for (const message of messages) add(this.#parts.messages.at(message).hashes)
  }

  /** Adds the fingerprint of the world after a step; false when that world was seen. */
  #isNew(
    world: World,
    place: number,
    { node, sent }: Outcome,
    history: number,
    budgets: number,
    taken: number,
  ): boolean {
    const { nodes, histories, messages } = this.#parts
    const gone = [nodes.at(world.nodes[place] ?? 0).hashes, histories.at(world.history).hashes]
    if (taken >= 0) gone.push(messages.at(world.messages[taken] ?? 0).hashes)
    const come = [nodes.at(node).hashes, histories.at(history).hashes]
    for (const message of sent) come.push(messages.at(message).hashes)
    return this.#addLeast(gone, come, budgets)
  }

  /** Of all renamings the one with the least fingerprint stands for all. */
  #addLeast(gone: readonly Int32Array[], come: readonly Int32Array[], budgets: number): boolean {
    const sums = this.#sums
    let [low, high] = [0, 0]
    for (let at = 0; at < sums.length; at += 2) {
      let [first, second] = [sums[at] ?? 0, sums[at + 1] ?? 0]
      for (const hashes of gone) {
        first -= hashes[at] ?? 0
        second -= hashes[at + 1] ?? 0
      }
      for (const hashes of come) {
        first += hashes[at] ?? 0
        second += hashes[at + 1] ?? 0
      }
      first |= 0
      second |= 0
      if (at > 0 && (first > low || (first === low && second >= high))) continue
      low = first
      high = second
    }
    const used = Math.imul(budgets + 1, 0x9e3779b1)
    return this.#seen.add(low ^ used, high + Math.imul(used ^ (used >>> 15), 0x85ebca6b))
  }
}
