/** A leader and the queries that its state machine is asked. */
import type { ReadConfirmation } from '../../src/driver/index.js'
import {
  createKv,
  encode,
  forEachResult,
  Memory,
  readGetAnswer,
  type StateMachine,
  writeGet,
  writePut,
} from '../../src/machine/index.js'
import { type Frame, packCommands } from '../../src/raft/index.js'
import type { ClientRequest } from '../../src/transport/index.js'
import { DrivenNode } from './driven-node.js'
import { acknowledgement, elect } from './node-two.js'

/** Tells how often each query was read. */
export class CountingMachine implements StateMachine {
  readonly #kv: StateMachine
  readonly frames: Frame[] = []

  constructor(kv = createKv()) {
    this.#kv = kv
  }

  readonly apply: StateMachine['apply'] = (run, results) => this.#kv.apply(run, results)
  readonly snapshot = (): Iterator<Uint8Array> => this.#kv.snapshot()
  readonly restore: StateMachine['restore'] = (pieces) => this.#kv.restore(pieces)
  readonly hash = (): string => this.#kv.hash()
  readonly read: StateMachine['read'] = (queries, results) => {
    this.frames.push(queries)
    this.#kv.read(queries, results)
  }
}

interface LeaderOptions {
  readonly machine?: CountingMachine
  readonly resultBytesMax?: number
  readonly reads?: ReadConfirmation
  readonly now?: () => number
  readonly defer?: (callback: () => void) => void
}

/** A node whose machine tells how often it was asked. */
export class QueriedNode extends DrivenNode {
  override readonly machine: CountingMachine
  #request = 0

  constructor({ machine = new CountingMachine(), ...options }: LeaderOptions = {}) {
    super({ machine, ...options })
    this.machine = machine
  }

  put(value: string, key = 'k'): void {
    this.request('propose', packCommands([encode(writePut, key, value)]))
  }

  /** Asks for the keys in one request, and gives its number. */
  get(...keys: readonly string[]): number {
    const queries = (keys.length > 0 ? keys : ['k']).map((key) => encode(writeGet, key))
    return this.request('read', packCommands(queries))
  }

  request(type: ClientRequest['type'], frame: Frame): number {
    this.driver.request({ request: ++this.#request, type, frame })
    this.driver.turn()
    return this.#request
  }

  /** What a read was told of its first key; `undefined` while it waits. */
  toldTo(request: number): string | undefined {
    const settlement = this.settled.find((each) => each.request === request)
    return settlement?.outcome === 'read' ? this.answersTo(request)[0] : settlement?.outcome
  }

  /** What a read was told of its keys, of as many as it was told. */
  answersTo(request: number): string[] {
    const settlement = this.settled.find((each) => each.request === request)
    if (settlement?.outcome !== 'read') throw new Error(`request ${request} was not read`)
    const { results: bytes, count } = settlement
    const told: string[] = []
    let last = 0
    forEachResult({ bytes, count }, (start, end) => {
      const answer = readGetAnswer(new Memory(bytes), start, end)
      told.push(answer.status === 'found' ? Buffer.from(answer.record.value).toString() : answer.status)
      last = end
    })
    if (last !== bytes.byteLength) throw new Error(`${bytes.byteLength - last} bytes are no answer`)
    return told
  }
}

/** The leader of term 1; node 2 answers when the test says so. */
export class QueriedLeader extends QueriedNode {
  constructor(options: LeaderOptions = {}) {
    super(options)
    elect(this, () => this.flushAll())
  }

  /** Node 2 answers the heartbeats that are on their way, and with that the reads that wait for them. */
  confirm(): void {
    this.acknowledge(this.driver.raft.state.log.lastIndex, this.round)
  }

  acknowledge(matchIndex: number, round?: number): void {
    this.receive(acknowledgement(matchIndex, round))
  }

  get round(): number {
    return this.driver.raft.state.leadership?.heartbeatRound ?? 0
  }
}
