/** New clusters that begin with the state of an export. */
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type ExportHead, ExportReader, unusable } from '../backup/index.js'
import { checkOptions, RaftError, reasonOf } from '../errors/index.js'
import { loadMachine, SessionMachine } from '../machine/index.js'
import type { Membership, Snapshot, Term } from '../raft/index.js'
import { beginDisks, flushFolder } from '../storage/index.js'
import { ClusterDirectory } from './directory.js'
import { type StateTold, toldOf } from './export.js'
import { asUnusable, makeFolder, usable } from './folders.js'
import { checkNodes } from './options.js'
import { pathOf } from './paths.js'

export interface ImportOptions {
  /** Voting nodes of the new cluster. Default: as many as the former cluster had. */
  readonly nodes?: number | undefined
  /** Ends the import: nothing is left of it. */
  readonly signal?: AbortSignal | undefined
}

export interface Imported extends ExportHead {
  readonly dir: string
  readonly nodes: number
}

/** The facts of an export and, where its machine is the key-value store, what that machine tells of the state. */
export type ExportTold = ExportHead & Partial<StateTold>

/** Reads a whole export. Throws `EXPORT_UNUSABLE` when a byte of it is not as it was written. */
export async function readExport(file: string): Promise<ExportTold> {
  const reader = new ExportReader(pathOf('file', file))
  try {
    return { ...reader.head, ...(await stateOf(file, reader)) }
  } finally {
    reader.close()
  }
}

/**
 * Makes the directory of a new cluster, each of whose nodes begins with the state of an export. The last entry keeps its
 * index and its term, since revisions and the indexes that callers remember go on from there. Nothing else goes on: each
 * disk has an identity of its own, no vote was given in that term, and the first leader has a later one.
 *
 * The directory is made whole or not at all. Throws a `RaftError` when it holds anything, or when the export cannot be
 * used; nothing has changed then.
 */
export async function importSnapshot(
  file: string,
  dir: string,
  options: ImportOptions = {},
): Promise<Imported & ExportTold> {
  checkOptions('importSnapshot', options, ['nodes', 'signal'])
  const { nodes, signal } = options
  if (nodes !== undefined) checkNodes(nodes)
  const place = resolve(pathOf('dir', dir))
  const reader = new ExportReader(pathOf('file', file))
  try {
    const { head } = reader
    const count = nodes ?? head.membership.voters.length
    const path = usable(place, () => placeOf(place))
    const state = await stateOf(file, reader)
    await makeWhole(path, (unfinished) =>
      fill(
        ClusterDirectory.open(unfinished, { ...head, nodes: count }),
        head,
        reader.pieces(),
        head.term,
        signal,
      ),
    )
    return { ...head, ...state, dir: path, nodes: count }
  } finally {
    reader.close()
  }
}

/** The key-value store says of a state whether it can be used, before anything is made of it. */
async function stateOf(file: string, reader: ExportReader): Promise<StateTold | undefined> {
  if (reader.head.machine !== 'kv') return undefined
  const createMachine = await loadMachine(undefined)
  const state = new SessionMachine(createMachine())
  try {
    state.restore(reader.pieces())
  } catch (error) {
    if (error instanceof RaftError) throw error
    throw unusable(file, `holds a state that this version cannot read: ${reasonOf(error)}`, error)
  }
  return toldOf(state)
}

/** The place of a directory that is empty or not there. A link is followed. */
function placeOf(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return path
  const place = realpathSync(path)
  if (!lstatSync(place).isDirectory()) throw refused(path, 'is no directory')
  if (readdirSync(place).length > 0) throw refused(path, 'is not empty')
  return place
}

function refused(dir: string, what: string): RaftError {
  return new RaftError('DIRECTORY_INCOMPATIBLE', { dir, why: `${what}: name an empty or a new directory` })
}

/** Lets `make` fill a folder beside the directory, which then takes the place of the directory in one step. */
async function makeWhole(path: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${path}.import`
  usable(path, () => {
    if (existsSync(unfinished)) {
      const why = `cannot be filled: ${unfinished} is there, which an import that was cut off has left; remove it`
      throw new RaftError('DIRECTORY_INCOMPATIBLE', { dir: path, why })
    }
    makeFolder(dirname(path))
    // Only one of two imports into one directory makes it.
    mkdirSync(unfinished)
  })
  try {
    await make(unfinished)
    renameSync(unfinished, path)
    flushFolder(dirname(path))
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    throw asUnusable(path, error)
  }
}

/** Begins the disks of all members with the whole state and with no vote in `currentTerm`, and releases the directory. */
export async function fill(
  directory: ClusterDirectory,
  { index, term, size }: Omit<Snapshot, 'membership'>,
  pieces: Iterable<Uint8Array>,
  currentTerm: Term,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const { members: voters } = directory
    const membership: Membership = { voters, votersOutgoing: [], learners: [] }
    const snapshot = { index, term, membership, size }
    const hardState = { currentTerm, votedFor: undefined }
    const pledges = directory.pledgesPath
    const disks = voters.map((nodeId) => ({ dir: directory.nodePath(nodeId), pledges, nodeId, membership }))
    await beginDisks(disks, { snapshot, hardState, pieces, signal })
  } finally {
    directory.release()
  }
}
