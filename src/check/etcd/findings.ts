/** The faults of a history, in the words of its records, and those that a call of unknown outcome may explain. */
import type { EtcdRecord, KeySpan } from './record.js'
import { recordWords } from './record-words.js'

/** Records that contradict each other. */
export interface EtcdFailure {
  readonly rule: string
  readonly message: string
  /** Places in the history, counted from 0. */
  readonly records: readonly number[]
}

/** The place of an unseen event that would explain a contradiction: at a key of the span, behind `from` and not behind `to`. */
export interface Gap {
  readonly span: KeySpan
  readonly from: number
  readonly to: number
}

/** A contradiction, unless an unseen event happened in one of the gaps. */
export interface Suspicion {
  readonly rule: string
  /** Texts and places of records; the message is built of them when it is asked for. */
  readonly parts: readonly (string | number)[]
  readonly gaps: readonly Gap[]
}

/** Contradictions and open questions that are told, and records that an open question names. */
export const failuresMax = 100
/** Suspicions that are kept at once. A judgement that finds more leaves the history undecided. */
const suspicionsMax = 100_000

export class Findings {
  readonly failures: EtcdFailure[] = []
  failureCount = 0
  /** Suspicions, and revisions with many possible makers, for which there was no room. */
  droppedCount = 0
  #suspicions: Suspicion[] = []
  readonly #records: readonly EtcdRecord[]

  constructor(records: readonly EtcdRecord[]) {
    this.#records = records
  }

  /** The parts of the message are texts and places of records. */
  fail(rule: string, ...parts: readonly (string | number)[]): void {
    this.add({ rule, parts })
  }

  add(said: Pick<Suspicion, 'rule' | 'parts'>): void {
    this.failureCount++
    if (this.failures.length < failuresMax) this.failures.push(this.told(said))
  }

  suspect(gaps: Gap | readonly Gap[], rule: string, ...parts: readonly (string | number)[]): void {
    if (this.#suspicions.length < suspicionsMax) this.#suspicions.push({ rule, parts, gaps: [gaps].flat() })
    else this.drop()
  }

  drop(): void {
    this.droppedCount++
  }

  /** The suspicions that were not taken so far. */
  takeSuspicions(): readonly Suspicion[] {
    const taken = this.#suspicions
    this.#suspicions = []
    return taken
  }

  words(at: number): string {
    return recordWords(this.#records[at]!, at)
  }

  told({ rule, parts }: Pick<Suspicion, 'rule' | 'parts'>): EtcdFailure {
    const message = parts.map((part) => (typeof part === 'number' ? this.words(part) : part)).join(' ')
    return { rule, message, records: parts.filter((part) => typeof part === 'number') }
  }
}
