/** A log in words. */
import type { NodeId } from '../raft/index.js'
import { decimal, paint, table } from '../terminal/index.js'
import type { LogEntry, LogOfNode } from './read-log.js'

/** A node that does not know of any entry yet: the file that a power loss tore at its first write counts as none. */
export function noLogInWords(nodeId: NodeId): string {
  return `node ${nodeId}: no log yet; the node has not begun, and its start makes one`
}

/** The head of a log and a table of its entries. */
export function logInWords(log: LogOfNode): string {
  const { entries, next } = log
  const lines = [headOf(log), ...(entries.length === 0 ? [] : [entriesInWords(entries)])]
  if (next !== null) lines.push(`the log goes on with entry ${decimal(next)}`)
  return lines.join('\n')
}

function headOf({
  nodeId,
  currentTerm,
  votedFor,
  snapshot,
  firstIndex,
  lastIndex,
  isSettled,
}: LogOfNode): string {
  const vote = votedFor === null ? 'no vote' : `vote for node ${votedFor}`
  const held =
    lastIndex < firstIndex ? 'no entries' : `entries ${decimal(firstIndex)} to ${decimal(lastIndex)}`
  const parts = [`node ${nodeId}: term ${currentTerm}, ${vote}`, held]
  if (snapshot !== null) parts.push(`snapshot at entry ${decimal(snapshot.index)} of term ${snapshot.term}`)
  if (!isSettled) parts.push('not closed in order, so the last write may not be flushed')
  return parts.join('; ')
}

/** A table with a line for each entry. */
export function entriesInWords(entries: readonly LogEntry[]): string {
  const header = ['index', 'term', 'bytes', 'flushed', 'committed'].map((cell) => paint.dim(cell))
  const rows = entries.map(({ index, term, size, flushed, committed }) => [
    decimal(index),
    String(term),
    decimal(size),
    answer(flushed),
    answer(committed),
  ])
  const begins = paint.dim('(a leader begins its term)')
  const commands = entries.map(({ kind, command }) => (kind === 'empty' ? begins : command))
  const behind = [paint.dim('command'), ...commands]
  const lines = table([header, ...rows]).split('\n')
  return lines.map((line, at) => `${line}  ${behind[at] ?? ''}`).join('\n')
}

function answer(is: boolean | null): string {
  if (is === null) return '?'
  return is ? 'yes' : paint.yellow('no')
}
