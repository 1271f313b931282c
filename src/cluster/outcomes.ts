/** The answers of any machine as they are: bytes, copied out of the packed results of a message. */
import type { LogIndex } from '../raft/index.js'
import { Answers } from './answers.js'
import { type Reading, reading, readingOfOne } from './readings.js'

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

export const result = readingOfOne('read', presentResult)

export function applied(count: number): Reading<Applied> {
  return reading('propose', count, (answers) => new AppliedCommands(answers, count))
}

function presentResult(answers: Answers): Buffer {
  return answers.take(answers.start, answers.end)
}
