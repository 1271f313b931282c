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
import { type Call, runClosedLoop, Tally, warmUpSecondsFor } from '../../src/load/index.js'
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

/** Commands of one turn of the event loop go to the leader in one message, and have one promise. */
class Door {
  readonly #port: MessagePort
  /** The turns whose commands are not answered, and how many these are. */
  readonly #sent: { readonly count: number; readonly answer: () => void }[] = []
  #commands = new Uint8Array(size)
  #view = new DataView(this.#commands.buffer)
  #count = 0
  #answer: () => void = () => undefined
  #answered: Promise<void> = Promise.resolve()

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (count: number) => this.#onAnswers(count))
  }

  put(key: number): Promise<void> {
    if (this.#count === 0) this.#begin()
    const at = this.#count * size
    if (at === this.#commands.length) this.#grow()
    this.#view.setUint32(at, key, true)
    this.#count++
    return this.#answered
  }

  #begin(): void {
    this.#answered = new Promise((resolve) => {
      this.#answer = resolve
    })
    setImmediate(() => this.#post())
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#commands.length)
    larger.set(this.#commands)
    this.#commands = larger
    this.#view = new DataView(larger.buffer)
  }

  #post(): void {
    const count = this.#count
    const bytes = this.#commands.slice(0, count * size)
    this.#count = 0
    this.#sent.push({ count, answer: this.#answer })
    this.#port.postMessage({ count, size, bytes } satisfies Batch, [bytes.buffer])
  }

  /** Answers come in the order of the commands, to whole turns. */
  #onAnswers(answered: number): void {
    for (let count = answered; count > 0; ) {
      const turn = this.#sent.shift()
      if (turn === undefined) return
      count -= turn.count
      turn.answer()
    }
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

/** The clients are raftbox's own, so that both sides wait and count alike. */
async function run(windowMs: number) {
  const tally = new Tally()
  let dice = 1
  const put: Call = {
    op: 'put',
    commands: 1,
    perform: () => {
      dice = (Math.imul(dice, 1_664_525) + 1_013_904_223) >>> 0
      return door.put((dice >>> 8) % keyCount)
    },
  }
  tally.open()
  const startedMs = performance.now()
  let seconds = 0
  setTimeout(() => {
    tally.close()
    seconds = (performance.now() - startedMs) / 1000
    tally.isStopped = true
  }, windowMs)
  await runClosedLoop(tally, () => put, clients)
  const { p50ms, p99ms } = tally.latencies
  return { commitsPerSecond: Math.round(tally.commands / seconds), p50ms, p99ms }
}
