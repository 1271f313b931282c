/** `raftbox replay` of a file that `raftbox sim --shrink` or `raftbox search --record` wrote: the same steps, or the same world, once more. */
import { rerun } from '../jobs/index.js'
import { BadFailure, FailureReader } from '../shrink/index.js'
import { BadInput, counted } from '../terminal/index.js'
import { nameOfInput } from './input/bytes.js'

/** Reads such a file line by line, and runs it again at the end. */
export class FailureReplay {
  readonly #name: string
  readonly #reader = new FailureReader()

  constructor(file: string) {
    this.#name = nameOfInput(file)
  }

  take(line: number, text: string): void {
    this.#checked(`${this.#name}, line ${line}`, () => this.#reader.take(text))
  }

  /** The exit code: 1 when a rule is broken. */
  async end(isJson: boolean, signal: AbortSignal): Promise<number> {
    const failure = this.#checked(this.#name, () => this.#reader.failure)
    const result = await rerun(failure, signal)
    const { broken, told, skipped } = result
    if (isJson) console.log(JSON.stringify(result))
    else {
      for (const [at, words] of told.entries()) console.log(`${at + 1}. ${words}`)
      const what = failure.type !== 'world' ? counted(told.length, 'step') : `a run of seed ${failure.seed}`
      const left = skipped > 0 ? `; ${counted(skipped, 'step')} could not be taken` : ''
      if (broken !== undefined) console.log(`${broken.rule}: ${broken.detail}`)
      console.log(`${what}: ${broken === undefined ? 'no violation' : 'a violation'}${left}`)
    }
    return broken === undefined ? 0 : 1
  }

  #checked<T>(where: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof BadFailure)) throw error
      throw new BadInput(
        `${where}: ${error.message}; give a file that raftbox sim --shrink or search --record wrote`,
      )
    }
  }
}
