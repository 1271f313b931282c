/**
 * The calls of all clients and their ends as one history, which must be linearizable. The ledger judges what each client was
 * told of its own keys; the history also has what clients saw of each other's.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type CheckResult,
  checkInTurns,
  type Failure,
  type KeyValueOperation,
  keyValue,
  operationWords,
} from '../check/index.js'
import { counted, decimal } from '../terminal/index.js'
import type { CallEnd } from './host.js'

type Operation = KeyValueOperation
type Asked = Pick<Operation, 'client' | 'key'> &
  ({ readonly op: 'get' } | { readonly op: 'put'; readonly value: string })

/** A longer run is judged by its beginning. */
const operationsMax = 500_000
const stepsMax = 50_000_000
/** Operations of a contradiction that are told. */
const toldMax = 6

interface Judgement {
  /** Left out if there is none. */
  readonly contradiction: string | undefined
  /** Calls that nobody judged, a line for each kind. */
  readonly gaps: readonly string[]
}

export class RecordedCalls {
  readonly #ended: Operation[] = []
  readonly #open = new Set<Operation>()
  /** Calls and ends so far: their order is all that is needed of time. */
  #time = 0
  #isEnded = false
  #isFull = false

  /** The call begins. `value` is what was read, or undefined where there was no such key. */
  begin(asked: Asked): (end: CallEnd, value?: string) => void {
    this.#isFull ||= this.#ended.length + this.#open.size >= operationsMax
    if (this.#isFull || this.#isEnded) return () => undefined
    const begun: Operation = { ...asked, call: ++this.#time, outcome: 'unknown' }
    this.#open.add(begun)
    return (end, value) => {
      // Behind the last call that was recorded, others may have happened.
      if (this.#isFull || this.#isEnded || !this.#open.delete(begun)) return
      this.#ended.push({ ...begun, ...this.#endOf(end, value) } as Operation)
    }
  }

  /** All that was told so far. */
  get history(): readonly KeyValueOperation[] {
    return [...this.#ended, ...this.#open]
  }

  /** The judgement on all that was told, in words. Later calls are not recorded. */
  async judged(): Promise<Judgement> {
    this.#isEnded = true
    const turns = checkInTurns(this.history, keyValue, { stepsMax })
    for (;;) {
      const turn = turns.next()
      if (turn.done !== true) await nextTurn()
      else return this.#inWords(turn.value)
    }
  }

  #inWords({ failures: [failure], undecided }: CheckResult<Operation>): Judgement {
    const gaps: string[] = []
    if (this.#isFull) gaps.push(`only the first ${decimal(operationsMax)} calls were judged as one history`)
    if (undecided.length > 0)
      gaps.push(`the calls on ${counted(undecided.length, 'key')} were too many to be judged as one history`)
    return { contradiction: failure && inWords(failure), gaps }
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
