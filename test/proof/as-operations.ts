/** Calls of a cluster and their ends as operations of a key-value history, for a judge that knows nothing of logs and revisions. */
import {
  type CheckResult,
  checkHistory,
  type KeyValueOperation,
  keyValue,
  operationWords,
} from '../../src/check/index.js'
import { queryOps, queryPrefixBytes, readCommand } from '../../src/machine/index.js'
import type { Outcome } from '../../src/proof/index.js'

interface Times {
  readonly client: number
  readonly call: number
  readonly return: number
}

/** Appends of unknown outcome can make a key too hard, which is then left open. */
const stepsMax = 500_000

/** Commands of one call count as concurrent. Ranges are left out. */
export function asOperations(
  type: 'propose' | 'read',
  commands: readonly Uint8Array[],
  told: Outcome,
  times: Times,
): KeyValueOperation[] {
  const outcome = told.outcome === 'unknown' ? 'unknown' : told.outcome === 'refused' ? 'fail' : 'ok'
  return commands.flatMap((command, at) => {
    const ended = { ...times, outcome } as const
    const answer = 'answers' in told ? told.answers[at] : undefined
    if (type === 'propose') {
      const change = written(command, answer?.status)
      return change === undefined ? [] : [{ ...ended, ...change } as KeyValueOperation]
    }
    if (command[0] !== queryOps.get || (outcome === 'ok' && answer === undefined)) return []
    const record = answer !== undefined && 'record' in answer ? answer.record : undefined
    const result = record === undefined ? null : textOf(record.value)
    return [{ ...ended, op: 'get', key: textOf(command.subarray(queryPrefixBytes)), result }]
  })
}

export function judgedAlone(operations: readonly KeyValueOperation[]): CheckResult<KeyValueOperation> {
  return checkHistory(operations, keyValue, { stepsMax })
}

/** Operations that contradict each other, a line for each key without an order. */
export function contradictionsIn({ failures }: CheckResult<KeyValueOperation>): string[] {
  return failures.map(
    ({ key, window }) =>
      `linearizability: ${key}: ${window.map((each) => operationWords(keyValue, each)).join(', ')}`,
  )
}

function written(command: Uint8Array, status: string | undefined): object | undefined {
  const read = readCommand(command)
  if (read === undefined) return undefined
  const key = textOf(read.key)
  const result = status === 'applied'
  switch (read.op) {
    case 'delete':
      return { op: read.op, key, result }
    case 'cas': {
      const expected = read.expected === undefined ? null : textOf(read.expected)
      return { op: read.op, key, expected, value: textOf(read.value), result }
    }
    default:
      return { op: read.op, key, value: textOf(read.value) }
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
