/**
 * A recorded run as acts. The recording is repeated beside them, input by input: what happened to a node there becomes an
 * act of the node here. Time is left open as in a search, so that an election is one act, and ticks and pre-votes are none.
 * Snapshots are none either: a node that takes one is sent the entries.
 */
import { type Input, isInvariantViolation, type NodeId, Raft, type RaftOptions } from '../raft/index.js'
import { parseLine } from '../recording/index.js'
import type { ClusterSize } from '../search/index.js'
import { type Act, type Deed, Scene } from './acts.js'
import { Mail } from './mail.js'

/** The choices that a recording leaves open where acts take its place: each way breaks another share of the rules again. */
export interface Manner {
  /** Each flush is an act of its own, as recorded; else each write is flushed in the act that asks for it. */
  readonly areHeld: boolean
  /** Bytes of entries in one message. */
  readonly appendBytesMax: number
}

/** All ways that are tried. */
export const manners: readonly Manner[] = [false, true].flatMap((areHeld) =>
  [1, 1 << 20].map((appendBytesMax) => ({ areHeld, appendBytesMax })),
)

export interface Translated {
  readonly size: ClusterSize
  readonly acts: readonly Act[]
  /** The run of the acts, up to the first rule that does not hold. */
  readonly scene: Scene
}

/** Terms by which a node of the acts may lag behind its like in the recording. */
const lagMax = 8

/** The lines of a recording, without its head. `undefined` when nothing begins there. */
export function translated(lines: readonly string[], manner: Manner): Translated | undefined {
  let translation: Translation | undefined
  for (const text of lines) {
    const { node, begins, told } = parseLine(text) as {
      readonly node: NodeId
      readonly begins?: RaftOptions
      readonly told?: Input
    }
    if (begins !== undefined) {
      translation ??= new Translation(begins.membership.voters.length, manner)
      translation.begins(node, begins)
    } else if (told !== undefined) translation?.told(node, told)
    if (translation?.scene.broken !== undefined) break
  }
  return translation
}

class Translation implements Translated {
  readonly size: ClusterSize
  readonly acts: Act[] = []
  readonly scene: Scene
  readonly #isHeld: boolean
  readonly #recorded = new Map<NodeId, Raft>()
  readonly #mail = new Mail()

  constructor(voters: number, { areHeld, appendBytesMax }: Manner) {
    this.size = { voters, appendBytesMax }
    this.scene = new Scene(this.size)
    this.#isHeld = areHeld
  }

  begins(node: NodeId, options: RaftOptions): void {
    if (this.#recorded.has(node)) this.#play(node, { type: 'crash' })
    this.#recorded.set(node, new Raft(options))
  }

  told(node: NodeId, input: Input): void {
    const raft = this.#recorded.get(node)
    if (raft === undefined) return
    const before = factsOf(raft)
    const isStopped = stops(raft, input)
    const after = factsOf(raft)
    switch (input.type) {
      case 'message': {
        // A request for votes that the recorded node ignored changed nothing there.
        const isIgnored = input.message.type === 'requestVote' && input.message.term > after.term
        if (!isIgnored || isStopped) this.#takes(node, input)
        break
      }
      case 'propose':
        for (let at = before.lastIndex; at < after.lastIndex || (isStopped && at === before.lastIndex); at++)
          this.#play(node, { type: 'propose' })
        break
      case 'changeMembership':
        this.#play(node, { type: 'change', changes: input.changes })
        break
      case 'transfer':
        if (after.transferTo !== undefined) this.#play(node, { type: 'transfer', to: after.transferTo })
        break
      case 'flushed':
        if (this.#isHeld) this.#play(node, { type: 'flush' })
        break
      default:
        if (after.round > before.round && before.term === after.term) this.#play(node, { type: 'heartbeat' })
    }
    this.#follows(node, before, after)
  }

  #takes(node: NodeId, { message }: Extract<Input, { type: 'message' }>): void {
    for (const { of, kind, nth } of this.#mail.like(message))
      this.#play(node, { type: 'take', of, kind, nth })
  }

  /** The elections that the recorded node began, and the leadership that it gave up. */
  #follows(node: NodeId, before: RecordedFacts, after: RecordedFacts): void {
    const isElection = after.term > before.term && (after.role === 'candidate' || after.role === 'leader')
    for (let lag = 0; isElection && lag < lagMax; lag++) {
      if (this.scene.stateOf(node).currentTerm >= after.term) break
      this.#play(node, { type: 'timeOut' })
    }
    const hasGivenUp = before.role === 'leader' && after.role === 'follower' && after.term === before.term
    if (hasGivenUp && this.scene.stateOf(node).role === 'leader') this.#play(node, { type: 'timeOut' })
  }

  #play(node: NodeId, deed: Deed): void {
    if (this.scene.broken !== undefined) return
    const act = { id: this.acts.length + 1, node, deed, isHeld: this.#isHeld }
    const played = this.scene.play(act)
    if (played === undefined) return
    this.acts.push(act)
    this.#mail.sent(act.id, played.sent)
  }
}

interface RecordedFacts {
  readonly term: number
  readonly role: string
  readonly lastIndex: number
  /** Rounds of heartbeats in its term. */
  readonly round: number
  readonly transferTo: NodeId | undefined
}

function factsOf({ state }: Raft): RecordedFacts {
  const { currentTerm: term, role, log, leadership } = state
  const transferTo = leadership?.transfer?.to
  return { term, role, lastIndex: log.lastIndex, round: leadership?.heartbeatRound ?? 0, transferTo }
}

/** Tells the recorded node its input. True when an invariant did not hold there: it is the last input of the run. */
function stops(raft: Raft, input: Input): boolean {
  try {
    raft.step(input)
    return false
  } catch (error) {
    if (isInvariantViolation(error)) return true
    throw error
  }
}
