/** Which revision was known to somebody at which time. */
import { type EtcdRecord, isCall, isOk } from './record.js'
import { firstPlace, sortedInTurns } from './sorted.js'

export interface Telling {
  readonly time: number
  readonly revision: number
  readonly at: number
}

export class Known {
  /** Each tells a higher revision than all that were told before it. */
  readonly #rising: Telling[] = []

  #heard: Telling[] = []

  hear(record: EtcdRecord, at: number): void {
    const telling = tellingOf(record, at)
    if (telling !== undefined) this.#heard.push(telling)
  }

  /** Called once, when all records were heard. Turns. */
  *settle(): Generator<void> {
    for (const telling of yield* sortedInTurns(this.#heard, (one, other) => one.time - other.time)) {
      if (telling.revision > (this.#rising.at(-1)?.revision ?? 0)) this.#rising.push(telling)
      yield
    }
    this.#heard = []
  }

  /** The highest revision that was told before that time. */
  before(time: number): Telling | undefined {
    return this.#rising[firstPlace(this.#rising, (telling) => telling.time >= time) - 1]
  }

  /** The first one to tell of that revision, or of a later one. */
  firstOf(revision: number): Telling | undefined {
    return this.#rising[firstPlace(this.#rising, (telling) => telling.revision >= revision)]
  }

  /** Whether an event of the revision may be the work of a call that began at the time. */
  mayFollow(revision: number, call: number): boolean {
    return revision > (this.before(call)?.revision ?? 0)
  }
}

function tellingOf(record: EtcdRecord, at: number): Telling | undefined {
  if (record.op === 'watchResponse') return { time: record.return, revision: record.revision, at }
  if (!isCall(record) || !isOk(record) || record.revision === undefined) return undefined
  return { time: record.return, revision: record.revision, at }
}
