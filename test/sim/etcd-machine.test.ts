/** etcd's machine in virtual time, in the place of the built-in store: storms, logs that are cut, and equal states. */
import { expect, test } from 'vitest'
import {
  type CommandRun,
  forEachResult,
  type MachineFactory,
  queryOps,
  ResultBuilder,
  type ResultWriter,
  type StateMachine,
} from '../../src/machine/index.js'
import { createMvcc } from '../../src/mvcc/index.js'
import { type Frame, forEachCommand } from '../../src/raft/index.js'
import { type SimulationResult, simulate } from '../../src/sim/index.js'

/** Tells the revisions of the built-in store, which begin with 0 and not with 1. */
class Renumbered implements StateMachine {
  readonly #machine = createMvcc()

  apply(run: CommandRun, results: ResultWriter | undefined): void {
    const own = results && new ResultBuilder()
    this.#machine.apply(run, own)
    if (results !== undefined) renumber(own!, results, [])
  }

  read(queries: Frame, results: ResultWriter): void {
    const own = new ResultBuilder()
    this.#machine.read(queries, own)
    const ops: number[] = []
    forEachCommand(queries, (start) => void ops.push(queries.bytes[start]!))
    renumber(own, results, ops)
  }

  readonly snapshot: StateMachine['snapshot'] = () => this.#machine.snapshot()
  readonly restore: StateMachine['restore'] = (pieces) => this.#machine.restore(pieces)
  readonly hash: StateMachine['hash'] = () => this.#machine.hash()
}

function renumber(from: ResultBuilder, into: ResultWriter, ops: readonly number[]): void {
  const packed = from.take()
  forEachResult(packed, (start, end, position) => {
    const answer = Buffer.from(packed.bytes.slice(start, end))
    lower(answer, 1)
    if (ops[position] === queryOps.range) lowerRange(answer)
    else if (answer.byteLength > 9) lowerRecord(answer, 9)
    into.append(answer)
  })
}

/** The layout is that of `machine/answers.ts`. */
function lowerRange(answer: Buffer): void {
  let at = 14
  for (let count = answer.readUInt32LE(10); count > 0; count--) {
    const record = at + 6 + answer.readUInt16LE(at)
    lowerRecord(answer, record)
    at = record + 24 + answer.readUInt32LE(at + 2)
  }
}

function lowerRecord(answer: Buffer, at: number): void {
  lower(answer, at)
  lower(answer, at + 8)
}

function lower(answer: Buffer, at: number): void {
  answer.writeUInt32LE(answer.readUInt32LE(at) - 1, at)
}

/** Logs are cut all the time. */
function stormOf(seed: number, createMachine: MachineFactory): SimulationResult {
  return simulate({ seed, bounds: { logBytesMax: 2000, trailingBytes: 0 }, createMachine })
}

test.each(Array.from({ length: 10 }, (_, at) => at + 1))(
  '[KV1][KS1][KS2] a storm finds no difference to the built-in store (seed %i)',
  (seed) => {
    const { violation, counts } = stormOf(seed, () => new Renumbered())
    expect(violation).toBeUndefined()
    expect(counts.applied).toBeGreaterThan(0)
  },
)

test('[KV1] a store that loses a write in a snapshot is found', () => {
  class Forgetful extends Renumbered {
    override readonly snapshot: StateMachine['snapshot'] = () => createMvcc().snapshot()
  }
  const found = [1, 2, 3].map((seed) => stormOf(seed, () => new Forgetful()).violation?.rule)
  expect(found).toContain('snapshots equal the state')
})
