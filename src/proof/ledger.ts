/**
 * Every entry that was ever in a log, each linked to the one before it, and among them the committed ones.
 * An entry is one object: two logs that hold the same object hold the same past, however long it is.
 */
import {
  type EntryKind,
  type EntryRun,
  entryKinds,
  forEachCommand,
  type LogIndex,
  type LogRun,
  lastIndexOf,
  type Membership,
  readMembership,
  type StoredRun,
  type Term,
} from '../raft/index.js'
import type { KvModel, ModelResult } from './kv-model.js'
import { SessionModel } from './session-model.js'

export interface LedgerEntry {
  readonly index: LogIndex
  readonly term: Term
  readonly kind: EntryKind
  readonly command: Uint8Array
  /** `undefined` at the origin only. */
  readonly previous: LedgerEntry | undefined
  /** The configuration as of this entry, and the entry that holds it: this one, or one before it (§6). */
  readonly membership: Membership
  readonly membershipIndex: LogIndex
  /** Term of the node that first knew it to be committed; 0 before. */
  commitTerm: Term
  /**
   * The answer of its command; `undefined` before it is committed, for entries without a command, and for commands of a
   * session that are not applied: an earlier copy was, or the session has expired.
   */
  result: ModelResult | undefined
  /** Revision of the machine once it is applied. */
  revision: number
  /** The whole state once it is applied, by a node's own account. `undefined` while no node was asked. */
  hash: string | undefined
}

const noBytes = new Uint8Array(0)

export class Ledger {
  readonly origin: LedgerEntry
  /** By index. Never changes but at its end. */
  readonly committed: LedgerEntry[]
  /** All entries with an index: mostly one, several after a change of leader. */
  readonly #at: LedgerEntry[][]
  readonly #sessions = new SessionModel()

  /** `membership`: the configuration before the first entry. */
  constructor(membership: Membership) {
    this.origin = {
      index: 0,
      term: 0,
      kind: entryKinds.empty,
      command: noBytes,
      previous: undefined,
      membership,
      membershipIndex: 0,
      commitTerm: 0,
      result: undefined,
      revision: 0,
      hash: undefined,
    }
    this.committed = [this.origin]
    this.#at = [[this.origin]]
  }

  get last(): LedgerEntry {
    return this.committed[this.committed.length - 1] ?? this.origin
  }

  find(index: LogIndex, term: Term | undefined): LedgerEntry | undefined {
    return this.#at[index]?.find((entry) => entry.term === term)
  }

  /**
   * The entries of a run behind `previous`. The answer is the last of them, or what does not match: an entry
   * with the same index and term that has another past or another command.
   */
  append(previous: LedgerEntry, run: LogRun): LedgerEntry | string {
    if (run.bytes === undefined) return this.#followed(previous, run)
    let last = previous
    let mismatch: string | undefined
    forEachCommand(run, (start, end, position) => {
      const index = run.index + position
      if (mismatch !== undefined || index <= last.index) return
      const known = this.find(index, run.term)
      if (run.term < last.term)
        mismatch = `entry ${index}@${run.term} follows ${nameOf(last)}, of a later term`
      else if (known === undefined) last = this.#add(last, run, run.bytes.slice(start, end))
      else if (known.previous !== last)
        mismatch = `entry ${index}@${run.term} follows ${nameOf(last)} here and ${nameOf(known.previous)} elsewhere`
      else if (known.kind !== run.kind || !holds(known.command, run.bytes, start, end))
        mismatch = `entry ${index}@${run.term} holds another command than elsewhere`
      else last = known
    })
    return mismatch ?? last
  }

  /** A run that is in the store only, and cut off there by now: its entries were seen before. */
  #followed(previous: LedgerEntry, run: StoredRun): LedgerEntry | string {
    let last = previous
    for (let index = previous.index + 1; index <= lastIndexOf(run); index++) {
      const known = this.find(index, run.term)
      if (known?.previous !== last || known.kind !== run.kind)
        return `entry ${index}@${run.term} is in the store only, and is not what followed ${nameOf(last)}`
      last = known
    }
    return last
  }

  /** The ancestor of `entry` at `index`, itself included. */
  ancestor(entry: LedgerEntry, index: LogIndex): LedgerEntry | undefined {
    let ancestor: LedgerEntry | undefined = entry
    while (ancestor !== undefined && ancestor.index > index) {
      // What comes before a committed entry is committed: no need to walk.
      if (this.committed[ancestor.index] === ancestor) return this.committed[index]
      ancestor = ancestor.previous
    }
    return ancestor?.index === index ? ancestor : undefined
  }

  /** The last entry that both logs hold. */
  commonAncestor(one: LedgerEntry, other: LedgerEntry): LedgerEntry {
    let [left, right]: [LedgerEntry | undefined, LedgerEntry | undefined] = [one, other]
    while (left !== right && left !== undefined && right !== undefined) {
      if (left.index >= right.index) left = left.previous
      else right = right.previous
    }
    return left === right && left !== undefined ? left : this.origin
  }

  commit(entry: LedgerEntry, term: Term, model: KvModel): void {
    entry.commitTerm = term
    if (this.#sessions.commit(entry)) entry.result = model.apply(entry.command)
    entry.revision = model.revision
    this.committed.push(entry)
  }

  #add(previous: LedgerEntry, run: EntryRun, command: Uint8Array): LedgerEntry {
    const index = previous.index + 1
    const { term, kind } = run
    const own = kind === entryKinds.membership ? readMembership(run) : undefined
    const entry = {
      index,
      term,
      kind,
      command,
      previous,
      membership: own ?? previous.membership,
      membershipIndex: own === undefined ? previous.membershipIndex : index,
      commitTerm: 0,
      result: undefined,
      revision: 0,
      hash: undefined,
    }
    const others = this.#at[index]
    if (others === undefined) this.#at[index] = [entry]
    else others.push(entry)
    return entry
  }
}

/** True when the bytes from `start` to `end` are those of the command. */
export function holds(command: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (command.byteLength !== end - start) return false
  for (let at = start; at < end; at++) if (bytes[at] !== command[at - start]) return false
  return true
}

export function nameOf(entry: LedgerEntry | undefined): string {
  return entry === undefined ? 'nothing' : `${entry.index}@${entry.term}`
}
