/**
 * The calls of all clients and their ends as one history, which must be linearizable. The ledger judges what each client was
 * told of its own keys; the history also has what clients saw of each other's.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  checkInTurns,
  type Failure,
  type KeyValueOperation,
  keyValue,
  operationWords,
} from '../check/index.js'
import type { CallEnd } from './host.js'

type Operation = KeyValueOperation
type Asked = Pick<Operation, 'client' | 'key'> &
  ({ readonly op: 'get' } | { readonly op: 'put'; readonly value: string })

/** A longer run is judged by its beginning. */
const operationsMax = 500_000
const stepsMax = 50_000_000
/** Operations of a contradiction that are told. */
const toldMax = 6

export class RecordedCalls {
  readonly #ended: Operation[] = []
  readonly #open = new Set<Operation>()
  /** Calls and ends so far: their order is all that is needed of time. */
  #time = 0
  #isFull = false

  /** The call begins. `value` is what was read, or undefined where there was no such key. */
  begin(asked: Asked): (end: CallEnd, value?: string) => void {
    this.#isFull ||= this.#ended.length + this.#open.size >= operationsMax
    if (this.#isFull) return () => undefined
    const begun: Operation = { ...asked, call: ++this.#time, outcome: 'unknown' }
    this.#open.add(begun)
    return (end, value) => {
      // Behind the last call that was recorded, others may have happened.
      if (this.#isFull || !this.#open.delete(begun)) return
      this.#ended.push({ ...begun, ...this.#endOf(end, value) } as Operation)
    }
  }

  /** The contradiction in what was told, in words, if there is one. Later calls are not recorded. */
  async contradiction(): Promise<string | undefined> {
    this.#isFull = true
    const turns = checkInTurns([...this.#ended, ...this.#open], keyValue, { stepsMax })
    for (;;) {
      const turn = turns.next()
      if (turn.done !== true) await nextTurn()
      else return turn.value.failures[0] && inWords(turn.value.failures[0])
    }
  }

  #endOf(end: CallEnd, value: string | undefined): Partial<Operation> {
    if (end.type === 'notDone') return { outcome: 'fail' }
    if (end.type === 'unknown') return {}
    const ended = { return: ++this.#time, outcome: 'ok' } as const
    return end.type === 'read' ? { ...ended, result: value ?? null } : ended
  }
}

function inWords({ key, window }: Failure<Operation>): string {
  const told = window
    .slice(-toldMax)
    .map((each) => `${operationWords(keyValue, each)} by client ${each.client}`)
  const begin = window.length > toldMax ? '…, ' : ''
  return `the calls on '${key}' are not linearizable: no order explains ${begin}${told.join(', ')}`
}
