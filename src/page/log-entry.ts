/** An entry of a node's log in words, and its command, which the server reads from the node's disk. */
import { effect, signal } from '@preact/signals'
import type { NodeFrame } from '../observer/index.js'
import type { LogIndex } from '../raft/index.js'
import type { LogEntry, LogOfNode } from '../server/index.js'
import { getJson } from './api.js'
import type { EntryAt } from './log-drawing.js'
import { termAt } from './log-spans.js'
import { shownNodes, subject } from './store.js'

/** The entry that the mouse or the keyboard is at. */
export const pointed = signal<EntryAt | undefined>(undefined)
/** The entry that was read last. */
export const readEntry = signal<(LogEntry & { readonly nodeId: number }) | undefined>(undefined)

/** A pointer that only passes by asks for nothing. */
const restMs = 120

/** Reads the entry that is pointed at, of the cluster that runs. Returns what ends it. */
export function readPointed(): () => void {
  return effect(() => {
    const at = pointed.value
    if (at === undefined || subject.value !== 'cluster') return
    const timer = setTimeout(() => void read(at), restMs)
    return () => clearTimeout(timer)
  })
}

async function read({ nodeId, index }: EntryAt): Promise<void> {
  const isHeld = shownNodes
    .peek()
    .some((node) => node.nodeId === nodeId && index >= node.firstIndex && index <= node.lastIndex)
  if (!isHeld) return
  try {
    const { log } = await getJson<{ log: LogOfNode | null }>(
      `/api/log?node=${nodeId}&from=${index}&to=${index}`,
    )
    const [entry] = log?.entries ?? []
    if (entry !== undefined) readEntry.value = { ...entry, nodeId }
  } catch {
    // Without an answer the words tell what the frame knows.
  }
}

/** `read` is told if it is the entry that stands there: the log may have changed since. */
export function entryInWords(node: NodeFrame, index: LogIndex, read: LogEntry | undefined): string {
  const { nodeId, firstIndex, lastIndex, snapshotIndex } = node
  const place = `${inFigures(index)} on node ${nodeId}`
  if (index < firstIndex) return `${place}: in its snapshot, which reaches to ${inFigures(snapshotIndex)}`
  if (index > lastIndex) return `${place}: no entry, its log ends at ${inFigures(lastIndex)}`
  const isRead = read?.index === index && [read.term, undefined].includes(termAt(node, index))
  const term = isRead ? read.term : termAt(node, index)
  const parts = [
    term === undefined ? '' : `term ${term}`,
    stateOf(node, index),
    isRead ? contentsOf(read) : '',
  ].filter((part) => part !== '')
  return `${place}: ${parts.join(', ')}`
}

function stateOf({ lastApplied, commitIndex, flushedIndex }: NodeFrame, index: LogIndex): string {
  const reached = index <= lastApplied ? 'applied' : index <= commitIndex ? 'committed' : 'not committed'
  return index <= flushedIndex ? reached : `${reached}, not on its disk yet`
}

function inFigures(index: LogIndex): string {
  return index.toLocaleString('en')
}

function contentsOf({ kind, command, size }: LogEntry): string {
  switch (kind) {
    case 'empty':
      return 'opens the term of its leader'
    case 'membership':
      return `configuration ${command}`
    case 'session':
      return command
    case 'command':
      return `${command} (${size} bytes)`
  }
}
