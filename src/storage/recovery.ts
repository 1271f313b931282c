/**
 * Opening a disk: what is on it, and whether it is still what was acknowledged. Damage is an error and never
 * the end of the log; only what lies past the end that the last transaction wrote down is cut, since nobody
 * was ever told of it.
 */

import type {
  EntryId,
  HardState,
  LogIndex,
  LogRun,
  Membership,
  NodeId,
  Snapshot,
  Term,
} from '../raft/index.js'
import { hardStateOf, lastIndexOf, logOrigin, recoveredRunOf, sliceRun } from '../raft/index.js'
import { Chain } from './chain.js'
import {
  allKeysFrom,
  allKeysTo,
  chunkKey,
  chunkKeysFrom,
  chunkKeysTo,
  indexOfLogKey,
  logKey,
  logKeysFrom,
  logKeysTo,
  type NoteName,
  noteKeys,
  placeOfChunkKey,
} from './keys.js'
import { formatVersion, type Identity, type Pointers, type StoredSnapshot } from './notes.js'
import {
  checkPledge,
  emptyDiskError,
  lostDiskError,
  newPledge,
  noLife,
  type Pledge,
  type PledgePlace,
} from './pledge.js'
import { chainOrigin, checksumOf, DamageError, openChunk, openNote, openRun, sealNote } from './record.js'
import type { Pieces } from './shelf.js'
import type { Recovered } from './store.js'
import { Sweep } from './sweep.js'
import type { Change, ReadTable, Table } from './table.js'

/** What a store needs to go on from where the last one stopped. */
export interface Found {
  readonly recovered: Recovered
  readonly pointers: Pointers
  readonly chain: Chain
  readonly newestPieces: Pieces | undefined
  readonly nextGeneration: number
  readonly sweep: Sweep
}

/** Whose log is to be opened. */
export interface Owner {
  readonly nodeId: NodeId
  /** The members of a new disk. A used disk has its own. */
  readonly membership: Membership
  /** Where it is remembered what the node promised. Left out: the disk is believed. */
  readonly place?: PledgePlace | undefined
}

/** Reads the whole disk; a new one gets its identity. Throws when it is not safe to go on, and then changes nothing. */
export function recover(table: Table, owner: Owner): Found {
  const { nodeId, membership, place } = owner
  const pledge = place?.pledge
  if (isEmpty(table)) {
    if (pledge?.hasBegun === true) throw emptyDiskError(pledge)
    begin(table, nodeId, membership, pledge)
  }
  const { identity, recovered, last, pointers, chain, newestPieces, tornTail } = readDisk(
    table,
    nodeId,
    pledge,
  )
  const { sweep, nextGeneration } = readWaste(table, pointers)
  if (tornTail.length > 0) table.commitNow(tornTail)
  if (place !== undefined) startLife(table, identity, place, recovered.hardState, last)
  return { recovered, pointers, chain, newestPieces, nextGeneration, sweep }
}

/** All that a disk holds, read once. */
interface ReadDisk extends ReadLog {
  readonly identity: Identity
  readonly recovered: Recovered
  readonly last: EntryId
  readonly pointers: Pointers
  readonly newestPieces: Pieces | undefined
}

/**
 * Reads all of a disk, and changes nothing. Throws at the first damage, and when the disk is not the one that the pledge
 * speaks of; without a pledge, the disk is believed.
 */
export function readDisk(table: ReadTable, nodeId: NodeId, pledge: Pledge | undefined): ReadDisk {
  const identity = readIdentity(table, nodeId, pledge)
  const hardState = readHardState(table)
  const pointers = readPointers(table)
  const log = readLog(table, pointers)
  const { entries } = log
  const { base, snapshot } = pointers
  const lastRun = entries.at(-1)
  const last = lastRun === undefined ? base : { index: lastIndexOf(lastRun), term: lastRun.term }
  const termAt = (index: LogIndex): Term | undefined =>
    entries.find((run) => run.index <= index && index <= lastIndexOf(run))?.term
  const { identity: name, life, membership, votesFromTerm = 0 } = identity
  if (pledge !== undefined) checkPledge(pledge, { identity: name, life, hardState, last, termAt })
  const newestPieces = snapshot === undefined ? undefined : readPieces(table, snapshot)
  const recovered = {
    hardState,
    membership: snapshot?.membership ?? membership,
    snapshot: snapshot && withoutGeneration(snapshot),
    base,
    entries,
    votesFromTerm,
  }
  return { ...log, identity, recovered, last, pointers, newestPieces }
}

export function isEmpty(table: ReadTable): boolean {
  for (const _ of table.keys(allKeysFrom, allKeysTo)) return false
  return true
}

/**
 * Names this start on the disk and in the directory, so that each knows the other by it. A crash in between leaves a
 * pledge that knows both names. Before the node says its first word, the directory knows that the disk has to be there.
 */
function startLife(
  table: Table,
  identity: Identity,
  place: PledgePlace,
  hardState: HardState,
  held: EntryId,
): void {
  const life = place.newLife()
  const found = { ...place.pledge, hardState, held }
  place.keep({ ...found, lives: [identity.life ?? noLife, life] }, true)
  table.commitNow([{ key: noteKeys.identity, value: sealNote('identity', { ...identity, life }) }])
  place.keep({ ...found, lives: [life], hasBegun: true }, true)
}

/** All of it in one transaction: afterwards a record that is missing was lost, and never just not written yet. */
function begin(
  table: Table,
  nodeId: NodeId,
  membership: Membership,
  pledge = newPledge(nodeId, undefined),
): void {
  const { hardState, votesFromTerm } = pledge
  const named = pledge.identity === undefined ? {} : { identity: pledge.identity }
  const identity: Identity = { formatVersion, nodeId, membership, ...named, votesFromTerm }
  const pointers: Pointers = {
    base: logOrigin,
    first: { index: logOrigin.index + 1, previous: chainOrigin },
    last: { index: logOrigin.index, checksum: chainOrigin },
    snapshot: undefined,
  }
  const notes = Object.entries({ identity, hardState, pointers }) as [NoteName, unknown][]
  table.commitNow(notes.map(([name, content]) => ({ key: noteKeys[name], value: sealNote(name, content) })))
}

function readNote(table: ReadTable, name: NoteName): unknown {
  const bytes = table.get(noteKeys[name])
  if (bytes === undefined) throw new DamageError(`the ${name} record is missing`)
  return openNote(name, bytes)
}

export function readPointers(table: ReadTable): Pointers {
  return readNote(table, 'pointers') as Pointers
}

function readIdentity(table: ReadTable, nodeId: NodeId, pledge: Pledge | undefined): Identity {
  const identity = readNote(table, 'identity') as Identity
  if (identity.formatVersion !== formatVersion) {
    const versions = `format version ${identity.formatVersion}, and this program reads version ${formatVersion}`
    throw new Error(`it was written in ${versions}`)
  }
  if (identity.nodeId !== nodeId) {
    if (pledge !== undefined)
      throw lostDiskError(pledge.nodeId, `its folder is that of node ${identity.nodeId}`)
    throw new Error(`it is the log of node ${identity.nodeId}, and it was opened for node ${nodeId}`)
  }
  return identity
}

/** A node that forgot its vote could vote twice in a term; it must not take part until someone decides. */
export function readHardState(table: ReadTable): HardState {
  try {
    return hardStateOf(readNote(table, 'hardState') as HardState)
  } catch (cause) {
    const { message } = cause as Error
    throw new DamageError(`${message}; without its term and vote this node could vote twice`, { cause })
  }
}

interface ReadLog {
  readonly chain: Chain
  readonly entries: readonly LogRun[]
  readonly tornTail: readonly Change[]
}

function readLog(table: ReadTable, { base, first, last }: Pointers): ReadLog {
  const chain = new Chain(first.index - 1, first.previous)
  const entries: LogRun[] = []
  const tornTail: Change[] = []
  for (const { key, value } of table.rows(logKey(first.index), logKeysTo)) {
    const expected = chain.lastIndex + 1
    if (expected > last.index) {
      tornTail.push({ key, value: undefined })
      continue
    }
    const index = indexOfLogKey(key)
    if (index !== expected)
      throw new DamageError(`the record of entry ${expected} is missing; the next is of entry ${index}`)
    const run = openRun(value, index, chain.tail)
    if (lastIndexOf(run) > last.index) {
      throw new DamageError(
        `the record of entry ${index} holds more than was acknowledged, up to entry ${last.index}`,
      )
    }
    chain.append(index, run.count, checksumOf(value))
    const from = Math.max(index, base.index + 1)
    if (from <= lastIndexOf(run)) entries.push(sliceRun(recoveredRunOf(run), from, lastIndexOf(run)))
  }
  if (chain.lastIndex < last.index) {
    throw new DamageError(
      `the record of entry ${chain.lastIndex + 1} is missing; the log goes on to entry ${last.index}`,
    )
  }
  if (chain.tail !== last.checksum) {
    throw new DamageError(`the record before entry ${last.index + 1} is not the one that was acknowledged`)
  }
  return { chain, entries, tornTail }
}

/** Reads the whole snapshot once: it stands for acknowledged entries that are nowhere else. */
function readPieces(table: ReadTable, { index, term, generation, size }: StoredSnapshot): Pieces {
  const pieces: Pieces = { index, term, generation, offsets: [], size: 0 }
  for (const { key, value } of table.rows(chunkKey(generation, 0), chunkKey(generation + 1, 0))) {
    const { offset } = placeOfChunkKey(key)
    if (offset !== pieces.size) break
    pieces.offsets.push(offset)
    pieces.size += openChunk(value, { index, term, generation, offset }).byteLength
  }
  if (pieces.size !== size) {
    throw new DamageError(
      `the piece at byte ${pieces.size} of the snapshot at entry ${index} is missing, of ${size} bytes`,
    )
  }
  return pieces
}

/** What a crash kept from being removed, and snapshots that were never finished. */
function readWaste(table: Table, pointers: Pointers): { sweep: Sweep; nextGeneration: number } {
  const records: LogIndex[] = []
  for (const key of table.keys(logKeysFrom, logKey(pointers.first.index))) records.push(indexOfLogKey(key))
  const newest = pointers.snapshot?.generation
  const pieces: { generation: number; offset: number }[] = []
  let lastGeneration = newest ?? 0
  for (const key of table.keys(chunkKeysFrom, chunkKeysTo)) {
    const place = placeOfChunkKey(key)
    if (place.generation !== newest) pieces.push(place)
    lastGeneration = Math.max(lastGeneration, place.generation)
  }
  return { sweep: new Sweep(records, pieces), nextGeneration: lastGeneration + 1 }
}

export function withoutGeneration({ index, term, membership, size }: StoredSnapshot): Snapshot {
  return { index, term, membership, size }
}
