/** The state of a cluster as of one entry, made by a state machine from a disk at rest. */
import { RaftError } from '../errors/index.js'
import { readCommand, SessionMachine, type StateMachine } from '../machine/index.js'
import { type EntryRun, entryKinds, forEachCommand, type LogIndex } from '../raft/index.js'
import type { DiskAtRest } from '../storage/index.js'
import type { MachineKind } from './export-file.js'

/** Brings a new machine to the state as of the entry `to`, which the disk holds. */
export function restoreTo(machine: StateMachine, kind: MachineKind, disk: DiskAtRest, to: LogIndex): void {
  const host = new SessionMachine(machine)
  if (disk.snapshot !== undefined) host.restore(disk.pieces)
  const malformed = kind === 'kv' && disk.snapshot === undefined ? new MalformedCommands() : undefined
  for (const run of disk.runs((disk.snapshot?.index ?? 0) + 1, to)) {
    const isForMachine = run.kind === entryKinds.commands || run.kind === entryKinds.session
    if (!isForMachine) continue
    malformed?.look(run)
    host.apply(run, undefined)
  }
  malformed?.check()
}

/**
 * A directory does not tell which machine its commands are for, and the key-value store takes a command that it cannot
 * read for one that changes nothing. So a log without any command of the key-value store is refused: its export would be
 * empty.
 */
class MalformedCommands {
  #hasAny = false
  #isKeyValue = false

  look(run: EntryRun): void {
    this.#hasAny = true
    if (this.#isKeyValue) return
    forEachCommand(run, (start, end) => {
      this.#isKeyValue ||= readCommand(run.bytes.subarray(start, end)) !== undefined
    })
  }

  check(): void {
    if (!this.#hasAny || this.#isKeyValue) return
    const expected = "that of the cluster (no command in its log is one of the key-value store's)"
    throw new RaftError('INVALID_OPTION', { option: 'machine', expected, actual: 'the key-value store' })
  }
}
