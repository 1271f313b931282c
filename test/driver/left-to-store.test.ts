/** What the log has left to the store is read there when it is needed. */
import { describe, expect, test } from 'vitest'
import { encode, writePut } from '../../src/machine/index.js'
import {
  type AppendEntries,
  type EntryRun,
  entriesIn,
  type LogRun,
  lastIndexOf,
  type Message,
  packCommands,
  stampRun,
} from '../../src/raft/index.js'
import { type LogStore, MemoryDisk } from '../../src/storage/index.js'
import { DrivenNode, membership } from './driven-node.js'
import { ReplicatingLeader } from './replicating-leader.js'

/** A store whose entries are read otherwise. */
function readingBy(
  read: (run: LogRun, store: LogStore) => EntryRun | undefined,
): (store: LogStore) => LogStore {
  return (store) => ({
    write: store.write.bind(store),
    writeSnapshotChunk: store.writeSnapshotChunk.bind(store),
    compact: store.compact.bind(store),
    readEntries: (run) => read(run, store),
    readSnapshot: store.readSnapshot.bind(store),
    retainSnapshots: store.retainSnapshots.bind(store),
    close: store.close.bind(store),
  })
}

/** Leads, has the bytes of no entry in memory, and has just heard of node 3, whose log is empty. */
function leaderBehindItsMemory(
  read: Parameters<typeof readingBy>[0] = (run, store) => store.readEntries(run),
): ReplicatingLeader {
  let hasWritten = false
  // The leader itself reads what it applies.
  const wrap = readingBy((run, store) => (hasWritten ? read(run, store) : store.readEntries(run)))
  const leader = new ReplicatingLeader({ limits: { logMemoryBytesMax: 1 }, wrap })
  leader.write(5000)
  hasWritten = true
  expect(leader.log.slice(1, leader.log.lastIndex, 1 << 20).every(({ bytes }) => bytes === undefined)).toBe(
    true,
  )
  leader.sentToThree.length = 0
  leader.hearOfEmptyFollower()
  return leader
}

function isEntries(message: Message): message is AppendEntries {
  return message.type === 'appendEntries' && entriesIn(message).length > 0
}

describe('a follower that is behind what is in memory', () => {
  test('[OE7] is sent all of it, with the bytes that were stored', () => {
    const disk = new MemoryDisk(membership)
    const leader = leaderBehindItsMemory()
    const { lastIndex } = leader.log
    const follower = new DrivenNode({ disk })
    for (const message of leader.sentToThree.filter(isEntries))
      follower.receive({ ...message, from: 2, to: 1 })
    follower.flushAll()
    expect(follower.failures).toEqual([])
    expect(follower.driver.raft.state.log.last).toEqual(leader.log.last)
    const entries = follower.driver.raft.state.log.slice(2, lastIndex, 1 << 20)
    expect(entries.length).toBeGreaterThan(10)
    for (const run of entries)
      expect(run.bytes?.subarray(32)).toEqual(packCommands([new Uint8Array(80)]).bytes.subarray(32))
  })

  test('[OE7] is sent nothing of what the store has just cut off', () => {
    const isCutOff = ({ index }: LogRun) => index <= 5
    const leader = leaderBehindItsMemory((run, store) => (isCutOff(run) ? undefined : store.readEntries(run)))
    expect(leader.sentToThree.filter(isEntries)).toEqual([])
    expect(leader.failures).toEqual([])
  })

  test('[SP2] makes the node stop that finds them damaged', () => {
    const leader = leaderBehindItsMemory(() => {
      throw new Error('the record of entry 1 is damaged')
    })
    expect(leader.failures).toMatchObject([{ message: 'the record of entry 1 is damaged' }])
  })
})

test('a node that starts applies what is in its store, as it was', () => {
  const disk = new MemoryDisk(membership)
  const commands = Array.from({ length: 40 }, (_, at) => encode(writePut, `key-${at % 7}`, `${at}`))
  const entries = [0, 10, 20, 30].map((at) =>
    stampRun(packCommands(commands.slice(at, at + 10)), at + 1, 1, 1),
  )
  const place = { mode: 'replication', from: 2, to: 1, term: 1, prevLogIndex: 0, prevLogTerm: 0 } as const
  const before = new DrivenNode({ disk })
  before.receive({ type: 'appendEntries', ...place, entries, leaderCommit: 40 })
  before.flushAll()
  expect(before.driver.raft.state.log.lastApplied).toBe(40)

  const after = new DrivenNode({ disk })
  const { log } = after.driver.raft.state
  expect(log.slice(1, 40, 1 << 20).map(lastIndexOf)).toEqual([10, 20, 30, 40])
  expect(log.lastApplied).toBe(0)
  for (const leaderCommit of [13, 35, 40]) {
    after.receive({
      type: 'appendEntries',
      ...place,
      prevLogIndex: 40,
      prevLogTerm: 1,
      entries: [],
      leaderCommit,
    })
    expect(log.lastApplied).toBe(leaderCommit)
  }
  expect(after.machine.hash()).toBe(before.machine.hash())
  expect(after.failures).toEqual([])
})
