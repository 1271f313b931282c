/** The result of a check of a history in words, for a terminal and for a page. */
import {
  type CheckResult,
  type Failure,
  type KeyValueOperation,
  keyValue,
  operationWords,
  quoted,
} from '../check/index.js'
import { counted, decimal, paint, printable, table } from '../terminal/index.js'

/** Operations of one window that are told, and keys that are named. */
const shownMax = 40

export function resultLines(result: CheckResult<KeyValueOperation>): string[] {
  const { verdict, failedKeys, failures } = result
  const color = { linearizable: paint.green, 'not-linearizable': paint.red, unknown: paint.yellow }[verdict]
  const more = failedKeys.length - failures.length
  return [
    color(headLine(result)),
    ...failures.flatMap((failure) => ['', ...failureLines(failure)]),
    ...(more > 0 ? ['', `and ${counted(more, 'more key')} without an order`] : []),
    ...undecidedLines(result),
  ]
}

export function headLine({
  verdict,
  operations,
  keys,
  failedKeys,
  undecided,
}: CheckResult<KeyValueOperation>): string {
  const size = `${counted(operations, 'operation')} on ${counted(keys, 'key')}`
  if (verdict === 'linearizable') return `linearizable: ${size}`
  const has = (count: number): string =>
    `${decimal(count)} of ${counted(keys, 'key')} ${count === 1 ? 'has' : 'have'}`
  return verdict === 'unknown'
    ? `unknown: ${size}, and ${has(undecided.length)} no answer`
    : `not linearizable: ${size}, and ${has(failedKeys.length)} no order`
}

export function undecidedLines({ undecided }: CheckResult<KeyValueOperation>): string[] {
  const lines = undecided.slice(0, shownMax).map(({ key, operations, why }) => {
    const lack =
      why === 'memory' ? 'the memory for the search was used up' : 'the time was up; give more with --seconds'
    return `${keyWords(key)}, ${counted(operations, 'operation')}, is not decided: ${lack}`
  })
  const left = undecided.length - lines.length
  return left > 0 ? [...lines, `and ${counted(left, 'more key')}`] : lines
}

function failureLines(failure: Failure<KeyValueOperation>): string[] {
  const rows = shownOf(failure).map((operation) => {
    const { client, call, return: end } = operation
    return [operationLine(operation), printable(`client ${client}`), `${call} to ${end}`]
  })
  return [windowLine(failure), ...table(rows).split('\n').map(indented), ...orderLines(failure).map(indented)]
}

/** Of a long window, the operations that are next to the contradiction. */
export function shownOf({ window }: Failure<KeyValueOperation>): readonly KeyValueOperation[] {
  return window.slice(-shownMax)
}

export function windowLine({ key, window, isMinimal }: Failure<KeyValueOperation>): string {
  const count = counted(window.length, 'operation')
  const what = window.length === 1 ? `${count} has no place` : `${count} contradict each other`
  const last = window.length > shownMax ? `; the last ${shownMax}:` : ''
  const proof = isMinimal ? '' : '. Fewer may do: the search for them was cut short'
  return `${keyWords(key)}: ${what}, whatever became of the other writes${proof}${last}`
}

/** How far an order goes, and why no operation follows. */
export function orderLines({
  window,
  order,
  state,
  stuck,
  isOrderLongest,
}: Failure<KeyValueOperation>): string[] {
  if (!isOrderLongest) return ['The search for the longest order of them was cut short.']
  const placed = order.slice(-shownMax).map(operationLine).join(', ')
  const begin = order.length > shownMax ? '…, ' : ''
  const lines = [
    order.length === 0
      ? `${window.length === 1 ? 'The operation cannot' : 'None of them can'} be the first. The key holds ${printable(state)} then.`
      : `An order goes as far as: ${begin}${placed}. The key holds ${printable(state)} then.`,
  ]
  for (const { operation, needs } of stuck) {
    const does = `${operationLine(operation)} does not fit there`
    lines.push(
      needs.length === 0
        ? `${does}, nor right behind any write of the key.`
        : `${does}. It would fit right behind`,
    )
    for (const { operation: need, why } of needs)
      lines.push(
        `  ${operationLine(need)} of ${printable(`client ${need.client}`)}, called at ${need.call}, but ${why}.`,
      )
  }
  return lines
}

export function operationLine(operation: KeyValueOperation): string {
  return printable(operationWords(keyValue, operation))
}

export function keyWords(key: string): string {
  return printable(quoted(key))
}

function indented(line: string): string {
  return `  ${line}`
}
