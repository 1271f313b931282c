/** InstallSnapshot (§7, Figure 13), both sides. The bytes are the driver's: here are offsets and lengths. */

import { followLeader } from './append-entries.js'
import type { InstallSnapshot, InstallSnapshotResponse } from './messages.js'
import { frozenCopy } from './plain-data.js'
import type { Progress } from './progress.js'
import { type RaftState, send, sendAfterFlush, sendOnceFlushed } from './state.js'
import { assert, type LogIndex, type NodeId, type Snapshot } from './types.js'

/** The follower needs what the log no longer holds. The first chunk leaves when the driver takes its work. */
export function startSnapshot(state: RaftState, to: NodeId, progress: Progress): void {
  const { snapshot } = state.log
  assert(snapshot !== undefined, 'a log is only ever cut behind a snapshot')
  progress.becomeSnapshot(snapshot)
  state.outbox.events.push({ type: 'snapshotSending', to, index: snapshot.index })
}

/** One chunk at a time: the next leaves when this one is on the follower's disk. */
export function sendChunk(state: RaftState, to: NodeId, progress: Progress): void {
  const { snapshot, snapshotOffset: offset } = progress
  assert(snapshot !== undefined, 'a chunk is of a snapshot')
  const length = Math.min(state.limits.snapshotChunkBytes, snapshot.size - offset)
  progress.isChunkSent = true
  send(state, {
    type: 'installSnapshot',
    from: state.id,
    to,
    term: state.currentTerm,
    lastIncludedIndex: snapshot.index,
    lastIncludedTerm: snapshot.term,
    membership: snapshot.membership,
    size: snapshot.size,
    offset,
    length,
    data: undefined,
    done: offset + length === snapshot.size,
  })
}

/** InstallSnapshot, receiver side (Figure 13). */
export function onInstallSnapshot(state: RaftState, message: InstallSnapshot): void {
  const { log, outbox } = state
  const { lastIncludedIndex: index, lastIncludedTerm: term, membership, size } = message
  // Reply immediately if term < currentTerm. The reply is about no snapshot, so that a leader of a later term takes it
  // for no answer to a chunk of its own.
  if (message.term < state.currentTerm)
    return send(state, { ...responseTo(state, message), lastIncludedIndex: 0, offset: 0, done: false })
  followLeader(state, message)

  // What is committed here, or stands in our log, needs no snapshot (Figure 13, rule 6). A late one takes nothing back.
  if (index <= log.commitIndex || log.has({ index, term })) {
    log.commitIndex = Math.max(log.commitIndex, index)
    state.incomingSnapshot = undefined
    const done = { ...responseTo(state, message), offset: size, done: true }
    return sendOnceFlushed(state, done, index)
  }

  // The snapshot that was received last is not with the store yet: in the same write, chunks of another would
  // take its place before it counts. The leader repeats what gets no answer.
  if (outbox.install !== undefined) return

  // A leader goes on to newer snapshots only: the chunk is late.
  if (index < (state.incomingSnapshot?.snapshot.index ?? 0)) return

  // Create a new snapshot file if first chunk (rule 2).
  if (state.incomingSnapshot?.snapshot.index !== index || state.incomingSnapshot.snapshot.term !== term) {
    state.incomingSnapshot = { snapshot: frozenCopy({ index, term, membership, size }), offset: 0 }
    outbox.events.push({ type: 'snapshotInstalling', from: message.from, index })
  }
  const incoming = state.incomingSnapshot
  // A chunk out of order is answered with the offset that is wanted, behind the write of the chunks before it.
  if (message.offset !== incoming.offset || message.data?.byteLength !== message.length) {
    return sendAfterFlush(state, { ...responseTo(state, message), offset: incoming.offset, done: false })
  }

  // Write data into the snapshot at the given offset (rule 3), reply and wait for more (rule 4).
  outbox.snapshotChunks.push({ snapshot: incoming.snapshot, offset: message.offset, data: message.data })
  incoming.offset += message.length
  if (message.done) {
    // Discard the entire log, and reset the state machine using the snapshot (rules 7 and 8).
    log.reset(incoming.snapshot)
    state.incomingSnapshot = undefined
    outbox.install = incoming.snapshot
    outbox.waitingAck = undefined
  }
  sendAfterFlush(state, { ...responseTo(state, message), offset: incoming.offset, done: message.done })
}

/** InstallSnapshotResponse at the leader. */
export function onInstallSnapshotResponse(state: RaftState, message: InstallSnapshotResponse): void {
  const progress = state.leadership?.progress.get(message.from)
  if (progress === undefined) return
  progress.isRecentlyActive = true
  if (progress.snapshot?.index !== message.lastIncludedIndex) return
  if (message.done) {
    // The logs are known to meet here, so that no probe has to find out.
    progress.matched(progress.snapshot.index)
    progress.becomeReplicate()
    return
  }
  // An answer to a chunk before the last is late. A chunk that is wanted again leaves after the next answered heartbeat.
  if (message.chunkOffset !== progress.snapshotOffset || message.offset === message.chunkOffset) return
  progress.snapshotOffset = message.offset
  progress.isChunkSent = false
  progress.hasMoved = true
}

/** The store dropped the snapshot in the middle of a transfer: the newest one is sent from its beginning. */
export function onSnapshotMissing(state: RaftState, to: NodeId, index: LogIndex): void {
  const progress = state.leadership?.progress.get(to)
  if (progress?.snapshot?.index === index) progress.becomeProbe(progress.matchIndex + 1)
}

/** The snapshots that are on their way to a follower. */
export function snapshotsBeingSent(state: RaftState): Snapshot[] {
  const progress = state.leadership?.progress.values() ?? []
  return [...progress].flatMap(({ snapshot }) => snapshot ?? [])
}

function responseTo(state: RaftState, message: InstallSnapshot) {
  const { id: from, currentTerm: term } = state
  const { from: to, lastIncludedIndex, offset: chunkOffset } = message
  return { type: 'installSnapshotResponse', from, to, term, lastIncludedIndex, chunkOffset } as const
}
