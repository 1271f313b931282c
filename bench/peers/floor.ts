/**
 * The floor under commits per second: what worker threads must do at the least for a durable majority commit,
 * and nothing else. No terms, no elections, no matching of logs: one node leads for good, posts each batch to
 * the others while it writes it itself, and answers when a majority has it on disk.
 *
 *     node dist/bench/peers/floor.js --clients 1024 --size 128 --seconds 5 [--memory]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { warmUpSecondsFor } from '../../src/load/index.js'
import type { Batch, Seat } from './floor-node.js'

const keyCount = 10_000

const { values: flags } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1024' },
    size: { type: 'string', default: '128' },
    seconds: { type: 'string', default: '5' },
    memory: { type: 'boolean', default: false },
  },
})
const [nodes, clients, size, seconds] = [flags.nodes, flags.clients, flags.size, flags.seconds].map(
  Number,
) as [number, number, number, number]

/** Commands of one turn of the event loop go to the leader in one message. */
class Door {
  readonly #port: MessagePort
  readonly #answers: (() => void)[] = []
  #answered = 0
  #commands: Uint8Array[] = []

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (count: number) => this.#onAnswers(count))
  }

  put(command: Uint8Array): Promise<void> {
    if (this.#commands.length === 0) setImmediate(() => this.#post())
    this.#commands.push(command)
    return new Promise((resolve) => this.#answers.push(resolve))
  }

  #post(): void {
    const count = this.#commands.length
    const bytes = new Uint8Array(count * size)
    for (const [at, command] of this.#commands.entries()) bytes.set(command, at * size)
    this.#commands = []
    this.#port.postMessage({ count, size, bytes } satisfies Batch, [bytes.buffer])
  }

  /** Answers come in the order of the commands. */
  #onAnswers(count: number): void {
    for (const end = this.#answered + count; this.#answered < end; this.#answered++) {
      this.#answers[this.#answered]?.()
    }
    if (this.#answered < 65_536) return
    this.#answers.splice(0, this.#answered)
    this.#answered = 0
  }
}

const dir = mkdtempSync(join(tmpdir(), 'floor-'))
const workers = Array.from({ length: nodes }, (_, at) => {
  const seat: Seat = { followers: nodes - 1, path: flags.memory ? undefined : join(dir, String(at)) }
  return new Worker(new URL('./floor-node.js', import.meta.url), { workerData: seat })
})
const door = new Door(connect())
await new Promise((resolve) => setTimeout(resolve, 500))
await run(1000 * warmUpSecondsFor(seconds))
const figures = await run(seconds * 1000)
console.log(
  JSON.stringify({ peer: 'floor', durable: !flags.memory, nodes, clients, size, ...figures, elections: 0 }),
)
await Promise.all(workers.map((worker) => worker.terminate()))
rmSync(dir, { recursive: true, force: true })

/** A port between the leader and each follower, and one for the clients, which is returned. */
function connect(): MessagePort {
  const [leader, ...followers] = workers
  for (const follower of followers) {
    const { port1, port2 } = new MessageChannel()
    leader?.postMessage({ follower: port1 }, [port1])
    follower.postMessage({ leader: port2 }, [port2])
  }
  const { port1, port2 } = new MessageChannel()
  leader?.postMessage({ clients: port2 }, [port2])
  return port1
}

async function run(windowMs: number) {
  const latencies: number[] = []
  const startedMs = performance.now()
  const endsMs = startedMs + windowMs
  const client = async (id: number): Promise<void> => {
    const command = Buffer.alloc(size)
    let dice = id + 1
    for (let beganMs = performance.now(); beganMs <= endsMs; beganMs = performance.now()) {
      dice = (Math.imul(dice, 1_664_525) + 1_013_904_223) >>> 0
      command.writeUInt32LE((dice >>> 8) % keyCount, 0)
      await door.put(command)
      latencies.push(performance.now() - beganMs)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, id) => client(id)))
  const tookSeconds = (performance.now() - startedMs) / 1000
  const ascending = Float64Array.from(latencies).sort()
  const at = (share: number): number =>
    Number(ascending[Math.floor((ascending.length - 1) * share)]?.toFixed(3))
  return {
    commitsPerSecond: Math.round(latencies.length / tookSeconds),
    p50ms: at(0.5),
    p99ms: at(0.99),
  }
}
