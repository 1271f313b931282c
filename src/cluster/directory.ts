/**
 * A cluster's directory: one holder at a time, one format, and what is remembered of each member. A refusal has changed
 * nothing that was there.
 */
import { randomUUID } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { RaftError } from '../errors/index.js'
import { majorityOf, type NodeId } from '../raft/index.js'
import {
  FileLock,
  flushFolder,
  isCatchingUp,
  newPledge,
  type Pledge,
  PledgeSlot,
  readPledges,
  renewedPledge,
  writePledges,
  writeWhole,
} from '../storage/index.js'
import { describingFile, pledgesFile } from './directory-files.js'
import { isCutOff, putInPlace } from './replaced-directory.js'

/** Raised when what is on disk changes its form. */
const formatVersion = 2
/** The format without pledges. A directory of it is brought up to date when it is opened. */
const formatWithoutPledges = 1
const nodesDefault = 3
const lockFile = 'lock'
/** The files of a lost disk stay in the folder of its node, below a name that begins so. */
const lostPrefix = 'lost-'

interface Description {
  readonly raftbox: number
  readonly nodes: number
}

export class ClusterDirectory {
  readonly path: string
  readonly nodes: number
  /** `undefined` for a temporary folder, which nobody else knows. */
  readonly #lock: FileLock | undefined

  private constructor(path: string, nodes: number, lock: FileLock | undefined) {
    this.path = path
    this.nodes = nodes
    this.#lock = lock
  }

  /** Takes the directory for the caller; `nodes` must agree with what it was made with. */
  static open(dir: string | undefined, nodes: number | undefined): ClusterDirectory {
    if (dir === undefined) return openTemporary(nodes ?? nodesDefault)
    const path = resolve(dir)
    return usable(path, () => {
      // Before the lock leaves a file in a directory that is somebody else's.
      readDescription(path, nodes)
      makeFolder(path)
      const lock = lockOf(path)
      try {
        // Read again, for it may have changed until the lock was had.
        const description = readDescription(path, nodes)
        return new ClusterDirectory(path, broughtUpToDate(path, description, nodes), lock)
      } catch (error) {
        lock.release()
        throw error
      }
    })
  }

  /** Takes a directory that a cluster was made in, to read it. Makes nothing that is not there, but for the lock. */
  static atRest(dir: string): ClusterDirectory {
    const path = resolve(dir)
    return usable(path, () => {
      const description = readDescription(path, undefined)
      if (description === undefined) throw incompatible(path, 'holds no cluster: name a directory of raftbox')
      return new ClusterDirectory(path, description.nodes, lockOf(path))
    })
  }

  /**
   * Goes on with a recovery that was cut off while it put files in their place. Returns the folder of the files that were
   * put aside; `undefined`: there is no such recovery.
   */
  static goOnWithRecovery(dir: string): string | undefined {
    const path = resolve(dir)
    return usable(path, () => {
      if (!existsSync(path) || !isCutOff(path)) return undefined
      const lock = lockOf(path)
      try {
        return isCutOff(path) ? putInPlace(path) : undefined
      } finally {
        lock.release()
      }
    })
  }

  /** For a folder of the caller's own. */
  static temporary(path: string, nodes: number): ClusterDirectory {
    writePledges(join(path, pledgesFile), newPledges(nodes))
    return new ClusterDirectory(path, nodes, undefined)
  }

  nodePath(nodeId: NodeId): string {
    return join(this.path, `node-${nodeId}`)
  }

  /** Where the members are remembered. */
  get pledgesPath(): string {
    return join(this.path, pledgesFile)
  }

  /** What is remembered of each member. Throws when it is damaged. */
  pledges(): Pledge[] {
    return usable(this.path, () => {
      checkPledges(this.path, this.nodes)
      return readPledges(this.pledgesPath)
    })
  }

  /**
   * Lets members that lost their disks begin with empty ones; what is left of their folders is put aside. Refused when
   * too few of the others may vote: nobody could be elected any more.
   */
  renew(nodeIds: readonly NodeId[]): void {
    usable(this.path, () => {
      const pledges = readPledges(this.pledgesPath)
      const renewed = pledges.filter(({ nodeId }) => nodeIds.includes(nodeId))
      this.#checkVotersLeft(
        pledges.filter((pledge) => renewed.includes(pledge) || isCatchingUp(pledge)).length,
      )
      for (const pledge of renewed) checkIsRemembered(pledge)
      // First what is left is put aside: a crash or an error in between leaves disks that are lost as before.
      for (const { nodeId, identity } of renewed) putAside(this.nodePath(nodeId), identity ?? randomUUID())
      for (const { nodeId } of renewed) this.#renew(nodeId)
    })
  }

  /** Lets go of the directory, and removes it when it is a temporary one. */
  release(): void {
    if (this.#lock !== undefined) return this.#lock.release()
    usable(this.path, () => rmSync(this.path, { recursive: true, force: true }))
  }

  #checkVotersLeft(notVoting: number): void {
    const mostNotVoting = this.nodes - majorityOf(this.nodes)
    if (notVoting <= mostNotVoting) return
    const without = mostNotVoting === 0 ? 'none' : `at most ${mostNotVoting}`
    throw new RaftError('INVALID_OPTION', {
      option: 'renew',
      expected: `${without} of ${this.nodes} nodes without a vote until they have caught up (put the folders of the others back, or begin in another directory)`,
      actual: `${notVoting}`,
    })
  }

  #renew(nodeId: NodeId): void {
    const slot = new PledgeSlot(this.pledgesPath, nodeId)
    try {
      slot.keep(renewedPledge(slot.pledge, randomUUID()), true)
    } finally {
      slot.close()
    }
  }
}

function lockOf(dir: string): FileLock {
  const lock = FileLock.take(join(dir, lockFile))
  if (lock instanceof FileLock) return lock
  throw new RaftError('DIRECTORY_IN_USE', { dir, holder: lock })
}

function openTemporary(nodes: number): ClusterDirectory {
  const parent = tmpdir()
  return usable(
    parent,
    () => {
      const path = mkdtempSync(join(parent, 'raftbox-'))
      try {
        return ClusterDirectory.temporary(path, nodes)
      } catch (error) {
        rmSync(path, { recursive: true, force: true })
        throw error
      }
    },
    '; set TMPDIR to a folder that can be written, or name a directory',
  )
}

/**
 * Moves what a folder holds into one below it. The folder itself stays where it is, since it may be the place where a disk
 * is mounted, or a link to it.
 */
function putAside(folder: string, name: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return
  const left = readdirSync(folder).filter((file) => !file.startsWith(lostPrefix) && file !== lockFile)
  if (left.length === 0) return
  const aside = join(folder, `${lostPrefix}${name}`)
  mkdirSync(aside, { recursive: true })
  for (const file of left) renameSync(join(folder, file), join(aside, file))
}

/** Makes what is not there yet, and returns how many nodes there are. */
function broughtUpToDate(path: string, known: Description | undefined, asked: number | undefined): number {
  const pledges = join(path, pledgesFile)
  const nodes = known?.nodes ?? asked ?? nodesDefault
  if (known?.raftbox === formatVersion) {
    checkPledges(path, nodes)
    return nodes
  }
  if (known === undefined && hasBegun(pledges)) {
    const remedy = isCutOff(path)
      ? 'its recovery was cut off, so begin it again'
      : 'put that file back, or use another directory'
    throw incompatible(path, `holds nodes and no ${describingFile}: ${remedy}`)
  }
  const isOldAndUsed =
    known !== undefined &&
    Array.from({ length: nodes }, (_, at) => at + 1).some((nodeId) =>
      existsSync(join(path, `node-${nodeId}`, 'data.mdb')),
    )
  // First the members: the description says that all of the directory is there.
  writePledges(pledges, isOldAndUsed ? unnamedPledges(nodes) : newPledges(nodes))
  writeWhole(path, describingFile, Buffer.from(`${JSON.stringify({ raftbox: formatVersion, nodes })}\n`))
  return nodes
}

function newPledges(nodes: number): Pledge[] {
  return Array.from({ length: nodes }, (_, at) => newPledge(at + 1, randomUUID()))
}

/** Pledges of members whose disks carry no identity, for a directory of the earlier format. */
function unnamedPledges(nodes: number): Pledge[] {
  return Array.from({ length: nodes }, (_, at) => ({ ...newPledge(at + 1, undefined), hasBegun: true }))
}

function hasBegun(pledges: string): boolean {
  return existsSync(pledges) && readPledges(pledges).some((pledge) => pledge.hasBegun)
}

function checkPledges(path: string, nodes: number): void {
  const file = join(path, pledgesFile)
  const remedy = `a directory is copied as a whole, so put ${pledgesFile} back from where it was copied, or use another directory`
  if (!existsSync(file)) throw incompatible(path, `does not remember its nodes: ${remedy}`)
  const { length } = readPledges(file)
  if (length !== nodes) throw incompatible(path, `remembers ${length} nodes, and has ${nodes}: ${remedy}`)
}

/** In a directory of an earlier version, a node's first start tells in which term it is. */
function checkIsRemembered({ nodeId, identity, hardState }: Pledge): void {
  if (identity !== undefined || hardState.currentTerm > 0) return
  throw new RaftError('INVALID_OPTION', {
    option: 'renew',
    expected:
      'a node whose term is remembered (this directory is of an earlier version: put the folder back)',
    actual: `${nodeId}`,
  })
}

function readDescription(path: string, nodes: number | undefined): Description | undefined {
  const text = readIfThere(join(path, describingFile))
  // Versions that wrote it in place could leave it empty when the disk was full.
  if (text === undefined || text === '') return undefined
  const description = parse<Description>(text)
  const isKnown = description?.raftbox === formatVersion || description?.raftbox === formatWithoutPledges
  if (description === undefined || !isKnown || !Number.isInteger(description.nodes)) {
    const found = description?.raftbox === undefined ? 'something else' : `format ${description.raftbox}`
    const remedy = 'use the version that wrote it, or another directory'
    throw incompatible(path, `holds ${found}, and this version reads format ${formatVersion}: ${remedy}`)
  }
  if (nodes !== undefined && nodes !== description.nodes) {
    const expected = `${description.nodes}, as ${path} was made with`
    throw new RaftError('INVALID_OPTION', { option: 'nodes', expected, actual: nodes })
  }
  return description
}

function incompatible(dir: string, why: string): RaftError {
  return new RaftError('DIRECTORY_INCOMPATIBLE', { dir, why })
}

/** Errors of the system become the one that says which directory cannot be used, and why. */
export function usable<T>(dir: string, work: () => T, remedy = ''): T {
  try {
    return work()
  } catch (error) {
    throw asUnusable(dir, error, remedy)
  }
}

/** An error of the system as the one that says which directory cannot be used, and why; others as they are. */
export function asUnusable(dir: string, error: unknown, remedy = ''): unknown {
  const { name, message } = error as Error
  if (error instanceof RaftError || name === 'AbortError') return error
  return new RaftError('DIRECTORY_UNUSABLE', { dir, why: `${message}${remedy}` }, error)
}

/** Makes folders one by one: `mkdirSync` with `recursive` never returns where nothing can be made, as below /proc. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makeFolder(dirname(path))
    mkdirSync(path)
  }
  // A folder whose name is lost with the power is lost.
  flushFolder(dirname(path))
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
