/** A key-value store: each key is a part of its own, and holds a string or nothing. */
import { RaftError } from '../errors/index.js'
import type { Model, Operation } from './model.js'
import { quoted } from './shortened.js'

interface OfKey extends Operation {
  readonly key: string
}

/** `null` stands for a key that does not exist. */
export type KeyValueOperation = OfKey &
  (
    | { readonly op: 'get'; readonly result?: string | null | undefined }
    | { readonly op: 'put'; readonly value: string }
    | { readonly op: 'append'; readonly value: string }
    | {
        readonly op: 'cas'
        readonly expected: string | null
        readonly value: string
        /** Whether the key held the expected value, and was written. Left out: the client was not told. */
        readonly result?: boolean | undefined
      }
    | {
        readonly op: 'delete'
        /** Whether there was such a key. Left out: the client was not told. */
        readonly result?: boolean | null | undefined
      }
  )

export const keyValue: Model<string | null, KeyValueOperation> = {
  keyOf: ({ key }) => key,
  initial: () => null,
  step,
  isRead: (operation) => {
    if (operation.op === 'get') return true
    // A swap that did not find its value and a deletion that found no key have changed nothing.
    const canFail = operation.op === 'cas' || operation.op === 'delete'
    return canFail && operation.outcome === 'ok' && operation.result === false
  },
  isBlind: (operation) => {
    if (operation.op === 'delete') return operation.outcome !== 'ok' || typeof operation.result !== 'boolean'
    return operation.op === 'put'
  },
  describe,
  describeState: inWords,
}

function step(state: string | null, operation: KeyValueOperation): string | null | undefined {
  const isTold = operation.outcome === 'ok'
  switch (operation.op) {
    case 'get':
      return isTold && (operation.result ?? null) !== state ? undefined : state
    case 'put':
      return operation.value
    case 'append':
      return state === null ? operation.value : state + operation.value
    case 'cas': {
      const isSwapped = state === operation.expected
      if (isTold && operation.result !== undefined && operation.result !== isSwapped) return undefined
      return isSwapped ? operation.value : state
    }
    case 'delete': {
      const { result } = operation
      const isKnown = isTold && result !== undefined && result !== null
      return isKnown && result !== (state !== null) ? undefined : null
    }
    default:
      throw new RaftError('INVALID_OPTION', {
        option: 'op',
        expected: 'get, put, append, cas or delete',
        actual: String((operation as { op: unknown }).op),
      })
  }
}

function describe(operation: KeyValueOperation): string {
  const key = quoted(operation.key)
  const isTold = operation.outcome === 'ok'
  switch (operation.op) {
    case 'get':
      return `get ${key}${isTold ? ` → ${inWords(operation.result ?? null)}` : ''}`
    case 'put':
    case 'append':
      return `${operation.op} ${key} ${quoted(operation.value)}`
    case 'cas': {
      const call = `cas ${key} ${inWords(operation.expected)} to ${quoted(operation.value)}`
      return isTold ? `${call} → ${operation.result}` : call
    }
    case 'delete': {
      const { result } = operation
      return isTold && typeof result === 'boolean' ? `delete ${key} → ${result}` : `delete ${key}`
    }
  }
}

function inWords(value: string | null): string {
  return value === null ? 'nothing' : quoted(value)
}
