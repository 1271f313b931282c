/**
 * A run of the simulator as acts of whole nodes: what drove a node there becomes an act here, and time passes here up to
 * that moment.
 */
import type { LogIndex, MembershipChange, Message, NodeId } from '../raft/index.js'
import type { Asked, Outcome, Script, SimulatedCluster } from '../sim/index.js'
import { Mail } from './mail.js'
import type { Struck, WholeAct, WholeDeed } from './whole-acts.js'
import { WholeScene } from './whole-scene.js'
import type { WholeWorld } from './whole-world.js'

type Note = { readonly atMs: number } & (
  | { readonly type: 'took'; readonly node: NodeId; readonly message: Message }
  | { readonly type: 'asked'; readonly node: NodeId; readonly asked: Asked }
  | { readonly type: 'registered'; readonly request: number; readonly session: LogIndex }
  | { readonly type: 'struck'; readonly node: NodeId; readonly struck: Struck }
  | { readonly type: 'did'; readonly node: NodeId; readonly deed: WholeDeed }
)

interface Translated {
  readonly acts: readonly WholeAct[]
  /** The run of the acts, up to the first property that does not hold. */
  readonly scene: WholeScene
}

/** A run has no more notes than these. */
const notesMax = 50_000

/** The inputs of the nodes of a run, written down while it goes on. */
export class ScriptNotes implements Script {
  readonly notes: Note[] = []
  /** The nodes that are taking a snapshot. */
  readonly #taking = new Set<NodeId>()
  #now = (): number => 0

  /** The nodes of the run have started. */
  begun({ world }: SimulatedCluster): () => void {
    this.#now = () => world.time.nowMs
    return () => undefined
  }

  took(node: NodeId, message: Message): void {
    this.#note({ type: 'took', node, message, atMs: this.#now() })
  }

  asked(asked: Asked): void {
    this.#note({ type: 'asked', node: asked.nodeId, asked, atMs: this.#now() })
  }

  told(request: number, outcome: Outcome): void {
    if (outcome.outcome !== 'applied') return
    this.#note({ type: 'registered', request, session: outcome.index, atMs: this.#now() })
  }

  flushed(node: NodeId): void {
    this.#did(node, { type: 'flush' })
  }

  struck(node: NodeId, moment: Struck['moment'], how: Struck['how']): void {
    this.#note({ type: 'struck', node, struck: { moment, how }, atMs: this.#now() })
  }

  /** Acts take a snapshot at once: its begin counts. */
  takesSnapshot(node: NodeId): void {
    if (!this.#taking.has(node)) this.#did(node, { type: 'snapshot' })
    this.#taking.add(node)
  }

  /** A snapshot may have been given up for another since its begin. */
  cut(node: NodeId): void {
    this.#taking.delete(node)
    this.#did(node, { type: 'snapshot' })
  }

  launched(node: NodeId): void {
    this.#did(node, { type: 'launch' })
  }

  askedToChange(node: NodeId, changes: readonly MembershipChange[]): void {
    this.#did(node, { type: 'change', changes })
  }

  askedToHandOver(node: NodeId, to: NodeId | undefined): void {
    this.#did(node, { type: 'transfer', to })
  }

  fault(what: 'faultBegan' | 'faultHealed', { fault }: Parameters<Script['fault']>[1]): void {
    const hasBegun = what === 'faultBegan'
    if (!('nodes' in fault)) return
    for (const node of fault.nodes) {
      if (fault.type === 'pause') this.#did(node, { type: hasBegun ? 'pause' : 'resume' })
      else if (fault.type === 'skew') {
        const { offsetMs, drift } = hasBegun ? fault : { offsetMs: 0, drift: 0 }
        // JSON has no -0, which a drawn drift may be: a list is read as it was written.
        this.#did(node, { type: 'skew', offsetMs: offsetMs + 0, drift: drift + 0 })
      } else if (hasBegun && (fault.type === 'kill' || fault.type === 'losePower'))
        this.#did(node, { type: 'crash', how: fault.type })
    }
  }

  #did(node: NodeId, deed: WholeDeed): void {
    this.#note({ type: 'did', node, deed, atMs: this.#now() })
  }

  #note(note: Note): void {
    if (this.notes.length < notesMax) this.notes.push(note)
  }
}

/** A choice that a run leaves open where acts take its place. */
export interface Manner {
  /** No fewer milliseconds pass in an act of their own, so that there are not too many. */
  readonly leastMs: number
  /** Writes wait for their flush as in the run. Else each is flushed at once. */
  readonly holdsWrites: boolean
}

/** The acts of the run, up to the first property that does not hold. `untilMs`: the end of the run. */
export function wholeActsOf(
  notes: readonly Note[],
  world: WholeWorld,
  manner: Manner,
  untilMs: number,
): Translated {
  const translation = new WholeTranslation(world, manner)
  for (const [at, note] of notes.entries()) {
    if (translation.scene.broken !== undefined) return translation
    translation.take(note, notes[at + 1])
  }
  translation.ended(untilMs)
  return translation
}

class WholeTranslation {
  readonly acts: WholeAct[] = []
  readonly scene: WholeScene
  readonly #manner: Manner
  readonly #mail = new Mail({ areSnapshotsApart: true })
  /** Acts by which clients asked for sessions: by their requests in the run, and by the sessions there. */
  readonly #registering = new Map<number, number>()
  readonly #sessions = new Map<LogIndex, number>()

  constructor(world: WholeWorld, manner: Manner) {
    this.scene = new WholeScene(world)
    this.#manner = manner
    for (let node = 1; node <= world.voters; node++) this.#begins(node)
  }

  /** The node is there from now on. */
  #begins(node: NodeId): void {
    if (this.#manner.holdsWrites) this.#play(node, { type: 'stall' })
  }

  take(note: Note, next: Note | undefined): void {
    if (note.type === 'registered') {
      const act = this.#registering.get(note.request)
      if (act !== undefined) this.#sessions.set(note.session, act)
      return
    }
    // A disk that is not stalled holds nothing back.
    if (note.type === 'did' && note.deed.type === 'flush' && !this.#manner.holdsWrites) return
    const isStruck = next?.type === 'struck' && next.node === note.node && next.atMs === note.atMs
    const struck = isStruck ? next.struck : undefined
    if (note.type === 'struck') this.#passes(note.atMs, 0, note.struck)
    else this.#passes(note.atMs, this.#manner.leastMs)
    if (note.type === 'did') {
      this.#play(note.node, note.deed, struck)
      if (note.deed.type === 'launch') this.#begins(note.node)
    } else if (note.type === 'asked') this.#asked(note.asked, struck)
    else if (note.type === 'took')
      for (const { of, kind, nth } of this.#lettersLike(note.message, note.atMs))
        this.#play(note.node, { type: 'take', of, kind, nth }, struck)
  }

  /** The node of a message that is not there yet may come to send it in a moment, or says something else in its place. */
  #lettersLike(message: Message, atMs: number): ReturnType<Mail['like']> {
    const known = this.#mail.like(message)
    if (known.length > 0) return known
    this.#passes(atMs, 0)
    let letters = this.#mail.like(message)
    const isOfElection = message.type === 'preVote' || message.type === 'requestVote'
    const { electionTimeoutTicks, tickMs } = this.scene
    // The time of the acts does not run far ahead of that of the run.
    const latestMs = atMs + 2 * electionTimeoutTicks * tickMs
    while (isOfElection && letters.length === 0 && this.scene.nowMs < latestMs) {
      if (this.scene.broken !== undefined || !this.scene.follows(message.from)) break
      this.#play(0, { type: 'pass', ms: tickMs })
      letters = this.#mail.like(message)
    }
    const latest = letters.length > 0 ? undefined : this.#mail.latest(message)
    return latest === undefined ? letters : [latest]
  }

  ended(untilMs: number): void {
    this.#passes(untilMs, 0)
  }

  #asked({ request, nodeId, type, commands, ofSession }: Asked, struck: Struck | undefined): void {
    if (ofSession === undefined) this.#play(nodeId, { type: 'ask', what: type, commands }, struck)
    else if ('registerMs' in ofSession) {
      const act = this.#play(nodeId, { type: 'register', timeoutMs: ofSession.registerMs }, struck)
      if (act !== undefined) this.#registering.set(request, act.id)
    } else {
      const { session: index, sequence, firstOutstanding } = ofSession.call
      const session = this.#sessions.get(index)
      if (session === undefined) return
      this.#play(nodeId, { type: 'call', session, sequence, firstOutstanding, commands }, struck)
    }
  }

  #passes(atMs: number, leastMs: number, struck?: Struck): void {
    const ms = Math.round(1000 * (atMs - this.scene.nowMs)) / 1000
    if (ms > leastMs) this.#play(0, { type: 'pass', ms }, struck)
  }

  #play(node: NodeId, deed: WholeDeed, struck?: Struck): WholeAct | undefined {
    const { scene, acts } = this
    if (scene.broken !== undefined) return undefined
    const act = { id: acts.length + 1, node, deed, ...(struck && { struck }) }
    const played = scene.play(act)
    if (played === undefined) return undefined
    acts.push(act)
    this.#mail.sent(act.id, played.sent)
    return act
  }
}
