import { expect, test } from 'vitest'
import { Driver } from '../../src/driver/index.js'
import {
  createKv,
  encode,
  type ResultBuilder,
  type ResultWriter,
  type StateMachine,
  writeGet,
  writePut,
} from '../../src/machine/index.js'
import {
  entryKinds,
  type Message,
  type Persist,
  packCommands,
  type RaftLimits,
  stampRun,
} from '../../src/raft/index.js'
import type { LogStore } from '../../src/storage/index.js'
import type { Settlement } from '../../src/transport/index.js'
import { meterOf } from './meter.js'
import { acknowledgement, elect } from './node-two.js'

interface Write {
  readonly persist: Persist
  readonly end: (error?: Error) => void
}

/** A node whose disk, links, clients and time do only what the test says. */
class Surroundings {
  readonly sent: Message[] = []
  readonly writes: Write[] = []
  readonly settled: Settlement[] = []
  /** How many messages told the clients of them. */
  settlementMessages = 0
  readonly failures: unknown[] = []
  readonly deferred: (() => void)[] = []
  readonly driver: Driver
  /** How every write ends before it returns; `undefined`: when the test says so. */
  quickEnd: (() => Error | undefined) | undefined

  constructor(options: { voters?: number[]; machine?: StateMachine; limits?: Partial<RaftLimits> } = {}) {
    const { voters = [1, 2, 3], machine = createKv(), limits = {} } = options
    const store: LogStore = {
      write: (persist, flushed) => {
        if (this.quickEnd === undefined) this.writes.push({ persist, end: flushed })
        else flushed(this.quickEnd())
      },
      writeSnapshotChunk: () => undefined,
      compact: () => undefined,
      readEntries: () => undefined,
      readSnapshot: () => undefined,
      retainSnapshots: () => undefined,
      close: () => Promise.resolve(),
    }
    this.driver = new Driver({
      raft: { id: 1, membership: { voters, votersOutgoing: [], learners: [] }, seed: 1, limits },
      bounds: { logBytesMax: 1 << 30, trailingBytes: 0 },
      resultBytesMax: 1 << 20,
      store,
      machine,
      links: { send: (message) => void this.sent.push(message) },
      clock: { now: () => 0, steady: () => 0, defer: (callback) => void this.deferred.push(callback) },
      tickMs: 25,
      reads: 'readIndex',
      settle: ({ settled }) => {
        this.settlementMessages++
        this.settled.push(...settled)
      },
      probe: meterOf({ failed: (error) => void this.failures.push(error) }),
    })
  }

  receive(message: Message): void {
    this.driver.receive(message)
    this.driver.turn()
  }

  propose(request: number, ...values: readonly string[]): void {
    const frame = packCommands(values.map((value) => encode(writePut, 'k', value)))
    this.driver.request({ request, type: 'propose', frame })
  }

  /** Ends the oldest write. */
  flush(error?: Error): void {
    this.writes.shift()?.end(error)
  }

  take(): Message[] {
    return this.sent.splice(0)
  }

  lead(): void {
    elect(this, () => this.flush())
    this.take()
  }

  /** Node 2 holds everything up to here. */
  acknowledge(matchIndex: number, round?: number): void {
    this.receive(acknowledgement(matchIndex, round))
  }
}

const types = (messages: readonly Message[]) => messages.map(({ type }) => type)

test('[OE2] a vote leaves only when it is on the disk', () => {
  const node = new Surroundings()
  node.receive({ type: 'requestVote', from: 2, to: 1, term: 1, lastLogIndex: 0, lastLogTerm: 0 })
  expect(node.take()).toEqual([])
  expect(node.writes[0]?.persist.hardState).toEqual({ currentTerm: 1, votedFor: 2 })
  node.flush()
  expect(node.take()).toMatchObject([{ type: 'requestVoteResponse', voteGranted: true }])
})

test('[OE2] a candidate asks for votes only when its own is on the disk', () => {
  const node = new Surroundings()
  node.driver.raft.step({ type: 'campaign' })
  node.driver.turn()
  expect(types(node.take())).toEqual(['preVote', 'preVote'])
  const { campaign } = node.driver.raft.state
  node.receive({ type: 'preVoteResponse', from: 2, to: 1, term: 0, campaign, voteGranted: true })
  expect(node.take()).toEqual([])
  node.flush()
  expect(types(node.take())).toEqual(['requestVote', 'requestVote'])
})

test('[OE1][WR1] a leader sends while its own disk still writes, and what came meanwhile is the next batch', () => {
  const node = new Surroundings()
  node.lead()
  node.propose(1, 'one')
  node.driver.turn()
  expect(types(node.take())).toContain('appendEntries')
  expect(node.writes.length).toBe(1)
  node.propose(2, 'two')
  node.driver.turn()
  node.propose(3, 'three')
  node.driver.turn()
  expect(node.writes.length).toBe(1)
  node.flush()
  expect(node.writes.map(({ persist }) => persist.entries.map(({ index }) => index))).toEqual([[3, 4]])
})

test('[OE4] a command is answered once a majority has it on disk, be the own disk among them or not', () => {
  const node = new Surroundings()
  node.lead()
  node.propose(1, 'one')
  node.driver.turn()
  node.acknowledge(2)
  expect(node.settled).toEqual([])
  node.receive({
    type: 'appendEntriesResponse',
    mode: 'replication',
    from: 3,
    to: 1,
    term: 1,
    success: true,
    matchIndex: 2,
    prevLogIndex: 1,
    conflictIndex: 0,
    conflictTerm: 0,
  })
  expect(node.settled).toEqual([{ request: 1, outcome: 'applied', index: 2, count: 1 }])
})

test('[WR2] what only waited for a write leaves after it, and is no write of its own', () => {
  const node = new Surroundings()
  const request = { type: 'requestVote', from: 2, to: 1, term: 1, lastLogIndex: 0, lastLogTerm: 0 } as const
  node.receive(request)
  node.receive(request)
  expect(node.writes.length).toBe(1)
  node.flush()
  expect(types(node.take())).toEqual(['requestVoteResponse', 'requestVoteResponse'])
  expect(node.writes).toEqual([])
})

test('[SP4] a node that was stopped sends, writes and answers nothing, also when its last write ends', () => {
  const node = new Surroundings()
  node.lead()
  node.propose(1, 'one')
  node.driver.turn()
  node.take()
  node.driver.stop()
  node.flush()
  node.propose(2, 'two')
  node.driver.tick()
  node.acknowledge(2)
  node.driver.turn()
  expect([node.sent, node.writes, node.settled, node.failures]).toEqual([[], [], [], []])
})

test('[SP1][DU2] a failed flush stops the node: nothing is sent, written or answered any more', () => {
  const node = new Surroundings()
  node.lead()
  node.propose(1, 'one')
  node.driver.turn()
  node.take()
  node.flush(new Error('the disk broke'))
  expect(node.failures).toMatchObject([{ message: 'the disk broke' }])
  node.propose(2, 'two')
  node.driver.tick()
  node.acknowledge(2)
  node.driver.turn()
  expect([node.sent, node.writes, node.settled]).toEqual([[], [], []])
})

test('[OE3] on a quick disk the acknowledgement leaves before anything is applied', () => {
  const order: string[] = []
  const machine: StateMachine = { ...createKv(), apply: () => void order.push('apply') }
  const node = new Surroundings({ machine })
  node.quickEnd = () => undefined
  node.sent.push = (...messages) => order.push(...types(messages))
  const runs = [1, 2].map((index) =>
    stampRun(packCommands([encode(writePut, 'k', 'v')]), index, 1, entryKinds.commands),
  )
  const message = {
    type: 'appendEntries',
    mode: 'replication',
    from: 2,
    to: 1,
    term: 1,
    prevLogTerm: 1,
  } as const
  node.receive({ ...message, prevLogIndex: 0, prevLogTerm: 0, entries: runs.slice(0, 1), leaderCommit: 0 })
  node.receive({ ...message, prevLogIndex: 1, entries: runs.slice(1), leaderCommit: 1 })
  expect(order).toEqual(['appendEntriesResponse', 'appendEntriesResponse', 'apply'])
})

test('[OE3][OE5] what a quick disk flushes is committed, applied and answered in the turn that wrote it, in one message', () => {
  const node = new Surroundings({ voters: [1] })
  node.lead()
  node.quickEnd = () => undefined
  node.driver.turn()
  const before = node.settlementMessages
  node.propose(1, 'one')
  node.propose(2, 'two')
  node.driver.turn()
  expect(node.settled).toMatchObject([
    { request: 1, outcome: 'applied' },
    { request: 2, outcome: 'applied' },
  ])
  expect(node.settlementMessages - before).toBe(1)
})

test('[SP1][DU2] a quick disk that fails stops the node within the turn: nothing of it is applied or answered', () => {
  const node = new Surroundings()
  node.lead()
  node.propose(1, 'one')
  node.driver.turn()
  node.flush()
  node.driver.receive({
    ...{ type: 'appendEntriesResponse', from: 2, to: 1, term: 1, success: true, matchIndex: 2 },
    ...{ mode: 'replication', prevLogIndex: 1, conflictIndex: 0, conflictTerm: 0 },
  })
  node.propose(2, 'two')
  node.quickEnd = () => new Error('the disk broke')
  node.driver.turn()
  expect(node.failures).toMatchObject([{ message: 'the disk broke' }])
  expect(node.settled).toEqual([])
})

test.each([
  [
    'throws',
    () => {
      throw new Error('poison')
    },
    'poison',
  ],
  ['answers too little', () => undefined, 'it gave 0 for 1'],
  [
    'answers too much',
    (_: unknown, results: ResultBuilder | undefined) => {
      results?.append(new Uint8Array(1))
      results?.append(new Uint8Array(1))
    },
    'it gave 2 for 1',
  ],
] as const)('[SP2] a machine that %s stops its node', (_, apply, message) => {
  const machine = { ...createKv(), apply } as unknown as StateMachine
  const node = new Surroundings({ machine })
  node.lead()
  node.propose(1, 'one')
  node.driver.turn()
  node.flush()
  node.acknowledge(2)
  expect(node.failures).toMatchObject([{ message: expect.stringContaining(message) }])
  expect(node.settled).toEqual([])
})

test('[RQ2] a request that is refused on arrival has changed nothing', () => {
  const node = new Surroundings()
  const frame = packCommands([encode(writePut, 'k', 'v')])
  const bytes = frame.bytes.slice()
  node.driver.request({ request: 1, type: 'propose', frame })
  node.driver.turn()
  expect(node.settled).toEqual([{ request: 1, outcome: 'refused', code: 'notLeader', leaderId: undefined }])
  expect(frame.bytes).toEqual(bytes)
})

test('[RQ3] a read waits for a round of heartbeats that began after it, and for its index to be applied', () => {
  const node = new Surroundings()
  node.lead()
  const frame = packCommands([encode(writeGet, 'k')])
  node.driver.request({ request: 1, type: 'read', frame })
  node.driver.turn()
  const [heartbeat] = node
    .take()
    .filter((message) => message.type === 'appendEntries' && message.mode === 'heartbeat')
  const round = heartbeat?.round ?? 0
  expect(round).toBeGreaterThan(0)
  node.acknowledge(1, round - 1)
  expect(node.settled).toEqual([])
  node.acknowledge(1, round)
  expect(node.settled).toMatchObject([{ request: 1, outcome: 'read' }])
})

test.each([
  ['nothing', 0],
  ['twice', 2],
])('[RQ7] a query that a machine answers %s is refused, and the node goes on', (_, times) => {
  const read = (_: unknown, results: ResultWriter) => {
    for (let n = 0; n < times; n++) results.append(new Uint8Array(1))
  }
  const node = new Surroundings({ voters: [1], machine: { ...createKv(), read } as StateMachine })
  node.lead()
  node.flush()
  node.driver.request({ request: 1, type: 'read', frame: packCommands([encode(writeGet, 'k')]) })
  node.driver.turn()
  const refused = [{ position: 0, why: `the machine owes a result for each query: it gave ${times} for 1` }]
  expect(node.settled).toMatchObject([{ request: 1, outcome: 'read', count: 1, refused }])
  expect(node.failures).toEqual([])
})

test('[TN2][TN4] a long backlog is applied in slices, and the ports are looked at in between', () => {
  const node = new Surroundings({ limits: { uncommittedBytesMax: 1 << 30 } })
  node.lead()
  const value = 'v'.repeat(200_000)
  for (let request = 1; request <= 12; request++) node.propose(request, value)
  node.driver.turn()
  node.flush()
  node.acknowledge(13)
  expect(node.settled.length).toBeGreaterThan(0)
  expect(node.settled.length).toBeLessThan(12)
  expect(node.deferred.length).toBe(1)
  while (node.deferred.length > 0) node.deferred.shift()?.()
  expect(node.settled.map(({ request }) => request)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1))
})

test('[RQ1] each request is settled exactly once, also when the node loses its lead', () => {
  const node = new Surroundings()
  node.lead()
  node.propose(1, 'one')
  node.propose(2, 'two')
  node.driver.turn()
  node.flush()
  // A leader of term 2 that has only the first of both, and commits an entry of its own behind it.
  const theirs = packCommands([encode(writePut, 'k', 'theirs')])
  const [kept] = node.driver.raft.state.log.slice(2, 2, 1)
  const run = { index: 3, term: 2, count: 1, kind: 1 as const, bytes: theirs.bytes }
  new DataView(theirs.bytes.buffer).setFloat64(8, 3, true)
  new DataView(theirs.bytes.buffer).setFloat64(16, 2, true)
  node.receive({
    type: 'appendEntries',
    mode: 'replication',
    from: 3,
    to: 1,
    term: 2,
    prevLogIndex: 1,
    prevLogTerm: 1,
    entries: kept === undefined ? [] : [kept, run],
    leaderCommit: 3,
  })
  expect(node.settled.map(({ request, outcome }) => [request, outcome])).toEqual([
    [1, 'applied'],
    [2, 'refused'],
  ])
  node.flush()
  node.driver.turn()
  expect(node.settled.length).toBe(2)
})
