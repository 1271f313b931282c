import { expect, test } from 'vitest'
import {
  createKv,
  encode,
  Memory,
  readGetAnswer,
  type StateMachine,
  writeGet,
  writePut,
} from '../../src/machine/index.js'
import { commandHeaderBytes, type Frame, packCommands } from '../../src/raft/index.js'
import { DrivenNode } from './driven-node.js'

/** Tells how often each query was read. */
class CountingMachine implements StateMachine {
  readonly #kv = createKv()
  readonly frames: Frame[] = []

  readonly apply: StateMachine['apply'] = (run, results) => this.#kv.apply(run, results)
  readonly snapshot = (): Iterator<Uint8Array> => this.#kv.snapshot()
  readonly restore: StateMachine['restore'] = (pieces) => this.#kv.restore(pieces)
  readonly hash = (): string => this.#kv.hash()
  readonly read: StateMachine['read'] = (queries, results) => {
    this.frames.push(queries)
    this.#kv.read(queries, results)
  }
}

/** The leader of term 1; node 2 answers when the test says so. */
class Leader extends DrivenNode {
  override readonly machine: CountingMachine
  #request = 0

  constructor() {
    const machine = new CountingMachine()
    super({ machine })
    this.machine = machine
    this.driver.raft.step({ type: 'campaign' })
    this.driver.turn()
    this.receive({ type: 'preVoteResponse', from: 2, to: 1, term: 0, nextTerm: 1, voteGranted: true })
    this.flushAll()
    this.receive({ type: 'requestVoteResponse', from: 2, to: 1, term: 1, voteGranted: true })
    this.flushAll()
    this.acknowledge(1)
  }

  put(value: string): void {
    this.driver.request({
      request: ++this.#request,
      type: 'propose',
      frame: packCommands([encode(writePut, 'k', value)]),
    })
    this.driver.turn()
  }

  /** Asks for the key, and gives the number of the request. */
  get(): number {
    const frame = packCommands([encode(writeGet, 'k')])
    this.driver.request({ request: ++this.#request, type: 'read', frame })
    this.driver.turn()
    return this.#request
  }

  acknowledge(matchIndex: number, round = 0): void {
    const answer = { success: true, conflictIndex: 0, conflictTerm: 0, prevLogIndex: 0 } as const
    this.receive({ type: 'appendEntriesResponse', from: 2, to: 1, term: 1, matchIndex, round, ...answer })
  }

  get round(): number {
    return this.driver.raft.state.heartbeatRound
  }

  /** What a read was told; `undefined` while it waits. */
  toldTo(request: number): string | undefined {
    const settlement = this.settled.find((each) => each.request === request)
    if (settlement?.outcome !== 'read') return settlement?.outcome
    const answer = readGetAnswer(new Memory(settlement.results), commandHeaderBytes)
    return answer.status === 'found' ? Buffer.from(answer.record.value).toString() : answer.status
  }
}

test('queries are read while the followers are asked, once, and told when they have answered', () => {
  const node = new Leader()
  const read = node.get()
  expect(node.machine.frames.length).toBe(1)
  expect(node.toldTo(read)).toBeUndefined()
  node.acknowledge(1, node.round)
  expect(node.toldTo(read)).toBe('notFound')
  expect(node.machine.frames.length).toBe(1)
})

test('what was read before a write was committed is not told to a read that has to see the write', () => {
  const node = new Leader()
  // The first read's round is on its way: the second one waits for the next, and is read meanwhile.
  const first = node.get()
  const second = node.get()
  const { round } = node
  expect(node.machine.frames.length).toBe(2)
  node.put('new')
  node.flushAll()
  // Committed before the second read's round begins.
  node.acknowledge(2)
  node.acknowledge(2, round)
  node.acknowledge(2, round + 1)
  expect(node.toldTo(first)).toBe('notFound')
  expect(node.toldTo(second)).toBe('new')
})

test('while something is being written, nothing is read ahead', () => {
  const node = new Leader()
  node.put('new')
  const read = node.get()
  expect(node.machine.frames.length).toBe(0)
  node.flushAll()
  node.acknowledge(2, node.round)
  expect(node.toldTo(read)).toBe('new')
})

test('a leader that steps down tells nothing of what it read', () => {
  const node = new Leader()
  const read = node.get()
  expect(node.machine.frames.length).toBe(1)
  const heartbeat = { type: 'appendEntries', from: 3, to: 1, term: 2, entries: [] } as const
  node.receive({ ...heartbeat, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, round: 1 })
  expect(node.toldTo(read)).toBe('refused')
})

test('only so many requests are read ahead', () => {
  const node = new Leader()
  const reads = Array.from({ length: 40 }, () => node.get())
  expect(node.machine.frames.length).toBe(8)
  for (const _ of reads) node.acknowledge(1, node.round)
  expect(reads.map((read) => node.toldTo(read))).toEqual(reads.map(() => 'notFound'))
  expect(node.machine.frames.length).toBe(40)
})

test('only so many bytes are read ahead', () => {
  const node = new Leader()
  node.put('v'.repeat(200_000))
  node.flushAll()
  node.acknowledge(2)
  for (let count = 0; count < 8; count++) node.get()
  // The sixth of them passes a mebibyte.
  expect(node.machine.frames.length).toBe(6)
})
