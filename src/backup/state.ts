/** The state of a cluster as of one entry, made by its state machine and the sessions of its clients. */
import { RaftError } from '../errors/index.js'
import { readCommand, readSessionHeader, SessionMachine, type StateMachine } from '../machine/index.js'
import { type EntryRun, entryKinds, forEachCommand, type LogIndex } from '../raft/index.js'
import type { DiskAtRest } from '../storage/index.js'
import type { MachineKind } from './export-file.js'

/** The state as of the entry `to`, which the disk holds, in a new machine. */
export function stateOnDisk(
  machine: StateMachine,
  kind: MachineKind,
  disk: DiskAtRest,
  to: LogIndex,
): SessionMachine {
  const state = new SessionMachine(machine)
  if (disk.snapshot !== undefined) state.restore(disk.pieces)
  const malformed = kind === 'kv' && disk.snapshot === undefined ? new MalformedCommands() : undefined
  for (const run of disk.runs((disk.snapshot?.index ?? 0) + 1, to)) {
    if (run.kind !== entryKinds.commands && run.kind !== entryKinds.session) continue
    malformed?.look(run)
    state.apply(run, undefined)
  }
  malformed?.check()
  return state
}

/**
 * A directory of an earlier version does not tell which machine its commands are for, and the key-value store takes a command that it cannot
 * read for one that changes nothing. So a log with commands of which none is one of the key-value store is refused: its
 * export would be empty.
 */
class MalformedCommands {
  #hasAny = false
  #isKeyValue = false

  look(run: EntryRun): void {
    if (this.#isKeyValue) return
    const isBehindHeader = run.kind === entryKinds.session && readSessionHeader(run) !== undefined
    forEachCommand(run, (start, end, position) => {
      if (isBehindHeader && position === 0) return
      this.#hasAny = true
      this.#isKeyValue ||= readCommand(run.bytes.subarray(start, end)) !== undefined
    })
  }

  check(): void {
    if (!this.#hasAny || this.#isKeyValue) return
    const expected = "that of the cluster (no command in its log is one of the key-value store's)"
    throw new RaftError('INVALID_OPTION', { option: 'machine', expected, actual: 'the key-value store' })
  }
}
