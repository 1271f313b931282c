/**
 * A power loss on LMDB's own files. The power goes while the store's next flush is under way: the flush never ends, and
 * nobody is told of it. The file is copied just before that write, when all of it is flushed. Once the store is closed,
 * the disk gets the file that a power loss may leave: the copy, with any of the sectors that were written since.
 *
 * LMDB's own two flushes are believed, since they cannot be seen from here; a trace of the system calls in the tests holds
 * LMDB to them. The file `unsettled` stays as it was written last: an older one would only make the next start doubt more.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Random } from '../raft/index.js'
import { flushFolder } from './durable-file.js'

/** The rest that a power loss left of the writes that were not flushed. */
export interface PowerLeft {
  /** Sectors (512 bytes) that were written and not flushed. */
  readonly sectorsWritten: number
  /** Sectors of these that the disk has. */
  readonly sectorsKept: number
  /**
   * Why all that was not flushed is gone, and no part of it is on the disk; `undefined`: a part of it may be. `idle`: nothing
   * was written. `tooLarge`: the file is larger than a power loss copies. `noRoom`: the disk has no room for the copy.
   */
  readonly allGone: 'idle' | 'tooLarge' | 'noRoom' | undefined
}

/** A power loss that was asked for. */
export interface PowerLoss {
  /** Once the power is gone: the store writes nothing, and tells nothing from then on. The store is still to be closed. */
  readonly gone: Promise<void>
  /** Set once the store is closed. */
  readonly left: PowerLeft | undefined
}

/** Where nothing is written for so long, the power goes without it. */
const withinMs = 50
/** A larger file is not copied: that would keep the node's thread busy for longer than an election timeout. */
const copiedBytesMax = 128 << 20
/** The copy, beside LMDB's file. */
const copyName = 'power-loss'

const sectorBytes = 512
/** The file is compared and mended in parts of this size. */
const partBytes = 1 << 20

/** LMDB's file, as far as a power loss looks at it. */
export interface LostFile {
  readonly path: string
  /** LMDB's first two pages name the newest transaction. */
  readonly pageBytes: number
  /** The pages are flushed before one of the first two is written; otherwise one flush is for all of them. */
  readonly isMetaLast: boolean
}

export class TablePowerLoss implements PowerLoss {
  readonly gone: Promise<void>
  left: PowerLeft | undefined
  readonly #file: LostFile
  readonly #copy: string
  readonly #random: Random
  readonly #timer: NodeJS.Timeout
  #allGone: PowerLeft['allGone'] = 'idle'
  #isDue = false
  isGone = false
  readonly #tell: { due(): void; gone(): void }
  #resolve: () => void = () => undefined

  /** `due` is called when the power is to go although no flush has begun. */
  constructor(file: LostFile, random: Random, tell: { due(): void; gone(): void }) {
    this.#file = file
    this.#copy = join(dirname(file.path), copyName)
    this.#random = random
    this.#tell = tell
    this.#timer = setTimeout(() => {
      this.#isDue = true
      tell.due()
    }, withinMs)
    this.gone = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  go(): void {
    clearTimeout(this.#timer)
    this.isGone = true
    this.#tell.gone()
    this.#resolve()
  }

  /** To be called while no write is under way. Answers whether the power is gone. */
  goIfDue(): boolean {
    if (this.#isDue) this.go()
    return this.#isDue
  }

  /** Copies the file before the next write, while all of it is flushed. False: the power is gone, and the write must not begin. */
  takeCopy(): boolean {
    // A store that flushes never comes here twice.
    if (this.#allGone === undefined) return !this.goIfDue()
    this.#allGone = this.#copied()
    if (this.#allGone !== undefined) this.go()
    return this.#allGone === undefined
  }

  /** LMDB has let go of the file: the disk gets what the power loss leaves of it. */
  leave(): void {
    this.go()
    const sectors = this.#allGone === undefined ? this.#mend() : { sectorsWritten: 0, sectorsKept: 0 }
    this.left = { ...sectors, allGone: this.#allGone }
  }

  #copied(): PowerLeft['allGone'] {
    const { path } = this.#file
    if (statSync(path).size > copiedBytesMax) return 'tooLarge'
    try {
      copyFileSync(path, this.#copy, constants.COPYFILE_FICLONE)
      return undefined
    } catch {
      forgetCopy(dirname(path))
      return 'noRoom'
    }
  }

  /** A crash of the process before the new name leaves LMDB's own file, which is as good. */
  #mend(): Sectors {
    const { path, pageBytes } = this.#file
    const written = openSync(path, 'r')
    const copy = openSync(this.#copy, 'r+')
    try {
      const { meta, pages } = this.#drawShares()
      const isKept = (at: number) => this.#random.chance(at < 2 * pageBytes ? meta : pages)
      const sectors = keepSectors(copy, written, isKept)
      // A file that grew has its new length on the disk, or it does not.
      if (this.#random.chance(0.5)) ftruncateSync(copy, fstatSync(written).size)
      fsyncSync(copy)
      renameSync(this.#copy, path)
      flushFolder(dirname(path))
      return sectors
    } finally {
      closeSync(copy)
      closeSync(written)
    }
  }

  /** How likely a sector that was written is on the disk. */
  #drawShares(): { readonly meta: number; readonly pages: number } {
    const pages = [0, 0.05, 0.5, 0.95, 1][this.#random.below(5)]!
    if (!this.#file.isMetaLast) return { meta: 0.9, pages }
    // The flush of the pages was under way, or the one of the meta page, which comes after it.
    return this.#random.chance(0.5) ? { meta: 0, pages } : { meta: 0.5, pages: 1 }
  }
}

/** A copy that a crash of the process left behind is waste. */
export function forgetCopy(folder: string): void {
  rmSync(join(folder, copyName), { force: true })
}

type Sectors = Pick<PowerLeft, 'sectorsWritten' | 'sectorsKept'>

/** Takes some of the sectors in which `written` differs over into `copy`. Bytes that were never written are zeros. */
function keepSectors(copy: number, written: number, isKept: (at: number) => boolean): Sectors {
  const [before, after] = [Buffer.alloc(partBytes), Buffer.alloc(partBytes)]
  let sectorsWritten = 0
  let sectorsKept = 0
  for (let from = 0, bytes = partBytes; bytes === partBytes; from += bytes) {
    bytes = readSync(written, after, 0, partBytes, from)
    before.fill(0, readSync(copy, before, 0, partBytes, from))
    for (let at = 0; at < bytes; at += sectorBytes) {
      const end = Math.min(at + sectorBytes, bytes)
      if (after.compare(before, at, end, at, end) === 0) continue
      sectorsWritten++
      if (!isKept(from + at)) continue
      sectorsKept++
      writeSync(copy, after, at, end - at, from + at)
    }
  }
  return { sectorsWritten, sectorsKept }
}
