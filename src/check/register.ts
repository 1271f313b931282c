/** One register that holds one value: the smallest model. */
import { RaftError } from '../errors/index.js'
import type { Model, Operation } from './model.js'

type Value = string | number | boolean | null

/** The register holds `null` before it is first written. */
export type RegisterOperation = Operation &
  (
    | { readonly op: 'read'; readonly result?: Value | undefined }
    | { readonly op: 'write'; readonly value: Value }
    | {
        readonly op: 'cas'
        readonly expected: Value
        readonly value: Value
        /** Whether the register held the expected value, and was written. Left out: the client was not told. */
        readonly result?: boolean | undefined
      }
  )

export const register: Model<Value, RegisterOperation> = {
  initial: () => null,
  step: (state, operation) => {
    const isTold = operation.outcome === 'ok'
    if (operation.op === 'write') return operation.value
    if (operation.op === 'read') return isTold && (operation.result ?? null) !== state ? undefined : state
    if (operation.op !== 'cas') throw unknownOp((operation as { op: unknown }).op)
    const isSwapped = state === operation.expected
    if (isTold && operation.result !== undefined && operation.result !== isSwapped) return undefined
    return isSwapped ? operation.value : state
  },
  isRead: (operation) =>
    operation.op === 'read' ||
    (operation.op === 'cas' && operation.outcome === 'ok' && operation.result === false),
  isBlind: ({ op }) => op === 'write',
  describe: (operation) => {
    const told = operation.outcome === 'ok' && operation.op !== 'write' ? ` → ${operation.result}` : ''
    if (operation.op === 'read') return `read${told}`
    if (operation.op === 'write') return `write ${operation.value}`
    return `cas ${operation.expected} to ${operation.value}${told}`
  },
  describeState: String,
}

function unknownOp(op: unknown): RaftError {
  return new RaftError('INVALID_OPTION', { option: 'op', expected: 'read, write or cas', actual: String(op) })
}
