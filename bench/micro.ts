/** The small parts, each by itself: what a frame, a step, an applied run and a flushed write cost here. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { Bench } from 'tinybench'
import { createKv, writePut } from '../src/machine/index.js'
import {
  type EntryRun,
  entryKinds,
  type Frame,
  FrameBuilder,
  forEachCommand,
  type Membership,
  Raft,
  stampRun,
} from '../src/raft/index.js'
import { openLmdbStore } from '../src/storage/index.js'

const membership: Membership = { voters: [1], votersOutgoing: [], learners: [] }
const value = 'v'.repeat(112)
const keys = Array.from({ length: 10_000 }, (_, n) => `key-${String(n).padStart(8, '0')}`)
const builder = new FrameBuilder()
let nextKey = 0

/** A frame of `count` puts, 128 bytes of key and value each. */
function frameOf(count: number): Frame {
  for (let n = 0; n < count; n++) writePut(builder, keys[nextKey++ % keys.length] ?? '', value)
  return builder.take()
}

const dir = mkdtempSync(join(tmpdir(), 'raftbox-bench-'))
const { store } = openLmdbStore({ dir, nodeId: 1, membership })
const written = { index: 1, sequence: 1 }

/** One run of `count` puts, written and flushed. */
function flush(count: number): Promise<void> {
  const run: EntryRun = stampRun(frameOf(count), written.index, 1, entryKinds.commands)
  written.index += count
  const sequence = written.sequence++
  const hardState = sequence === 1 ? { currentTerm: 1, votedFor: 1 } : undefined
  const persist = { sequence, hardState, snapshotChunks: [], install: undefined, truncateFrom: undefined }
  return new Promise((resolve, reject) => {
    store.write({ ...persist, entries: [run], messages: [] }, (error) => (error ? reject(error) : resolve()))
  })
}

/** A leader alone: every proposal takes the whole way through the protocol, and its log is cut behind it. */
function leaderAlone(): Raft {
  const raft = new Raft({ id: 1, membership, seed: 1 })
  raft.step({ type: 'campaign' })
  settle(raft)
  settle(raft)
  return raft
}

function settle(raft: Raft): void {
  const persist = raft.takePersist()
  if (persist !== undefined) raft.step({ type: 'flushed', sequence: persist.sequence })
  const { applyTo } = raft.takeReady()
  if (applyTo === 0) return
  raft.step({ type: 'applied', index: applyTo })
  const last = raft.state.log.last
  raft.step({ type: 'compacted', snapshot: { ...last, membership, size: 0 }, base: last })
}

const raft = leaderAlone()
const machine = createKv()
const applied = stampRun(frameOf(256), 1, 1, entryKinds.commands)
const { port1, port2 } = new MessageChannel()
let sum = 0

const bench = new Bench({ time: 500 })
  .add('frame: pack 256 puts', () => void frameOf(256))
  .add('frame: walk 256 puts', () => forEachCommand(applied, (start, end) => (sum += end - start)))
  .add('protocol: propose, commit and apply a run of 256', () => {
    raft.propose({ bytes: applied.bytes, count: 256 })
    settle(raft)
  })
  .add('machine: apply 256 puts', () => machine.apply(applied, undefined))
  .add('port: post a frame of 256 puts and take it', () => {
    port1.postMessage(applied)
    receiveMessageOnPort(port2)
  })
  .add('store: flush 1 put', () => flush(1))
  .add('store: flush 256 puts', () => flush(256))
  .add('store: flush 1024 puts', () => flush(1024))

await bench.run()
console.table(bench.table())
if (sum === 0) throw new Error('nothing was walked')
port1.close()
await store.close()
rmSync(dir, { recursive: true })
