/**
 * The parts of worlds, each kept once and known by its number: states of single nodes, messages and histories. A world is
 * then a few numbers, and a step of a node is taken once, in however many worlds the node stands there.
 */
import { isInvariantViolation, type MembershipChange, type Message, type NodeId } from '../raft/index.js'
import { decoded, subjectsMax } from './codes.js'
import { BrokenPromise, Member, type PlacedStep, type Step } from './member.js'
import { hashOf, type Renaming, textOf } from './renamed.js'
import {
  brokenByPair,
  brokenByStep,
  emptyHistory,
  type Facts,
  factsOf,
  type History,
  historyAfter,
  textOfHistory,
  type Violation,
} from './rules.js'

/** A part, and its hashes: two for each renaming. */
interface Part<T> {
  readonly value: T
  readonly hashes: Int32Array
}

/** More would make two keys of outcomes or of histories one number. */
const partsMax = 2 ** 22

/** Each part once, by its text. */
class Shelf<T> {
  readonly parts: Part<T>[] = []
  readonly #numbers = new Map<string, number>()
  readonly #renamings: readonly Renaming[]
  readonly #textOf: (value: T, renaming: Renaming) => string

  constructor(renamings: readonly Renaming[], text: (value: T, renaming: Renaming) => string) {
    this.#renamings = renamings
    this.#textOf = text
  }

  numberOf(value: T): number {
    const [own, ...others] = this.#renamings
    if (own === undefined) throw new Error('a part has at least the names of its own')
    const text = this.#textOf(value, own)
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const number = this.parts.length
    if (number >= partsMax) throw new Error(`a search has at most ${partsMax} parts of a kind`)
    const texts = [text, ...others.map((renaming) => this.#textOf(value, renaming))]
    this.parts.push({ value, hashes: Int32Array.from(texts.flatMap(hashOf)) })
    this.#numbers.set(text, number)
    return number
  }

  at(number: number): Part<T> {
    const part = this.parts[number]
    if (part === undefined) throw new Error(`there is no part ${number}`)
    return part
  }
}

interface NodeState {
  readonly member: Member
  readonly facts: Facts
}

/** The outcome of a step of one node. */
export interface Outcome {
  readonly node: number
  readonly sent: readonly number[]
  readonly hasWritten: boolean
  readonly broken: Violation | undefined
}

export class Parts {
  readonly nodes: Shelf<NodeState>
  readonly messages: Shelf<Message>
  readonly histories: Shelf<History>
  readonly #outcomes = new Map<number, Outcome>()
  readonly #histories = new Map<number, number | Violation>()
  readonly #sound = new Set<number>()
  readonly #nodeCount: number
  readonly #changes: readonly (readonly MembershipChange[])[]

  constructor(nodeCount: number, renamings: readonly Renaming[]) {
    this.#nodeCount = nodeCount
    this.#changes = changesOf(nodeCount)
    this.nodes = new Shelf(renamings, ({ member }, renaming) => textOfMember(member, renaming))
    this.messages = new Shelf<Message>(renamings, textOf)
    this.histories = new Shelf(renamings, textOfHistory)
    this.histories.numberOf(emptyHistory)
  }

  /** The states in which the nodes begin. */
  begin(): number[] {
    const length = this.#nodeCount
    return Array.from({ length }, (_, at) => this.#kept(new Member(at + 1, length)))
  }

  /** Numbers of the changes that the members may be asked for. */
  get changes(): readonly number[] {
    return [...this.#changes.keys()]
  }

  factsOf(node: number): Facts {
    return this.nodes.at(node).value.facts
  }

  /** The step that a code stands for. */
  placed(code: number): PlacedStep {
    const { place, isHeld } = decoded(code)
    return { id: place + 1, step: this.#stepOf(code), isHeld }
  }

  outcomeOf(node: number, code: number): Outcome {
    const key = node * 2 ** 31 + code
    const known = this.#outcomes.get(key)
    if (known !== undefined) return known
    const outcome = this.#taken(node, code)
    this.#outcomes.set(key, outcome)
    return outcome
  }

  /** The history after a step to this state of a node, or the rule that the step broke. */
  historyAfter(history: number, node: number): number | Violation {
    const key = history * 2 ** 24 + node
    const known = this.#histories.get(key)
    if (known !== undefined) return known
    const after = historyAfter(this.histories.at(history).value, this.factsOf(node))
    const kept = 'rule' in after ? after : this.histories.numberOf(after)
    this.#histories.set(key, kept)
    return kept
  }

  brokenByPair(one: number, other: number): Violation | undefined {
    const key = one < other ? one * 2 ** 24 + other : other * 2 ** 24 + one
    if (this.#sound.has(key)) return undefined
    const broken = brokenByPair(this.factsOf(one), this.factsOf(other))
    if (broken === undefined) this.#sound.add(key)
    return broken
  }

  #stepOf(code: number): Step {
    const { kind, subject } = decoded(code)
    switch (kind) {
      case 'deliver':
      case 'duplicate':
        return { type: 'deliver', message: this.messages.at(subject).value }
      case 'propose':
        return { type: 'propose', number: subject }
      case 'transfer':
        return { type: 'transfer', to: subject }
      case 'change':
        return { type: 'change', changes: this.#changes[subject] ?? [] }
      default:
        return { type: kind }
    }
  }

  #taken(node: number, code: number): Outcome {
    const { member, facts } = this.nodes.at(node).value
    const step = this.#stepOf(code)
    const after = new Member(facts.id, this.#nodeCount, { from: member })
    try {
      const messages = after.take(step, decoded(code).isHeld)
      // A leader that is a majority by itself leads on, and nothing but the count of its heartbeats would grow.
      const leadsOn = step.type === 'timeOut' && facts.isLeader && after.state.role === 'leader'
      if (leadsOn) return { node, sent: [], hasWritten: false, broken: undefined }
      const number = this.#kept(after)
      const sent = messages.map((message) => this.#sent(message))
      const broken = brokenByStep(facts, this.factsOf(number), step)
      return { node: number, sent, hasWritten: after.hasWritten, broken }
    } catch (error) {
      const broken = violationOf(error)
      return { node, sent: [], hasWritten: false, broken }
    }
  }

  #kept(member: Member): number {
    return this.nodes.numberOf({ member, facts: factsOf(member) })
  }

  #sent(message: Message): number {
    const number = this.messages.numberOf(message)
    if (number >= subjectsMax) throw new Error(`a search tells ${subjectsMax} messages apart at most`)
    return number
  }
}

/** The invariants that the protocol itself checks, and the promises of what it sends. */
export function violationOf(error: unknown): Violation {
  if (error instanceof BrokenPromise)
    return { rule: 'a promise is on disk before it leaves', detail: error.message }
  if (isInvariantViolation(error)) return { rule: 'the node stops itself', detail: error.message }
  throw error
}

function textOfMember({ raft, disk, held, state }: Member, renaming: Renaming): string {
  const protocol = raft.dump()
  // Only a leader's time matters: it checks its quorum, and its disk.
  const { electionElapsedTicks, diskElapsedTicks } = protocol
  const time = state.role === 'leader' ? [electionElapsedTicks, diskElapsedTicks] : []
  return textOf({ protocol, disk, held, time }, renaming)
}

/** Changes that a cluster of so many voters may be asked for: of one voter at a time, and of two at once. */
function changesOf(nodes: number): MembershipChange[][] {
  const ids: NodeId[] = Array.from({ length: nodes }, (_, at) => at + 1)
  const types = ['remove', 'demote', 'promote'] as const
  const single = ids.flatMap((nodeId) => types.map((type) => [{ type, nodeId }]))
  const pairs = ids.flatMap((one) => ids.filter((other) => other > one).map((other) => [one, other]))
  // Two voters less are a joint configuration.
  return [...single, ...pairs.map((pair) => pair.map((nodeId) => ({ type: 'demote' as const, nodeId })))]
}
