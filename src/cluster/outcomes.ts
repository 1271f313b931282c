/** What calls of a cluster answer, and how it is read from the packed results of a message. */
import { RaftError } from '../errors/index.js'
import {
  type KvRecord,
  readGetAnswer,
  readRangeAnswer,
  readWriteAnswer,
  type WriteAnswer,
} from '../machine/index.js'
import type { LogIndex } from '../raft/index.js'
import { type ResultCursor, Results } from './requests.js'

/** A write that happened. */
export interface Written {
  /** The place of the command in the log. */
  readonly index: LogIndex
  /** The revision of the store that the write made, or the present one when it changed nothing. */
  readonly revision: number
}

export interface Deleted extends Written {
  /** Whether there was such a key. */
  readonly deleted: boolean
}

export interface Swapped extends Written {
  readonly swapped: boolean
  /** What the key holds when it was not swapped; `undefined` when there is no such key. */
  readonly current: Entry | undefined
}

/** What a key holds. */
export interface Entry extends Omit<KvRecord, 'value'> {
  readonly value: Buffer
}

export interface RangeResult {
  /** In the order of the keys' bytes. */
  readonly entries: readonly (Entry & { readonly key: Buffer })[]
  /** Whether more keys lie within the bounds: go on from `afterKey` of the last one. */
  readonly hasMore: boolean
}

export interface Applied {
  /** The place of the first command in the log; the others follow. */
  readonly index: LogIndex
  /** The machine's result for each command. */
  readonly results: readonly Buffer[]
}

/** Results are copied out of the message when somebody looks at them: who writes in bulk mostly does not. */
export class AppliedCommands implements Applied {
  readonly index: LogIndex
  readonly #bytes: Uint8Array
  readonly #start: number
  readonly #count: number
  #copied: readonly Buffer[] | undefined

  /** Leaves the cursor after the last of `count` results. */
  constructor(results: ResultCursor, index: LogIndex, count: number) {
    this.index = index
    this.#bytes = results.bytes
    this.#start = results.end
    this.#count = count
    results.skip(count)
  }

  get results(): readonly Buffer[] {
    if (this.#copied === undefined) {
      const results = new Results(this.#bytes, this.#start)
      this.#copied = Array.from({ length: this.#count }, () => nextResult(results))
    }
    return this.#copied
  }
}

export function nextResult(results: ResultCursor): Buffer {
  results.advance()
  return Buffer.from(results.bytes.subarray(results.start, results.end))
}

export function nextWritten(results: ResultCursor, index: LogIndex): Written {
  return written(nextWriteAnswer(results), index)
}

export function nextDeleted(results: ResultCursor, index: LogIndex): Deleted {
  const answer = nextWriteAnswer(results)
  return { ...written(answer, index), deleted: answer.status === 'applied' }
}

export function nextSwapped(results: ResultCursor, index: LogIndex): Swapped {
  const answer = nextWriteAnswer(results)
  const current = answer.status === 'mismatch' && answer.current ? entryOf(answer.current) : undefined
  return { ...written(answer, index), swapped: answer.status === 'applied', current }
}

export function nextEntry(results: ResultCursor): Entry | undefined {
  results.advance()
  const answer = readGetAnswer(results.bytes, results.start, results.end)
  if (answer.status === 'malformed') throw refused(answer.status)
  return answer.status === 'found' ? entryOf(answer.record) : undefined
}

export function nextRange(results: ResultCursor): RangeResult {
  results.advance()
  const answer = readRangeAnswer(results.bytes, results.start)
  if (answer.status === 'malformed') throw refused(answer.status)
  const entries = answer.records.map((record) => ({ ...entryOf(record), key: Buffer.from(record.key) }))
  return { entries, hasMore: answer.hasMore }
}

function nextWriteAnswer(results: ResultCursor): WriteAnswer {
  results.advance()
  return readWriteAnswer(results.bytes, results.start, results.end)
}

function written(answer: WriteAnswer, index: LogIndex): Written {
  if (answer.status === 'tooLarge' || answer.status === 'malformed') throw refused(answer.status)
  return { index, revision: answer.revision }
}

function refused(status: 'tooLarge' | 'malformed'): RaftError {
  const why = status === 'tooLarge' ? 'the value would become too large' : 'the command is malformed'
  return new RaftError('REFUSED_BY_MACHINE', { why })
}

/** Copied out of the message, which holds the results of many calls. */
function entryOf({ value, createRevision, modRevision, version }: KvRecord): Entry {
  return { value: Buffer.from(value), createRevision, modRevision, version }
}
