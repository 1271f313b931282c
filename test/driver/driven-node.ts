import { Driver, type ReadConfirmation } from '../../src/driver/index.js'
import { createKv, resultBytesMaxDefault, type StateMachine } from '../../src/machine/index.js'
import type { Message, RaftLimits } from '../../src/raft/index.js'
import { type LogStore, MemoryDisk, openMemoryStore } from '../../src/storage/index.js'
import { Counters, type Happening } from '../../src/telemetry/index.js'
import type { Settlement, Settlements } from '../../src/transport/index.js'
import { meterOf } from './meter.js'

export const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [] }

export interface DrivenNodeOptions {
  readonly disk?: MemoryDisk
  readonly machine?: StateMachine
  readonly limits?: Partial<RaftLimits>
  readonly wrap?: (store: LogStore) => LogStore
  readonly logBytesMax?: number
  readonly trailingBytes?: number
  readonly resultBytesMax?: number
  readonly reads?: ReadConfirmation
  readonly now?: () => number
  readonly steady?: () => number
  readonly defer?: (callback: () => void) => void
  readonly heard?: (happening: Happening) => void
  /** Called as answers leave. */
  readonly answering?: (settlements: Settlements) => void
}

/** One node of three, on a disk in memory: each flush ends when the test says so, and the test is the other two. */
export class DrivenNode {
  readonly sent: Message[] = []
  readonly failures: unknown[] = []
  readonly settled: Settlement[] = []
  /** What was settled, turn by turn. */
  readonly messages: Settlements[] = []
  readonly flushes: (() => void)[] = []
  /** The events that the node told. */
  readonly events: Happening[] = []
  readonly counters = new Counters(Counters.allocate())
  readonly machine: StateMachine
  readonly driver: Driver
  /** Whether the clients have more unread answers than may wait there. */
  areClientsBehind = false

  constructor({
    disk = new MemoryDisk(membership),
    machine = createKv(),
    limits = {},
    wrap = (store) => store,
    logBytesMax = 1 << 30,
    trailingBytes = 0,
    resultBytesMax = resultBytesMaxDefault,
    defer = (callback) => callback(),
    reads = 'readIndex',
    now = () => 0,
    steady = now,
    heard,
    answering,
  }: DrivenNodeOptions = {}) {
    this.machine = machine
    const opened = openMemoryStore(disk, {
      defer: (flush) => void this.flushes.push(flush),
    })
    this.driver = new Driver({
      raft: { id: 1, membership, seed: 1, limits, recovered: opened.recovered },
      bounds: { logBytesMax, trailingBytes },
      resultBytesMax,
      store: wrap(opened.store),
      machine,
      links: { send: (message) => void this.sent.push(message) },
      clock: { now, steady, defer },
      probe: meterOf({
        counters: this.counters,
        now,
        heard: (happening) => {
          this.events.push(happening)
          heard?.(happening)
        },
        failed: (error) => void this.failures.push(error),
      }),
      tickMs: 25,
      reads,
      areClientsBehind: () => this.areClientsBehind,
      settle: (settlements) => {
        answering?.(settlements)
        this.messages.push(settlements)
        this.settled.push(...settlements.settled)
      },
    })
  }

  receive(message: Message): void {
    this.driver.receive(message)
    this.driver.turn()
  }

  /** Lets every flush end, and those that come of it. */
  flushAll(): void {
    for (let flush = this.flushes.shift(); flush !== undefined; flush = this.flushes.shift()) flush()
  }
}
