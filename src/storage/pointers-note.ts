/** The record of the pointers as it is written with each write of entries. */
import type { EntryId, LogIndex } from '../raft/index.js'
import type { Chain } from './chain.js'
import type { NoteName } from './keys.js'
import type { Pointers, StoredSnapshot } from './notes.js'
import { sealNoteText } from './record.js'

const name: NoteName = 'pointers'

/**
 * Most writes move the end of the log alone. So the text before and after its numbers is kept from one write to the next,
 * since JSON of all pointers is dear for a write of one small entry.
 */
export class PointersNote {
  #base: EntryId | undefined
  #snapshot: StoredSnapshot | undefined
  #firstIndex: LogIndex = 0
  #firstPrevious = 0
  #before = ''
  #after = ''

  seal(base: EntryId, chain: Chain, snapshot: StoredSnapshot | undefined): Uint8Array {
    const { firstIndex, firstPrevious, lastIndex, tail } = chain
    const isSame =
      base === this.#base &&
      snapshot === this.#snapshot &&
      firstIndex === this.#firstIndex &&
      firstPrevious === this.#firstPrevious
    if (!isSame) {
      this.#base = base
      this.#snapshot = snapshot
      this.#firstIndex = firstIndex
      this.#firstPrevious = firstPrevious
      this.#divide({
        base,
        first: { index: firstIndex, previous: firstPrevious },
        last: { index: lastIndex, checksum: tail },
        snapshot,
      })
    }
    return sealNoteText(`${this.#before}${lastIndex}${between}${tail}${this.#after}`)
  }

  /** Keeps the text around the numbers of the end of the log. */
  #divide(pointers: Pointers): void {
    const { last } = pointers
    const text = JSON.stringify([name, pointers])
    const numbers = `"last":{"index":${last.index}${between}${last.checksum}}`
    const at = text.indexOf(numbers)
    this.#before = text.slice(0, at + '"last":{"index":'.length)
    this.#after = text.slice(at + numbers.length - 1)
  }
}

const between = ',"checksum":'
