/** Calls of a cluster and their ends as operations of a key-value history, for a judge that knows nothing of logs and revisions. */
import {
  type CheckResult,
  checkHistory,
  type KeyValueOperation,
  keyValue,
  operationWords,
} from '../../src/check/index.js'
import { commandOps, queryOps } from '../../src/machine/index.js'
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
    if (type === 'propose') return [{ ...ended, ...written(command, answer?.status) } as KeyValueOperation]
    if (command[0] !== queryOps.get || (outcome === 'ok' && answer === undefined)) return []
    const record = answer !== undefined && 'record' in answer ? answer.record : undefined
    const result = record === undefined ? null : textOf(record.value)
    return [{ ...ended, op: 'get', key: textOf(command.subarray(1)), result }]
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

function written(command: Uint8Array, status: string | undefined): object {
  const view = new DataView(command.buffer, command.byteOffset, command.byteLength)
  const keyEnd = 3 + view.getUint16(1, true)
  const key = textOf(command.subarray(3, keyEnd))
  const rest = command.subarray(keyEnd)
  const result = status === 'applied'
  switch (command[0]) {
    case commandOps.put:
      return { op: 'put', key, value: textOf(rest) }
    case commandOps.append:
      return { op: 'append', key, value: textOf(rest) }
    case commandOps.delete:
      return { op: 'delete', key, result }
    case commandOps.casAbsent:
      return { op: 'cas', key, expected: null, value: textOf(rest), result }
    default: {
      const expectedEnd = 4 + view.getUint32(keyEnd, true)
      const [expected, value] = [textOf(rest.subarray(4, expectedEnd)), textOf(rest.subarray(expectedEnd))]
      return { op: 'cas', key, expected, value, result }
    }
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
