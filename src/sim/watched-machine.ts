/** A state machine that is held against the model: what it is given, and what it makes of it. */
import {
  type CommandRun,
  encode,
  type MachineFactory,
  Memory,
  type RangeAnswer,
  ResultBuilder,
  type ResultWriter,
  readRangeAnswer,
  type StateMachine,
  type TimeTelling,
  writeRange,
} from '../machine/index.js'
import { type Checker, hashOf, holds } from '../proof/index.js'
import {
  commandHeaderBytes,
  type Frame,
  forEachCommand,
  type LogIndex,
  type NodeId,
  packCommands,
} from '../raft/index.js'
import type { MomentName } from './moments.js'
import type { SimulatedNodeOptions } from './node-options.js'

const everything = packCommands([encode(writeRange, { limit: 1_000_000 })])

export class WatchedMachine implements StateMachine {
  readonly #checker: Checker
  readonly #nodeId: NodeId
  /** What its snapshots are masked with: equal states need not have equal bytes, and here they never do. */
  readonly #mask: number
  readonly #createMachine: MachineFactory
  readonly #machine: StateMachine
  /** Snapshots come in pieces of about this many bytes, so that small ones take their time as well. */
  readonly #pieceBytes: number
  /** The protocol's state is looked at before the entries that it says are committed are applied. */
  readonly #beforeApply: () => void
  readonly #passes: (moment: MomentName) => void
  /** The last command that it holds; `undefined` after a restore, until the node says what that was. */
  #lastApplied: LogIndex | undefined = 0

  constructor(
    checker: Checker,
    nodeId: NodeId,
    mask: number,
    { createMachine, snapshotPieceBytes }: Pick<SimulatedNodeOptions, 'createMachine' | 'snapshotPieceBytes'>,
    beforeApply: () => void,
    passes: (moment: MomentName) => void,
  ) {
    this.#checker = checker
    this.#nodeId = nodeId
    this.#mask = mask & 0xff
    this.#createMachine = createMachine
    this.#machine = createMachine()
    this.#pieceBytes = snapshotPieceBytes
    this.#beforeApply = beforeApply
    this.#passes = passes
  }

  apply(run: CommandRun, results: ResultWriter | undefined): void {
    this.#beforeApply()
    this.#passes('applying')
    const { committed } = this.#checker.ledger
    forEachCommand(run, (start, end, position) => {
      const index = run.index + position
      const entry = committed[index]
      if (entry === undefined)
        this.#report('state-machine safety', `applies ${index}, which is not committed`)
      else if (entry.result === undefined)
        this.#report('exactly once', `applies ${index}, which an earlier copy of the call has applied`)
      else if (!holds(entry.command, run.bytes, start, end))
        this.#report('state-machine safety', `applies another command at ${index} than what is committed`)
    })
    if (this.#lastApplied !== undefined) {
      // Only entries without commands may be passed over.
      for (let index = this.#lastApplied + 1; index < run.index; index++) {
        if (committed[index]?.result !== undefined)
          this.#report('state-machine safety', `passes over ${index} and applies ${run.index}`)
      }
      if (run.index <= this.#lastApplied) this.#report('state-machine safety', `applies ${run.index} twice`)
    }
    this.#lastApplied = run.index + run.count - 1
    this.#machine.apply(run, results)
    this.#passes('applied')
  }

  get leastTimeoutMs(): number {
    return this.#machine.leastTimeoutMs ?? Number.POSITIVE_INFINITY
  }

  timeTold(telling: TimeTelling): void {
    this.#machine.timeTold?.(telling)
  }

  read(queries: Frame, results: ResultWriter): void {
    this.#machine.read(queries, results)
  }

  snapshot(): Iterator<Uint8Array> {
    const { revision } = contentOf(this.#machine)
    return this.#recut(this.#machine.snapshot(), revision)
  }

  /** The pieces in smaller ones; what they were made of is compared with the model once they are all there. */
  *#recut(pieces: Iterator<Uint8Array>, revision: number): Generator<Uint8Array, undefined> {
    const taken: Uint8Array[] = []
    try {
      for (let piece = pieces.next(); piece.done !== true; piece = pieces.next()) {
        taken.push(new Uint8Array(piece.value))
        const isFirst = taken.length === 1
        const masked = maskedBy(
          this.#mask,
          isFirst ? Buffer.concat([Buffer.of(0), piece.value]) : piece.value,
        )
        for (let at = 0; at < masked.byteLength; at += this.#pieceBytes) {
          this.#passes('snapshotTaking')
          yield masked.slice(at, at + this.#pieceBytes)
        }
      }
    } finally {
      pieces.return?.()
    }
    const restored = this.#createMachine()
    restored.restore(taken)
    if (digestOf(restored) !== this.#checker.model.digestAt(revision))
      this.#report('snapshots equal the state', `its snapshot at revision ${revision} is another state`)
    return undefined
  }

  restore(pieces: Iterable<Uint8Array>): void {
    this.#passes('restoring')
    this.#lastApplied = undefined
    this.#machine.restore(unmasked(pieces))
  }

  hash(): string {
    return this.#machine.hash()
  }

  /** True between a restore and the next look at the whole state. */
  get isRestored(): boolean {
    return this.#lastApplied === undefined
  }

  /**
   * The machine's whole state against the model's, at the entry that the node says it has applied. `hash` covers the
   * sessions too, and is held against what other nodes had there.
   */
  checkState(lastApplied: LogIndex, hash: string | undefined): void {
    const entry = this.#checker.ledger.committed[lastApplied]
    if (entry === undefined) return this.#report('state-machine safety', `applied ${lastApplied} uncommitted`)
    const { revision } = contentOf(this.#machine)
    if (revision !== entry.revision) {
      const both = `revision ${revision}, not ${entry.revision}`
      this.#report('equal states at equal indexes', `its state at entry ${lastApplied} is of ${both}`)
    } else if (digestOf(this.#machine) !== this.#checker.model.digestAt(revision)) {
      this.#report('equal states at equal indexes', `its state at entry ${lastApplied} is another`)
    }
    entry.hash ??= hash
    if (entry.hash !== hash)
      this.#report('equal states at equal indexes', `its state at entry ${lastApplied} has another hash`)
    this.#lastApplied = lastApplied
  }

  #report(rule: string, what: string): void {
    this.#checker.report(rule, `node ${this.#nodeId}: ${what}`)
  }
}

function maskedBy(mask: number, bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ mask)
}

/** The first byte of a snapshot is nothing but its mask. */
function* unmasked(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let mask: number | undefined
  for (const piece of pieces) {
    const isFirst = mask === undefined
    mask ??= piece[0] ?? 0
    yield maskedBy(mask, piece.subarray(isFirst ? 1 : 0))
  }
}

function contentOf(machine: StateMachine): RangeAnswer {
  const results = new ResultBuilder()
  machine.read(everything, results)
  return readRangeAnswer(new Memory(results.bytes), commandHeaderBytes)
}

function digestOf(machine: StateMachine): number {
  const answer = contentOf(machine)
  if (answer.status !== 'found') return Number.NaN
  return answer.records.reduce((sum, record) => sum + hashOf(record.key, record), 0)
}
