/** Watches what leaves a node and what comes to it, for the moments at which faults strike. */
import type { Message, NodeId, RaftEvent, Role } from '../raft/index.js'
import { Interruption, leavingOf, type MomentName, momentOf, takenOf } from './moments.js'
import type { World } from './world.js'

export class NodeMoments {
  readonly #nodeId: NodeId
  readonly #world: World
  readonly #stop: (how: Interruption['how']) => void
  /** True from a start of the node to its end: outside of a life nothing can be interrupted. */
  #isAlive = false
  #lives = 0
  #hasTicked = false
  #role: Role = 'follower'

  /** `stop` ends the node in the middle of its work. */
  constructor(nodeId: NodeId, world: World, stop: (how: Interruption['how']) => void) {
    this.#nodeId = nodeId
    this.#world = world
    this.#stop = stop
  }

  /** A life of the node has begun: it has read its disk. */
  begins(): void {
    this.#isAlive = true
    this.#lives++
    this.#hasTicked = false
    this.#role = 'follower'
  }

  ends(): void {
    this.#isAlive = false
  }

  readonly passes = (moment: MomentName): void => {
    if (this.#isAlive) this.#world.moments.passes(this.#nodeId, moment)
  }

  /** A fault may end the node in the middle of this. */
  interruptible(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof Interruption)) throw error
      this.#stop(error.how)
    }
  }

  ticks(): void {
    if (this.#hasTicked) return
    this.#hasTicked = true
    if (this.#lives > 1) this.passes('startedAgain')
  }

  sends(message: Message, send: (message: Message) => void): void {
    const { before, after } = leavingOf(message)
    if (before !== undefined) this.passes(before)
    send(message)
    if (after !== undefined) this.passes(after)
  }

  took(message: Message): void {
    const moment = takenOf(message)
    if (moment !== undefined) this.passes(moment)
  }

  answers(answer: () => void): void {
    this.passes('answerLeaving')
    answer()
    this.passes('answerLeft')
  }

  observed(event: RaftEvent): void {
    const before = this.#role
    if (event.type === 'role') this.#role = event.role
    const hasSteppedDown = event.type === 'role' && before === 'leader' && event.role !== 'leader'
    const moment = hasSteppedDown ? 'steppedDown' : momentOf(event)
    if (moment !== undefined) this.passes(moment)
  }
}
