import { describe, expect, test } from 'vitest'
import { Driver } from '../../src/driver/index.js'
import { createKv, encode, type StateMachine, writeGet, writePut } from '../../src/machine/index.js'
import {
  type EntryRun,
  type InstallSnapshot,
  type Message,
  packCommands,
  stampRun,
} from '../../src/raft/index.js'
import { type LogStore, MemoryDisk, openMemoryStore } from '../../src/storage/index.js'
import type { Settlement } from '../../src/transport/index.js'
import { DrivenNode, type DrivenNodeOptions, membership } from './driven-node.js'
import { meterOf } from './meter.js'

/** One chunk that holds a whole snapshot, or its first half. */
function chunkOf(from: number, index: number, data: Uint8Array, isWhole: boolean): InstallSnapshot {
  const length = isWhole ? data.byteLength : Math.floor(data.byteLength / 2)
  return {
    type: 'installSnapshot',
    from,
    to: 1,
    term: from,
    lastIncludedIndex: index,
    lastIncludedTerm: 1,
    membership,
    size: data.byteLength,
    offset: 0,
    length,
    data: data.slice(0, length),
    done: isWhole,
  }
}

function puts(index: number, count: number): EntryRun {
  const commands = Array.from({ length: count }, (_, at) => encode(writePut, 'k', `${index + at}`))
  return stampRun(packCommands(commands), index, 1, 1)
}

/** The snapshot of a machine that took `count` commands. */
function snapshotAfter(count: number): Uint8Array {
  const machine = createKv()
  machine.apply({ ...puts(1, count), timeMs: 0 }, undefined)
  const taken = machine.snapshot().next()
  if (taken.done === true) throw new Error('a snapshot has a piece')
  return taken.value
}

function entriesOf(run: EntryRun, leaderCommit: number): Message {
  const place = { prevLogIndex: run.index - 1, prevLogTerm: run.index === 1 ? 0 : 1 }
  const envelope = { type: 'appendEntries', mode: 'replication', from: 2, to: 1, term: 2 } as const
  return { ...envelope, ...place, entries: [run], leaderCommit }
}

describe('a snapshot that is received', () => {
  test('[OE6] is installed also when chunks of the next one come before it is written', () => {
    const follower = new DrivenNode()
    // A write is under way: what comes now waits for the next one.
    follower.receive(chunkOf(2, 10, snapshotAfter(10), false))
    follower.driver.receive(chunkOf(3, 10, snapshotAfter(10), true))
    follower.driver.receive(chunkOf(4, 20, snapshotAfter(20), false))
    follower.driver.turn()
    follower.flushAll()
    expect(follower.failures).toEqual([])
    expect(follower.driver.raft.state.log.lastApplied).toBe(10)
    // The next one is taken when it comes again.
    follower.receive(chunkOf(4, 20, snapshotAfter(20), true))
    follower.flushAll()
    expect(follower.driver.raft.state.log.lastApplied).toBe(20)
    expect(follower.failures).toEqual([])
  })

  test('[OE6] is acknowledged once it is flushed and not before', () => {
    const follower = new DrivenNode()
    follower.receive(chunkOf(2, 10, snapshotAfter(10), true))
    expect(follower.sent).toEqual([])
    follower.flushAll()
    expect(follower.sent).toMatchObject([
      { type: 'installSnapshotResponse', done: true, lastIncludedIndex: 10 },
    ])
    expect(follower.driver.raft.state.log.lastApplied).toBe(10)
  })
})

describe('a snapshot of our own', () => {
  test('[SH3] that cannot be made stops the node, though it fails in the store’s call and in no turn', () => {
    const machine = createKv()
    machine.snapshot = function* () {
      yield new Uint8Array(8)
      throw new Error('no more pieces')
    }
    const follower = new DrivenNode({ machine, logBytesMax: 100 })
    follower.receive(entriesOf(puts(1, 1), 1))
    follower.flushAll()
    expect(follower.failures).toMatchObject([{ message: 'no more pieces' }])
  })

  test('[SH3] whose write fails stops the node', () => {
    const wrap = (store: LogStore): LogStore => ({
      write: store.write.bind(store),
      writeSnapshotChunk: (_snapshot, _offset, _data, flushed) => flushed(new Error('no room')),
      compact: store.compact.bind(store),
      readEntries: store.readEntries.bind(store),
      readSnapshot: store.readSnapshot.bind(store),
      retainSnapshots: store.retainSnapshots.bind(store),
      close: () => store.close(),
    })
    const follower = new DrivenNode({ wrap, logBytesMax: 100 })
    follower.receive(entriesOf(puts(1, 1), 1))
    follower.flushAll()
    expect(follower.failures).toMatchObject([{ message: 'no room' }])
  })

  test('[SH1] is begun once the disk holds what was applied: a crash before leaves no snapshot ahead of its log', () => {
    const begun: number[] = []
    const disk = new MemoryDisk(membership)
    const wrap = (store: LogStore): LogStore => ({
      write: store.write.bind(store),
      writeSnapshotChunk: (snapshot, offset, data, flushed) => {
        begun.push(snapshot.index)
        store.writeSnapshotChunk(snapshot, offset, data, flushed)
      },
      compact: store.compact.bind(store),
      readEntries: store.readEntries.bind(store),
      readSnapshot: store.readSnapshot.bind(store),
      retainSnapshots: store.retainSnapshots.bind(store),
      close: () => store.close(),
    })
    const follower = new DrivenNode({ disk, wrap, logBytesMax: 100 })
    const { log } = follower.driver.raft.state
    // Its disk is slow: the others commit, and it applies, before its own write has ended.
    follower.receive(entriesOf(puts(1, 5), 5))
    follower.driver.turn()
    expect(log).toMatchObject({ lastApplied: 5, flushedIndex: 0 })
    expect(begun).toEqual([])
    follower.flushAll()
    expect(begun).toEqual([5])
    expect(log.snapshot?.index).toBe(5)
    expect(follower.failures).toEqual([])
  })

  test('[SP3] that its machine cannot give up does not hide why the node stops', () => {
    const machine = createKv()
    const snapshot = machine.snapshot.bind(machine)
    machine.snapshot = () => {
      const pieces = snapshot()
      const giveUp = (): never => {
        throw new Error('a bug of the machine')
      }
      return { next: () => pieces.next(), return: giveUp }
    }
    const follower = new DrivenNode({ machine, logBytesMax: 100 })
    follower.receive(entriesOf(puts(1, 5), 5))
    // The log is flushed, and the first piece of the snapshot is under way, when another leader of the term speaks.
    follower.flushes.shift()?.()
    follower.receive({ ...entriesOf(puts(6, 1), 5), from: 3 })
    expect(follower.failures).toMatchObject([{ message: expect.stringContaining('one leader a term') }])
  })

  test('[SH2] is given up for a newer one of the leader', () => {
    const follower = new DrivenNode({ logBytesMax: 100 })
    follower.receive(entriesOf(puts(1, 1), 1))
    // Its log is flushed; the first piece of its own snapshot is under way.
    follower.flushes.shift()?.()
    expect(follower.flushes.length).toBe(1)
    follower.receive(chunkOf(2, 10, snapshotAfter(10), true))
    follower.flushAll()
    expect(follower.failures).toEqual([])
    expect(follower.driver.raft.state.log.snapshot?.index).toBe(10)
  })
})

describe('a snapshot that is asked for', () => {
  /** A follower that has applied five entries, and those whom it told of snapshots. */
  function asked(options: DrivenNodeOptions = {}) {
    const told: (number | undefined)[] = []
    const follower = new DrivenNode({ trailingBytes: 1 << 20, ...options })
    follower.receive(entriesOf(puts(1, 5), 5))
    const ask = (): void => follower.driver.takeSnapshot((snapshot) => void told.push(snapshot?.index))
    return { told, follower, ask, log: follower.driver.raft.state.log }
  }

  test('[SH6] is taken though none is due, and told of once it is on the disk and the log is cut', () => {
    const { told, follower, ask, log } = asked()
    ask()
    // Its own disk does not hold the entries yet.
    expect([log.lastApplied, log.flushedIndex, told]).toEqual([5, 0, []])
    follower.flushes.shift()?.()
    expect([log.flushedIndex, log.snapshot, told]).toEqual([5, undefined, []])
    follower.flushAll()
    expect([log.snapshot?.index, log.firstIndex, told]).toEqual([5, 6, [5]])
    // Nothing is new, so that the same one is the answer.
    ask()
    expect([told, follower.flushes.length]).toEqual([[5, 5], 0])
  })

  test('[SH6] is taken of a machine whose state has no bytes, and read again after a restart', () => {
    const disk = new MemoryDisk(membership)
    const stateless = { snapshot: () => [].values(), restore: () => undefined }
    const machine: StateMachine = Object.assign(createKv(), stateless)
    const { told, follower, ask } = asked({ disk, machine })
    ask()
    follower.flushAll()
    expect([told, follower.failures]).toEqual([[5], []])
    follower.driver.stop()
    const again = new DrivenNode({ disk, machine })
    expect(again.driver.raft.state.log).toMatchObject({ lastApplied: 5, snapshot: { index: 5, size: 0 } })
  })

  test('[SH6] beside one that is being taken is the next one', () => {
    const { told, follower, ask, log } = asked()
    follower.flushes.shift()?.()
    ask()
    // A piece of the first one is on its way to the disk.
    follower.receive(entriesOf(puts(6, 1), 6))
    ask()
    follower.flushAll()
    follower.driver.turn()
    follower.flushAll()
    expect([log.snapshot?.index, told]).toEqual([6, [5, 6]])
    expect(follower.failures).toEqual([])
  })

  test('[SH6] is answered by a newer one of the leader', () => {
    const { told, follower, ask } = asked()
    follower.flushes.shift()?.()
    ask()
    follower.receive(chunkOf(2, 10, snapshotAfter(10), true))
    follower.flushAll()
    expect(told).toEqual([10])
    expect(follower.failures).toEqual([])
  })

  test('[SH7] by a caller of a node that stops is told as none', () => {
    const { told, follower, ask } = asked()
    ask()
    follower.driver.stop()
    ask()
    expect(told).toEqual([undefined, undefined])
  })
})

test('[RQ3] a read waits until its index is applied, however long the backlog is', () => {
  const deferred: (() => void)[] = []
  const settled: Settlement[] = []
  const flushes: (() => void)[] = []
  const disk = new MemoryDisk({ ...membership, voters: [1] })
  const start = (): Driver => {
    const { store, recovered } = openMemoryStore(disk, { defer: (flush) => void flushes.push(flush) })
    return new Driver({
      raft: { id: 1, membership: recovered.membership, seed: 1, recovered },
      bounds: { logBytesMax: 1 << 30, trailingBytes: 0 },
      resultBytesMax: 1 << 20,
      store,
      machine: createKv(),
      links: { send: () => undefined },
      clock: { now: () => 0, steady: () => 0, defer: (callback) => void deferred.push(callback) },
      tickMs: 25,
      reads: 'readIndex',
      settle: (settlements) => void settled.push(...settlements.settled),
      probe: meterOf({
        failed: (error) => {
          throw error
        },
      }),
    })
  }
  const flushAll = (): void => {
    for (let flush = flushes.shift(); flush !== undefined; flush = flushes.shift()) flush()
  }
  const lead = (driver: Driver): void => {
    const { limits, currentTerm } = driver.raft.state
    if (currentTerm > 0) for (let tick = 0; tick < limits.electionTimeoutTicks; tick++) driver.tick()
    driver.raft.step({ type: 'campaign' })
    driver.turn()
    flushAll()
  }
  const value = 'v'.repeat(200_000)
  const first = start()
  lead(first)
  for (let request = 1; request <= 12; request++) {
    first.request({ request, type: 'propose', frame: packCommands([encode(writePut, 'k', value)]) })
  }
  first.turn()
  flushAll()
  first.stop()
  disk.crash(0)
  settled.length = 0
  deferred.length = 0
  // After the restart nothing is applied; to lead is to know that all of it is committed.
  const second = start()
  lead(second)
  second.request({ request: 20, type: 'read', frame: packCommands([encode(writeGet, 'k')]) })
  second.turn()
  expect(second.raft.state.log.lastApplied).toBeLessThan(second.raft.state.log.commitIndex)
  expect(settled).toEqual([])
  while (deferred.length > 0) deferred.shift()?.()
  expect(settled).toMatchObject([{ request: 20, outcome: 'read' }])
})
