/** A part of a node's log as plain data. */
import { RaftError, reasonOf } from '../errors/index.js'
import { readSessionHeader } from '../machine/index.js'
import {
  type EntryRun,
  entryKinds,
  forEachCommand,
  type LogIndex,
  type NodeId,
  readMembership,
  type Term,
} from '../raft/index.js'
import { type LogPage, type Pledge, readLogAtRest, readLogPage } from '../storage/index.js'
import { membersInWords } from '../telemetry/index.js'
import { commandInWords, headerInWords } from './command-words.js'

export interface LogEntry {
  readonly index: LogIndex
  readonly term: Term
  /**
   * `empty` opens the term of a leader, `membership` is a configuration (§6), and `session` is the header of a frame of a client's session. A state machine never
   * sees any of these.
   */
  readonly kind: 'empty' | 'command' | 'membership' | 'session'
  /** Bytes of the command. */
  readonly size: number
  /** The command in words or bytes, shortened; empty for an entry without one. */
  readonly command: string
  /** `null`: it cannot be told. */
  readonly flushed: boolean | null
  readonly committed: boolean | null
}

/** A part of the log of one node. Plain data, also for JSON. */
export interface LogOfNode {
  readonly nodeId: NodeId
  readonly currentTerm: Term
  readonly votedFor: NodeId | null
  /** The newest snapshot; the log before it may be cut off. */
  readonly snapshot: { readonly index: LogIndex; readonly term: Term; readonly size: number } | null
  /** The first entry that is kept: one after `lastIndex` when none is. */
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly entries: readonly LogEntry[]
  /** The first entry that was asked for and did not fit; `null`: all are there. */
  readonly next: LogIndex | null
  /** False for a log at rest whose last run was not closed in order. */
  readonly isSettled: boolean
}

/** The entries that are asked for, both ends included. `from` is left out: the last 20. */
export interface LogRange {
  readonly from?: LogIndex | undefined
  readonly to?: LogIndex | undefined
}

interface Pointers {
  readonly flushedIndex: LogIndex
  readonly commitIndex: LogIndex
  /** The last entry that was on the disk when the node started. Any entry up to it may have been committed before. */
  readonly lastIndexAtStart: LogIndex
}

/** The node as its caller knows it. */
export interface LogKnown {
  readonly nodeId: NodeId
  /** Commands of the built-in key-value store can be told in words, those of other machines as bytes. */
  readonly isKeyValue: boolean
  /** How far the node has flushed and committed; `undefined`: it does not run. */
  readonly pointers: Pointers | undefined
  /** The memory that the cluster's directory has of a node that does not run; `undefined`: none. */
  readonly pledge?: Pledge | undefined
}

/** Entries in one answer at most. */
const entriesMax = 1000

/** Entries in one answer where the first one is not named. */
const entriesDefault = 20

/**
 * Reads the log in a folder, of a node of this process or of one that does not run. `undefined`: there is none yet, and a
 * start makes one.
 * Throws a `RaftError` that says what is damaged.
 */
export function readLog(folder: string, known: LogKnown, range: LogRange = {}): LogOfNode | undefined {
  const { nodeId, pointers, pledge } = known
  checkRange(range)
  const asked = { ...range, limit: range.from === undefined ? entriesDefault : entriesMax }
  try {
    const page =
      pointers === undefined ? readLogAtRest(folder, nodeId, pledge, asked) : readLogPage(folder, asked)
    return page && told(page, known, range)
  } catch (error) {
    throw new RaftError('STORAGE_FAILED', { nodeId, why: reasonOf(error) }, error)
  }
}

function checkRange({ from, to }: LogRange): void {
  for (const [option, index] of Object.entries({ from, to })) {
    if (index === undefined || (Number.isSafeInteger(index) && index > 0)) continue
    const actual = typeof index === 'number' ? index : typeof index
    throw new RaftError('INVALID_OPTION', { option, expected: 'an index from 1 on', actual })
  }
  if (from === undefined || to === undefined || from <= to) return
  throw new RaftError('INVALID_OPTION', { option: 'to', expected: `an index from ${from} on`, actual: to })
}

function told(page: LogPage & { readonly isSettled?: boolean }, known: LogKnown, range: LogRange): LogOfNode {
  const { hardState, snapshot, base, lastIndex, isSettled = true } = page
  const entries = entriesOf(page, known, isSettled)
  const following = (entries.at(-1)?.index ?? lastIndex) + 1
  return {
    nodeId: known.nodeId,
    currentTerm: hardState.currentTerm,
    votedFor: hardState.votedFor ?? null,
    snapshot: snapshot ? { index: snapshot.index, term: snapshot.term, size: snapshot.size } : null,
    firstIndex: base.index + 1,
    lastIndex,
    entries,
    next: following <= Math.min(lastIndex, range.to ?? lastIndex) ? following : null,
    isSettled,
  }
}

function entriesOf(page: LogPage, { pointers, isKeyValue }: LogKnown, isSettled: boolean): LogEntry[] {
  const entries: LogEntry[] = []
  for (const run of page.runs) {
    forEachCommand(run, (start, end, position) => {
      const index = run.index + position
      entries.push({
        index,
        term: run.term,
        size: end - start,
        ...contentOf(run, position, run.bytes.subarray(start, end), isKeyValue),
        flushed: pointers === undefined ? isSettled || null : index <= pointers.flushedIndex,
        committed: isCommitted(index, page, pointers),
      })
    })
  }
  return entries
}

function contentOf(
  run: EntryRun,
  position: number,
  bytes: Uint8Array,
  isKeyValue: boolean,
): Pick<LogEntry, 'kind' | 'command'> {
  if (run.kind === entryKinds.empty) return { kind: 'empty', command: '' }
  const membership = readMembership(run)
  if (membership !== undefined) return { kind: 'membership', command: `(${membersInWords(membership)})` }
  const header = run.kind === entryKinds.session && position === 0 ? readSessionHeader(run) : undefined
  if (header !== undefined) return { kind: 'session', command: headerInWords(header) }
  return { kind: 'command', command: commandInWords(bytes, isKeyValue) }
}

/**
 * A disk does not hold how far its node knew of commits: of what a snapshot does not hold, a node that has started knows
 * nothing until it hears of a commit.
 */
function isCommitted(index: LogIndex, { snapshot }: LogPage, pointers: Pointers | undefined): boolean | null {
  if (index <= (snapshot?.index ?? 0)) return true
  if (pointers === undefined) return null
  if (index <= pointers.commitIndex) return true
  return index <= pointers.lastIndexAtStart ? null : false
}
