import { expect, test } from 'vitest'
import { encode, writePut } from '../../src/machine/index.js'
import { emptyRun, entryKinds, type Persist, packCommands } from '../../src/raft/index.js'
import type { LogStore } from '../../src/storage/index.js'
import { DrivenNode } from './driven-node.js'
import { acknowledgement, elect } from './node-two.js'

/** The writes that a store has finished. */
class SeenStore {
  readonly flushed: Persist[] = []

  readonly wrap = (store: LogStore): LogStore => ({
    write: (persist, flushed) =>
      store.write(persist, (error) => {
        if (error === undefined) this.flushed.push(persist)
        flushed(error)
      }),
    writeSnapshotChunk: store.writeSnapshotChunk.bind(store),
    compact: store.compact.bind(store),
    readEntries: store.readEntries.bind(store),
    readSnapshot: store.readSnapshot.bind(store),
    retainSnapshots: store.retainSnapshots.bind(store),
    close: () => store.close(),
  })
}

test('[CO1] the counters of a scripted run are what the store saw, what the links carried, and what the node told', () => {
  const store = new SeenStore()
  const node = new DrivenNode({ wrap: store.wrap })
  let received = 0
  const one = {
    driver: node.driver,
    receive: (message: Parameters<typeof node.receive>[0]) => {
      received++
      node.receive(message)
    },
  }
  elect(one, () => node.flushAll())
  for (let write = 1; write <= 5; write++) {
    const frame = packCommands([encode(writePut, 'k', `${write}`), encode(writePut, 'l', `${write}`)])
    node.driver.request({ request: write, type: 'propose', frame })
    node.driver.turn()
    node.flushAll()
    one.receive(acknowledgement(node.driver.raft.state.log.lastIndex))
  }
  const runs = store.flushed.flatMap(({ entries }) => entries)
  const commands = runs.filter(({ kind }) => kind === entryKinds.commands)
  expect(node.failures).toEqual([])
  expect(node.counters.read()).toMatchObject({
    flushes: store.flushed.length,
    bytesFlushed: runs.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
    messagesSent: node.sent.length,
    messagesReceived: received,
    commandsApplied: commands.reduce((sum, { count }) => sum + count, 0),
    elections: node.events.filter((event) => event.type === 'role' && event.role === 'candidate').length,
  })
  // A run in which nothing happens would count nothing.
  expect(store.flushed.length).toBeGreaterThan(5)
  expect(node.counters.read()).toMatchObject({ elections: 1, commandsApplied: 10 })
})

test('[CO1] each election counts once, also one that is lost', () => {
  const node = new DrivenNode()
  const refuse = (term: number): void => {
    for (const from of [2, 3]) {
      const answer = { type: 'requestVoteResponse', to: 1, term, electionTerm: term } as const
      node.receive({ ...answer, from, voteGranted: false })
    }
  }
  for (let term = 1; term <= 3; term++) {
    node.driver.raft.step({ type: 'campaign' })
    const { campaign } = node.driver.raft.state
    const answer = { type: 'preVoteResponse', from: 2, to: 1, term: term - 1, campaign } as const
    node.receive({ ...answer, voteGranted: true })
    node.flushAll()
    refuse(term)
    expect(node.driver.raft.state).toMatchObject({ role: 'follower', currentTerm: term })
    expect(node.counters.get('elections')).toBe(term)
  }
  // A campaign that wins no pre-vote is no election.
  node.driver.raft.step({ type: 'campaign' })
  node.driver.turn()
  expect(node.counters.get('elections')).toBe(3)
})

test('[CO4] a leader that is heard again after its follower knew of none counts again, and a heartbeat does not', () => {
  const node = new DrivenNode()
  const hears = (from: number, term: number): void => {
    const place = { prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 }
    node.receive({ type: 'appendEntries', mode: 'heartbeat', round: 1, from, to: 1, term, ...place })
    node.flushAll()
  }
  const waitsInVain = (): void => {
    while (node.driver.raft.state.role === 'follower') {
      node.driver.tick()
      node.driver.turn()
    }
  }
  const changes: number[] = []
  for (const happens of [
    () => hears(2, 1),
    () => hears(2, 1),
    waitsInVain,
    () => hears(2, 1),
    () => hears(3, 2),
  ]) {
    happens()
    node.driver.turn()
    changes.push(node.counters.get('leaderChanges'))
  }
  expect(changes).toEqual([1, 1, 1, 2, 3])
})

test('[CO5] commands that are refused, and those whose entries are replaced, count as failed', () => {
  const node = new DrivenNode()
  const frame = packCommands([encode(writePut, 'k', '1'), encode(writePut, 'l', '1')])
  const asks = (request: number): void => {
    node.driver.request({ request, type: 'propose', frame })
    node.driver.turn()
    node.flushAll()
  }
  asks(1)
  expect(node.counters.get('proposalsFailed'), 'no leader').toBe(2)
  elect(node, () => node.flushAll())
  asks(2)
  node.receive(acknowledgement(node.driver.raft.state.log.lastIndex))
  expect(node.counters.get('proposalsFailed'), 'applied').toBe(2)
  asks(3)
  expect(node.counters.get('proposalsFailed'), 'nobody acknowledged them yet').toBe(2)
  const envelope = { type: 'appendEntries', mode: 'replication', from: 3, to: 1, term: 2 } as const
  const place = { prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 4 }
  node.receive({ ...envelope, ...place, entries: [emptyRun(4, 2)] })
  node.flushAll()
  expect(node.counters.get('proposalsFailed'), 'replaced').toBe(4)
})

test('[CO6] a caller that has its answer finds its command in the counters', () => {
  const found: unknown[] = []
  const node = new DrivenNode({
    answering: ({ settled: [settlement] }) => {
      if (settlement?.outcome !== 'applied') return
      const { lastIndex, flushedIndex, commitIndex, lastApplied } = node.counters.read()
      const { index } = settlement
      found.push([lastIndex, flushedIndex, commitIndex, lastApplied].map((reached) => reached >= index))
    },
  })
  elect(node, () => node.flushAll())
  for (let request = 1; request <= 2; request++) {
    node.driver.request({ request, type: 'propose', frame: packCommands([encode(writePut, 'k', 'v')]) })
    node.driver.turn()
    node.flushAll()
    node.receive(acknowledgement(node.driver.raft.state.log.lastIndex))
  }
  expect(node.failures).toEqual([])
  expect(found).toEqual([
    [true, true, true, true],
    [true, true, true, true],
  ])
})
