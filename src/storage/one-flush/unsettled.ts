/**
 * A small file, `unsettled`, that lies beside LMDB's while a log is open, and names a transaction that is known to be flushed.
 * A start that finds the file knows that the last run was not closed in order. A transaction after the named one may then be
 * in parts, since its flush may not have ended. Damage anywhere else, and any damage without this file, is an error.
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  openSync,
  readFileSync,
  write,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { removeDurably, writeWhole } from '../durable-file.js'
import { checksumBytes, DamageError, isIntact, seal } from '../record.js'

const fileName = 'unsettled'

/** So long after a flush it is noted; a log that is written all the time notes so often. */
const noteAfterMs = 100

export class Unsettled {
  readonly #folder: string
  readonly #descriptor: number
  /** The last transaction that is known to be flushed, and is not noted yet. */
  #flushed = 0
  #timer: NodeJS.Timeout | undefined
  #isNoting = false
  #onNoted: (() => void) | undefined

  /** Of a log that was closed in order, `transaction` is the last one. */
  constructor(folder: string, transaction: number) {
    this.#folder = folder
    if (!existsSync(join(folder, fileName))) writeWhole(folder, fileName, contentOf(transaction))
    this.#descriptor = openSync(join(folder, fileName), 'r+')
  }

  /** Notes it off the caller's turn: nothing waits for it. */
  noteSoon(transaction: number): void {
    this.#flushed = transaction
    // One note at a time: what comes while it is written is the next one.
    if (!this.#isNoting) this.#timer ??= setTimeout(this.#note, noteAfterMs)
  }

  /** The note is flushed on return. */
  noteNow(transaction: number): void {
    writeSync(this.#descriptor, contentOf(transaction), 0, contentBytes, 0)
    fdatasyncSync(this.#descriptor)
  }

  /**
   * Waits for the note that is being written, since the system may give the number of a closed descriptor to another file.
   * `isSettled` when all of the log is flushed.
   */
  async close(isSettled: boolean): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#isNoting) {
      await new Promise<void>((done) => {
        this.#onNoted = done
      })
    }
    closeSync(this.#descriptor)
    if (!isSettled) return
    forgetUnsettled(this.#folder)
  }

  readonly #note = (): void => {
    const noted = this.#flushed
    this.#timer = undefined
    this.#isNoting = true
    // An error here is not told: the log's next flush meets the same disk, and tells everyone.
    write(this.#descriptor, contentOf(noted), 0, contentBytes, 0, () => {
      fdatasync(this.#descriptor, () => {
        this.#isNoting = false
        if (this.#onNoted !== undefined) this.#onNoted()
        else if (this.#flushed > noted) this.noteSoon(this.#flushed)
      })
    })
  }
}

/** The log in a folder is whole, whatever becomes of the power. */
export function forgetUnsettled(folder: string): void {
  removeDurably(folder, fileName)
}

/** The transaction that the file in a folder names; `undefined` when the last run was closed in order. */
export function readSettled(folder: string): number | undefined {
  const path = join(folder, fileName)
  if (!existsSync(path)) return undefined
  const content = readFileSync(path)
  if (content.length !== contentBytes || !isIntact(content)) {
    throw new DamageError(`the file ${fileName} beside it is damaged: its checksum does not match`)
  }
  return content.readDoubleLE(checksumBytes)
}

const contentBytes = checksumBytes + 8

function contentOf(transaction: number): Buffer {
  const content = Buffer.alloc(contentBytes)
  content.writeDoubleLE(transaction, checksumBytes)
  seal(content)
  return content
}
