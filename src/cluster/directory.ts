/**
 * A cluster's directory: one process at a time, one format. Everything is checked before anything is
 * written, so that a refusal has touched nothing.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { RaftError } from '../errors/index.js'

/** Raised when what is on disk changes its form. */
const formatVersion = 1
const describingFile = 'cluster.json'
const lockFile = 'lock.json'

interface Description {
  readonly raftbox: number
  readonly nodes: number
}

/** Who holds a directory. The start time tells a process from a later one with the same number. */
interface Holder {
  readonly pid: number
  readonly startTime: string | undefined
}

export class ClusterDirectory {
  readonly path: string
  readonly nodes: number
  readonly #isTemporary: boolean

  private constructor(path: string, nodes: number, isTemporary: boolean) {
    this.path = path
    this.nodes = nodes
    this.#isTemporary = isTemporary
  }

  /** Takes the directory for this process; `nodes` must agree with what it was made with. */
  static open(dir: string | undefined, nodes: number | undefined): ClusterDirectory {
    if (dir === undefined) {
      const path = mkdtempSync(join(tmpdir(), 'raftbox-'))
      return new ClusterDirectory(path, nodes ?? 3, true)
    }
    const path = resolve(dir)
    const known = readDescription(path)
    if (known !== undefined && nodes !== undefined && nodes !== known.nodes) {
      const expected = `${known.nodes}, as ${path} was made with`
      throw new RaftError('INVALID_OPTION', { option: 'nodes', expected, actual: nodes })
    }
    const description: Description = known ?? { raftbox: formatVersion, nodes: nodes ?? 3 }
    try {
      makeFolder(path)
      lock(path)
      if (known === undefined) writeFileSync(join(path, describingFile), `${JSON.stringify(description)}\n`)
    } catch (error) {
      if (error instanceof RaftError) throw error
      throw new RaftError('DIRECTORY_UNUSABLE', { dir: path, why: (error as Error).message }, error)
    }
    return new ClusterDirectory(path, description.nodes, false)
  }

  nodePath(nodeId: number): string {
    return join(this.path, `node-${nodeId}`)
  }

  release(): void {
    if (this.#isTemporary) rmSync(this.path, { recursive: true, force: true })
    else rmSync(join(this.path, lockFile), { force: true })
  }
}

function readDescription(path: string): Description | undefined {
  const text = readIfThere(join(path, describingFile))
  if (text === undefined) return undefined
  const description = parse<Description>(text)
  if (description?.raftbox !== formatVersion || !Number.isInteger(description.nodes)) {
    const found = description?.raftbox === undefined ? 'something else' : `format ${description.raftbox}`
    const why = `holds ${found}, and this version reads format ${formatVersion}: use the version that wrote it, or another directory`
    throw new RaftError('DIRECTORY_INCOMPATIBLE', { dir: path, why })
  }
  return description
}

/** Without `recursive`, with which Node never returns where nothing can be made, as below /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makeFolder(dirname(path))
    mkdirSync(path)
  }
}

/** Creates the lock file, or takes over one whose process is gone. */
function lock(path: string): void {
  const file = join(path, lockFile)
  const own: Holder = { pid: process.pid, startTime: startTimeOf(process.pid) }
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify(own), { flag: 'wx' })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const text = readIfThere(file)
    const holder = text === undefined ? undefined : parse<Holder>(text)
    if (holder !== undefined && isAlive(holder))
      throw new RaftError('DIRECTORY_IN_USE', { dir: path, pid: holder.pid })
    rmSync(file, { force: true })
  }
}

function isAlive({ pid, startTime }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Without the permission to signal it, it is there all the same.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return startTimeOf(pid) === startTime && !isZombie(pid)
}

/** Killed, and kept by the system only until its parent has asked how it ended. */
function isZombie(pid: number): boolean {
  return statOf(pid)?.[0] === 'Z'
}

/** When a process began, in the kernel's ticks; `undefined` where the system does not tell. */
function startTimeOf(pid: number): string | undefined {
  return statOf(pid)?.[19]
}

/** What the system tells of a process, from its state on; the name before it may hold anything. */
function statOf(pid: number): string[] | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new RaftError('DIRECTORY_UNUSABLE', { dir: file, why: message }, error)
  }
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
