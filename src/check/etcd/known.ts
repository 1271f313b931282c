/** Which revision was known to somebody at which time. */
import { type EtcdRecord, isCall, isOk } from './record.js'
import { firstPlace } from './sorted.js'

export interface Telling {
  readonly time: number
  readonly revision: number
  readonly at: number
}

export class Known {
  /** Each tells a higher revision than all that were told before it. */
  readonly #rising: Telling[] = []

  constructor(records: readonly EtcdRecord[]) {
    const all = records
      .flatMap((record, at) => tellingsOf(record, at))
      .sort((one, other) => one.time - other.time)
    for (const telling of all)
      if (telling.revision > (this.#rising.at(-1)?.revision ?? 0)) this.#rising.push(telling)
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

function tellingsOf(record: EtcdRecord, at: number): Telling[] {
  if (record.op === 'watchResponse') return [{ time: record.return, revision: record.revision, at }]
  if (!isCall(record) || !isOk(record) || record.revision === undefined) return []
  return [{ time: record.return, revision: record.revision, at }]
}
