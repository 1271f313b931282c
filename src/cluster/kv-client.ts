/**
 * The client of the key-value store. It uses nothing but what the client of any other machine can use: it packs each
 * command into the frame of the turn, and reads the answer out of the message that brings it.
 */
import { checkOptions, RaftError } from '../errors/index.js'
import {
  afterPrefix,
  type Bytes,
  type KeyedRecord,
  type KvRecord,
  type RangeBounds,
  readGetAnswer,
  readRangeAnswer,
  readWriteAnswer,
  valueBytesMax,
  type WriteAnswer,
  writeAppend,
  writeCas,
  writeDelete,
  writeGet,
  writePut,
  writeRange,
} from '../machine/index.js'
import type { LogIndex } from '../raft/index.js'
import type { Answers } from './answers.js'
import { type ReadOptions, readingAt, readOptionNames, type Stale, type StaleReadOptions } from './read-at.js'
import { type Calls, readingOfOne } from './readings.js'
import { invalid, taking } from './refusals.js'

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
  /** The present entry of a key that was not swapped; `undefined` when there is no such key. */
  readonly current: Entry | undefined
}

/** The value of a key, with its revisions. */
export type Entry = KvRecord<Buffer>

export interface RangeOptions {
  /** The first key, included. Default: from the beginning. */
  readonly start?: Bytes
  /** The first key that is left out. Default: to the end. */
  readonly end?: Bytes
  /** Instead of start and end: all keys that begin with it. */
  readonly prefix?: Bytes
  /** Entries at most, at least 1. Default 1000. */
  readonly limit?: number
}

export interface RangeResult {
  /** In the order of the keys' bytes. */
  readonly entries: readonly KeyedRecord<Buffer>[]
  /** Whether more keys lie within the bounds: go on from `afterKey` of the last one. */
  readonly hasMore: boolean
}

const written = readingOfOne('propose', (answers): Written => {
  const { revision } = writeAnswer(answers)
  return { index: answers.index, revision }
})

const deleted = readingOfOne('propose', (answers): Deleted => {
  const { status, revision } = writeAnswer(answers)
  return { index: answers.index, revision, deleted: status === 'applied' }
})

const swapped = readingOfOne(
  'propose',
  (answers): Swapped => {
    const answer = writeAnswer(answers)
    const { index } = answers
    const current = answer.status === 'mismatch' ? answer.current : undefined
    return { index, revision: answer.revision, swapped: answer.status === 'applied', current }
  },
  // Where the key holds another value than expected, the answer is that value.
  valueBytesMax,
)

const entry = readingOfOne('read', (answers): Entry | undefined => {
  const answer = readGetAnswer(answers, answers.start, answers.end)
  if (answer.status === 'malformed') throw refused(answer.status)
  return answer.status === 'found' ? answer.record : undefined
})

const range = readingOfOne('read', (answers): RangeResult => {
  const answer = readRangeAnswer(answers, answers.start, answers.end)
  if (answer.status === 'malformed') throw refused(answer.status)
  return { entries: answer.records, hasMore: answer.hasMore }
})

export class KvClient {
  readonly #calls: Calls

  /** Over a cluster whose machine understands the commands of the key-value store. */
  constructor(calls: Calls) {
    this.#calls = calls
  }

  put(key: Bytes, value: Bytes): Promise<Written> {
    return this.#calls.call(written, writePut, key, value)
  }

  delete(key: Bytes): Promise<Deleted> {
    return this.#calls.call(deleted, writeDelete, key)
  }

  /** Puts the value behind the present one; an absent key counts as an empty value. */
  append(key: Bytes, value: Bytes): Promise<Written> {
    return this.#calls.call(written, writeAppend, key, value)
  }

  /** Puts `value` if the key holds `expected`; `undefined` expects that there is no such key. */
  cas(key: Bytes, expected: Bytes | undefined, value: Bytes): Promise<Swapped> {
    return this.#calls.call(swapped, writeCas, key, expected, value)
  }

  /** A linearizable read: it sees every write that was acknowledged before it was called. Or a stale one. */
  get(key: Bytes, options?: ReadOptions): Promise<Entry | undefined>
  get(key: Bytes, options: StaleReadOptions): Promise<Stale<Entry | undefined>>
  get(key: Bytes, options?: ReadOptions | StaleReadOptions): Promise<unknown> {
    if (options === undefined) return this.#calls.call(entry, writeGet, key)
    return taking(() => {
      checkOptions('get', options, readOptionNames)
      return this.#calls.call<unknown, [Bytes]>(readingAt(entry, options), writeGet, key)
    })
  }

  /** A linearizable read of all keys within bounds, in order. Or a stale one. */
  range(options?: RangeOptions & ReadOptions): Promise<RangeResult>
  range(options: RangeOptions & StaleReadOptions): Promise<Stale<RangeResult>>
  range(options: RangeOptions & (ReadOptions | StaleReadOptions) = {}): Promise<unknown> {
    return taking(() => {
      const bounds = boundsOf(options)
      return this.#calls.call<unknown, [RangeBounds]>(readingAt(range, options), writeRange, bounds)
    })
  }
}

/** The bounds of a range; a prefix stands for both. */
function boundsOf(options: RangeOptions): RangeBounds {
  if (typeof options !== 'object' || options === null) {
    throw invalid('options', 'an object, as { prefix }', options === null ? 'null' : typeof options)
  }
  checkOptions('range', options, ['prefix', 'start', 'end', 'limit', ...readOptionNames])
  const { prefix, start, end, limit } = options
  const from = start === undefined ? '' : start
  const to = end === undefined ? '' : end
  const bounds = prefix === undefined ? { start: from, end: to } : { start: prefix, end: afterPrefix(prefix) }
  return limit === undefined ? bounds : { ...bounds, limit }
}

function writeAnswer(answers: Answers): WriteAnswer<Buffer> {
  const answer = readWriteAnswer(answers, answers.start, answers.end)
  if (answer.status === 'tooLarge' || answer.status === 'malformed') throw refused(answer.status)
  return answer
}

function refused(status: 'tooLarge' | 'malformed'): RaftError {
  const why = status === 'tooLarge' ? 'the value would become too large' : 'the command is malformed'
  return new RaftError('REFUSED_BY_MACHINE', { why })
}
