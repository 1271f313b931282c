/** Linearizable reads (thesis §6.4): served once leadership is confirmed and their readIndex is applied. */
import type { ResultBuilder, StateMachine } from '../machine/index.js'
import type { Frame, LogIndex, NodeId, ReadState } from '../raft/index.js'
import type { Settlement } from '../transport/index.js'

interface ConfirmedRead {
  readonly request: number
  readonly frame: Frame
  readonly readIndex: LogIndex
}

export class Reads {
  readonly #machine: StateMachine
  readonly #results: ResultBuilder
  readonly #settle: (settlement: Settlement) => void
  readonly #unconfirmed = new Map<number, Frame>()
  /** In order of readIndex: commitIndex only ever rises. */
  #confirmed: ConfirmedRead[] = []

  constructor(machine: StateMachine, results: ResultBuilder, settle: (settlement: Settlement) => void) {
    this.#machine = machine
    this.#results = results
    this.#settle = settle
  }

  add(request: number, frame: Frame): void {
    this.#unconfirmed.set(request, frame)
  }

  confirmed({ ids, readIndex }: ReadState, leaderId: NodeId | undefined): void {
    for (const request of ids) {
      const frame = this.#unconfirmed.get(request)
      if (frame === undefined) continue
      this.#unconfirmed.delete(request)
      if (readIndex === undefined)
        this.#settle({ request, outcome: 'refused', code: 'notLeader', leaderId, frame })
      else this.#confirmed.push({ request, frame, readIndex })
    }
  }

  serve(lastApplied: LogIndex): void {
    let served = 0
    for (const { request, frame, readIndex } of this.#confirmed) {
      if (readIndex > lastApplied) break
      this.#answer(frame)
      this.#settle({ request, outcome: 'read', count: frame.count })
      served++
    }
    if (served > 0) this.#confirmed = this.#confirmed.slice(served)
  }

  #answer(frame: Frame): void {
    const before = this.#results.count
    this.#machine.read(frame, this.#results)
    const answered = this.#results.count - before
    if (answered !== frame.count)
      throw new Error(`the machine gave ${answered} results for ${frame.count} queries`)
  }
}
