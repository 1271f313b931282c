/** The protocol by itself: every node in this thread, messages handed over as they are, every flush at once. */
import {
  type EndTurn,
  type Frame,
  lastIndexOf,
  type Membership,
  type Message,
  type NodeId,
  Raft,
} from '../../../src/raft/index.js'

const endTurn: EndTurn = Object.freeze({
  type: 'endTurn',
  now: undefined,
  mayWrite: true,
  applyBytesMax: Number.POSITIVE_INFINITY,
})

export class PureCluster {
  readonly #nodes = new Map<NodeId, Raft>()
  readonly #membership: Membership
  readonly #leader: Raft
  #messages: Message[] = []

  /** Node 1 leads. */
  constructor(nodes: number) {
    const voters = Array.from({ length: nodes }, (_, at) => at + 1)
    this.#membership = { voters, votersOutgoing: [], learners: [] }
    for (const id of voters) {
      this.#nodes.set(id, new Raft({ id, membership: this.#membership, seed: id }))
    }
    this.#leader = this.#nodes.get(1)!
    this.#leader.step({ type: 'campaign' })
    this.#settle()
    if (this.#leader.state.role !== 'leader') throw new Error('node 1 was not elected')
  }

  /** Every node ticks until the leader's heartbeats have gone out, and all of them are answered. Returns how many messages that took. */
  beat(): number {
    for (let tick = 0; tick < this.#leader.state.limits.heartbeatTicks; tick++) {
      for (const node of this.#nodes.values()) node.step({ type: 'tick' })
    }
    return this.#settle()
  }

  /** A frame on its way to every node, committed and applied, and every log cut behind it. */
  commit(frame: Frame): void {
    const answer = this.#leader.step({ type: 'propose', frame })
    if ('code' in answer) throw new Error(`the leader refused: ${answer.code}`)
    this.#settle()
    const { last, commitIndex } = this.#leader.state.log
    if (commitIndex !== last.index) throw new Error('it was not committed')
    for (const node of this.#nodes.values()) {
      const base = node.state.log.last
      const snapshot = { ...base, membership: this.#membership, size: 0 }
      if (node.state.log.lastApplied === base.index) node.step({ type: 'compacted', snapshot, base })
    }
  }

  #settle(): number {
    let delivered = 0
    for (const node of this.#nodes.values()) this.#work(node)
    while (this.#messages.length > 0) {
      const messages = this.#messages
      this.#messages = []
      for (const message of messages) {
        const node = this.#nodes.get(message.to)!
        node.step({ type: 'message', message })
        this.#work(node)
        delivered++
      }
    }
    return delivered
  }

  /** Does what a node asks for until it asks for nothing more. */
  #work(node: Raft): void {
    for (;;) {
      const { messages, persist, apply } = node.step(endTurn)
      this.#messages.push(...messages)
      const last = apply.at(-1)
      const isBehind = last !== undefined
      if (isBehind) node.step({ type: 'applied', index: lastIndexOf(last) })
      if (persist === undefined && !isBehind) return
      if (persist === undefined) continue
      node.step({ type: 'flushed', sequence: persist.sequence })
      this.#messages.push(...persist.messages)
    }
  }
}
