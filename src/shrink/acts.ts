/**
 * The acts of a shrunk run. An act names a message by the act that sent it, and not by its content: so acts can be left
 * out, and the nodes take what the others say in the shorter run. An act whose message was never sent is skipped.
 */
import type { Message, NodeId } from '../raft/index.js'
import {
  type ClusterSize,
  type PlacedStep,
  Stage,
  type Step,
  type Taken,
  type Violation,
} from '../search/index.js'
import { type CarriedType, carriedTypeOf } from '../telemetry/index.js'

/** The `nth` message of this kind, counted from 0, that the act `of` sent to the node: the last one, if it sent fewer. */
export interface TakeMessage {
  readonly type: 'take'
  readonly of: number
  readonly kind: CarriedType
  readonly nth: number
}

export type Deed =
  | TakeMessage
  | { readonly type: 'propose' }
  | Exclude<Step, { readonly type: 'deliver' | 'propose' }>

export interface Act {
  /** Names the act in the run. */
  readonly id: number
  readonly node: NodeId
  readonly deed: Deed
  /** The write that the act asks for is not flushed in the act. */
  readonly isHeld: boolean
}

/** An act that was taken: the step that it came to, and the outcome. */
export interface Played extends Taken {
  readonly act: Act
  readonly step: PlacedStep
}

/** Commands of one byte tell entries apart as long as one leader appends no more than these. */
const commandsMax = 256

/** A run that goes on act by act, up to the first rule that does not hold. */
export class Scene {
  readonly played: Played[] = []
  readonly #stage: Stage
  readonly #sent = new Map<number, readonly Message[]>()
  #proposed = 0

  constructor(size: ClusterSize) {
    this.#stage = new Stage(size)
  }

  get broken(): Violation | undefined {
    return this.#stage.broken
  }

  stateOf(id: NodeId): ReturnType<Stage['stateOf']> {
    return this.#stage.stateOf(id)
  }

  /** `undefined`: the act is skipped. Its message was never sent, or its node does not lead and only a leader acts so. */
  play(act: Act): Played | undefined {
    const step = this.#stepOf(act)
    if (step === undefined) return undefined
    const placed = { id: act.node, step, isHeld: act.isHeld }
    const played = { ...this.#stage.take(placed), act, step: placed }
    this.#sent.set(act.id, played.sent)
    this.played.push(played)
    return played
  }

  #stepOf({ node, deed }: Act): Step | undefined {
    switch (deed.type) {
      case 'take': {
        const sent = messagesTo(node, deed.kind, this.#sent.get(deed.of) ?? [])
        const message = sent[Math.min(deed.nth, sent.length - 1)]
        return message && { type: 'deliver', message }
      }
      case 'timeOut':
      case 'crash':
      case 'flush':
        return deed
      default:
        if (this.stateOf(node).role !== 'leader') return undefined
        return deed.type === 'propose' ? { type: 'propose', number: this.#proposed++ % commandsMax } : deed
    }
  }
}

/** The messages of the kind among these that are to the node. */
export function messagesTo(node: NodeId, kind: CarriedType, sent: readonly Message[]): readonly Message[] {
  return sent.filter((message) => message.to === node && carriedTypeOf(message) === kind)
}

/** Takes the acts in their order, up to the first rule that does not hold. */
export function perform(size: ClusterSize, acts: readonly Act[]): Scene {
  const scene = new Scene(size)
  for (const act of acts) {
    scene.play(act)
    if (scene.broken !== undefined) break
  }
  return scene
}
