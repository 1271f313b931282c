/** etcd's commands in storms: puts, deletions, transactions, compactions and leases, on nodes whose states are compared. */
import { describe, expect, test } from 'vitest'
import { Dice } from '../../src/faults/index.js'
import {
  type CommandRun,
  createKv,
  forEachResult,
  ResultBuilder,
  type ResultWriter,
  type StateMachine,
  type TimeTelling,
} from '../../src/machine/index.js'
import { type CommandOp, createMvcc, mvccCommandOps } from '../../src/mvcc/index.js'
import { forEachCommand, packCommands } from '../../src/raft/index.js'
import { type SimulatedCluster, type SimulationResult, simulate } from '../../src/sim/index.js'
import { encode } from '../mvcc/machine-help.js'

const etcdOps: readonly number[] = Object.values(mvccCommandOps)
const [kvPart, etcdPart] = [0, 1]
/** The first byte of an answer of etcd's store that refuses nothing. */
const done = 0

/** How often each of etcd's commands was carried out by a node's store, and not refused. */
type Done = Record<CommandOp, number>

const nothingDone = (): Done => Object.fromEntries(Object.keys(mvccCommandOps).map((op) => [op, 0])) as Done

/**
 * The built-in store, which the simulation knows, with etcd's beside it. The built-in store answers etcd's commands as it
 * answers commands that it does not know. The hash holds both states, and all that etcd's store ever answered.
 */
class WithEtcd implements StateMachine {
  readonly #kv = createKv()
  readonly #etcd: StateMachine
  readonly #done: Done
  #answered = 0

  constructor(etcd: StateMachine, done: Done) {
    this.#etcd = etcd
    this.#done = done
  }

  get leastTimeoutMs(): number {
    return this.#etcd.leastTimeoutMs ?? Number.POSITIVE_INFINITY
  }

  apply(run: CommandRun, results: ResultWriter | undefined): void {
    this.#kv.apply(run, results)
    forEachCommand(run, (start, end, position) => {
      if (etcdOps.includes(run.bytes[start]!)) this.#applyToEtcd(run, position, run.bytes.slice(start, end))
    })
  }

  #applyToEtcd(run: CommandRun, position: number, command: Uint8Array): void {
    const results = new ResultBuilder()
    const { index, term, timeMs } = run
    this.#etcd.apply({ ...packCommands([command]), index: index + position, term, timeMs }, results)
    const packed = results.take()
    const op = Object.entries(mvccCommandOps).find(([, code]) => code === command[0])?.[0] as CommandOp
    forEachResult(packed, (start, end) => {
      if (packed.bytes[start] === done) this.#done[op]++
      for (const byte of packed.bytes.subarray(start, end))
        this.#answered = Math.imul(this.#answered ^ byte, 0x01000193) >>> 0
    })
  }

  timeTold(telling: TimeTelling): void {
    this.#etcd.timeTold?.(telling)
  }

  /** Both states are those of now, whenever their pieces are asked for. */
  snapshot(): Iterator<Uint8Array> {
    const answered = Buffer.alloc(4)
    answered.writeUInt32LE(this.#answered)
    return piecesOf(answered, [this.#kv.snapshot(), this.#etcd.snapshot()])
  }

  restore(pieces: Iterable<Uint8Array>): void {
    const bytes = Buffer.concat([...pieces])
    this.#answered = bytes.readUInt32LE(0)
    const parts: Uint8Array[][] = [[], []]
    for (let at = 4; at < bytes.byteLength; ) {
      const end = at + 5 + bytes.readUInt32LE(at + 1)
      parts[bytes[at]!]!.push(new Uint8Array(bytes.subarray(at + 5, end)))
      at = end
    }
    this.#kv.restore(parts[kvPart]!)
    this.#etcd.restore(parts[etcdPart]!)
  }

  readonly read: StateMachine['read'] = (queries, results) => this.#kv.read(queries, results)

  hash(): string {
    return `${this.#kv.hash()} ${this.#etcd.hash()} ${this.#answered}`
  }
}

function* piecesOf(
  head: Uint8Array,
  parts: readonly Iterator<Uint8Array>[],
): Generator<Uint8Array, undefined> {
  try {
    yield head
    for (const [part, pieces] of parts.entries())
      for (let next = pieces.next(); next.done !== true; next = pieces.next()) yield framed(part, next.value)
  } finally {
    for (const pieces of parts) pieces.return?.()
  }
  return undefined
}

function framed(part: number, piece: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5)
  head[0] = part
  head.writeUInt32LE(piece.byteLength, 1)
  return Buffer.concat([head, piece])
}

/** Clients of etcd: each sends one command after the other, to whoever leads. */
class EtcdClients {
  acknowledged = 0
  #sent = 0
  #isStopped = false
  readonly #cluster: SimulatedCluster
  readonly #dice: Dice

  constructor(cluster: SimulatedCluster, seed: number) {
    this.#cluster = cluster
    this.#dice = new Dice(seed)
    for (let client = 0; client < 3; client++) this.#next()
  }

  stop(): void {
    this.#isStopped = true
  }

  #next(): void {
    if (this.#isStopped) return
    const { leaderId, nodeIds } = this.#cluster
    const [op, request] = this.#draw(++this.#sent)
    const command = Buffer.concat([Buffer.of(mvccCommandOps[op]), encode(op, request), unread(this.#sent)])
    const told = ({ outcome }: { readonly outcome: string }): void => {
      if (outcome === 'applied') this.acknowledged++
      this.#cluster.later(this.#dice.around(20), () => this.#next())
    }
    this.#cluster.send(leaderId ?? this.#dice.pick(nodeIds)!, 'propose', [command], told, 300)
  }

  #draw(number: number): [CommandOp, object] {
    const dice = this.#dice
    const key = `k${dice.below(5)}`
    const id = 1 + dice.below(3)
    const put = { key, value: `${number}`, lease: dice.chance(0.3) ? id : 0 }
    const compare = [{ key, target: 'VERSION', result: 'GREATER', version: `${dice.below(3)}` }]
    const success = [{ requestPut: { key, value: `${number} then` } }]
    const failure = [{ requestPut: { key: `${key} else`, value: `${number}` } }]
    return dice.pick<[CommandOp, object]>([
      ['put', put],
      ['put', put],
      ['txn', { compare, success, failure }],
      ['txn', { compare, success: [{ requestDeleteRange: { key } }, ...failure], failure }],
      ['deleteRange', { key, rangeEnd: `${key}~${number}` }],
      ['compact', { revision: `${1 + Math.floor(number / 4)}` }],
      ['leaseGrant', { ID: `${id}`, TTL: `${1 + (number % 7)}` }],
      ['leaseRevoke', { ID: `${id}` }],
      ['leaseKeepAlive', { ID: `${id}` }],
    ])
  }
}

/** A field that no request has. The simulation tells commands by their bytes, so each command has another number in it. */
function unread(number: number): Buffer {
  const field = Buffer.alloc(6)
  field.writeUInt16BE(0xa506)
  field.writeUInt32LE(number, 2)
  return field
}

function stormOf(seed: number, createMachine: () => StateMachine) {
  let clients: EtcdClients | undefined
  const begun = (cluster: SimulatedCluster): (() => void) => {
    const begunClients = new EtcdClients(cluster, seed)
    clients = begunClients
    return () => begunClients.stop()
  }
  const result: SimulationResult = simulate({ seed, createMachine, begun })
  return { ...result, acknowledged: clients!.acknowledged }
}

const drawnOps = [
  'put',
  'txn',
  'deleteRange',
  'compact',
  'leaseGrant',
  'leaseRevoke',
  'leaseKeepAlive',
] as const
const seeds = Array.from({ length: 12 }, (_, at) => at + 1)

describe("etcd's commands in storms", () => {
  let acknowledged = 0
  const allDone = nothingDone()

  test.each(seeds)('[KV1][KS1][KS2] leave equal states at equal entries (seed %i)', (seed) => {
    const result = stormOf(seed, () => new WithEtcd(createMvcc(), allDone))
    expect(result.violation).toBeUndefined()
    acknowledged += result.acknowledged
  })

  test('were carried out', () => {
    expect(acknowledged).toBeGreaterThan(20 * seeds.length)
    for (const op of drawnOps) expect(allDone[op], op).toBeGreaterThan(0)
  })
})

test('the same seed is the same run, to the byte', () => {
  const run = () => stormOf(3, () => new WithEtcd(createMvcc(), nothingDone()))
  expect(run()).toEqual(run())
})

test("nodes whose stores of etcd's pass over transactions are found", () => {
  let machines = 0
  const forgetful = (): StateMachine => {
    const machine = createMvcc()
    const isForgetful = ++machines % 2 === 0
    const { apply } = machine
    machine.apply = (run, results) => {
      let isTxn = false
      forEachCommand(run, (start) => {
        isTxn = run.bytes[start] === mvccCommandOps.txn
      })
      if (isForgetful && isTxn) results?.append(new Uint8Array(9))
      else apply.call(machine, run, results)
    }
    return machine
  }
  const found = [1, 2, 3].map(
    (seed) => stormOf(seed, () => new WithEtcd(forgetful(), nothingDone())).violation?.rule,
  )
  expect(found).toContain('equal states at equal indexes')
})
