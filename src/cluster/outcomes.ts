/** What calls of a cluster answer, and how it is read from the packed results of a message. */
import { RaftError } from '../errors/index.js'
import {
  type KeyedRecord,
  type KvRecord,
  readGetAnswer,
  readRangeAnswer,
  readWriteAnswer,
  type WriteAnswer,
} from '../machine/index.js'
import type { LogIndex } from '../raft/index.js'
import { Answers, type Reading, reading, readingOfOne } from './requests.js'

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
export type Entry = KvRecord<Buffer>

export interface RangeResult {
  /** In the order of the keys' bytes. */
  readonly entries: readonly KeyedRecord<Buffer>[]
  /** Whether more keys lie within the bounds: go on from `afterKey` of the last one. */
  readonly hasMore: boolean
}

export interface Applied {
  /** The place of the first command in the log; the others follow. */
  readonly index: LogIndex
  /** The machine's result for each command. */
  readonly results: readonly Buffer[]
}

/** Results are copied out of the message once a caller looks at them: a caller who writes in bulk mostly does not. */
class AppliedCommands implements Applied {
  readonly index: LogIndex
  readonly #bytes: Uint8Array
  readonly #start: number
  readonly #count: number
  #copied: readonly Buffer[] | undefined

  /** Takes the `count` answers of a call. */
  constructor(answers: Answers, count: number) {
    this.index = answers.index + 1
    this.#bytes = answers.bytes
    this.#start = answers.end
    this.#count = count
    answers.skip()
  }

  get results(): readonly Buffer[] {
    if (this.#copied === undefined) {
      const answers = new Answers(this.#bytes, this.#start, this.index)
      this.#copied = Array.from({ length: this.#count }, () => {
        answers.beginOne()
        return presentResult(answers)
      })
    }
    return this.#copied
  }
}

export const written = readingOfOne('propose', (answers): Written => {
  const { revision } = writeAnswer(answers)
  return { index: answers.index, revision }
})

export const deleted = readingOfOne('propose', (answers): Deleted => {
  const { status, revision } = writeAnswer(answers)
  return { index: answers.index, revision, deleted: status === 'applied' }
})

export const swapped = readingOfOne(
  'propose',
  (answers): Swapped => {
    const answer = writeAnswer(answers)
    const { index } = answers
    const current = answer.status === 'mismatch' ? answer.current : undefined
    return { index, revision: answer.revision, swapped: answer.status === 'applied', current }
  },
  // Where the key holds another value than expected, the answer is that value.
  true,
)

export const entry = readingOfOne('read', (answers): Entry | undefined => {
  const answer = readGetAnswer(answers, answers.start, answers.end)
  if (answer.status === 'malformed') throw refused(answer.status)
  return answer.status === 'found' ? answer.record : undefined
})

export const range = readingOfOne('read', (answers): RangeResult => {
  const answer = readRangeAnswer(answers, answers.start, answers.end)
  if (answer.status === 'malformed') throw refused(answer.status)
  return { entries: answer.records, hasMore: answer.hasMore }
})

export const result = readingOfOne('read', presentResult)

export function applied(count: number): Reading<Applied> {
  return reading('propose', count, (answers) => new AppliedCommands(answers, count))
}

function presentResult(answers: Answers): Buffer {
  return answers.take(answers.start, answers.end)
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
