/** Keys of a cluster and how they change, as the leader or one node sees them. Readers of the same keys share each look. */
import type { Cluster, RangeResult } from '../cluster/index.js'
import type { NodeId } from '../raft/index.js'
import { type Refusal, refusalOf, textOrBytes } from '../verbs/index.js'
import type { Reader } from './readers.js'

const lookEveryMs = 250

/** Changes since the one before. The first one holds all keys. */
export interface KeysTold {
  /** Where a node is named: the node, its index, and how old the state may be at most; `null`: that is not known. */
  readonly from?: NodeId
  readonly index?: number
  readonly ageMs?: number | null
  readonly put: readonly Readonly<Record<string, unknown>>[]
  /** Keys that are gone, or are not among the first 1000 any more. */
  readonly gone: readonly Readonly<Record<string, string>>[]
  readonly hasMore: boolean
}

type Entry = RangeResult['entries'][number]

interface Seen {
  readonly result: RangeResult
  readonly index?: number
  readonly ageMs?: number
}

export class KeyWatches {
  readonly #cluster: Cluster
  readonly #views = new Map<string, KeyView>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Tells the reader of the keys until it leaves. `from` is left out: linearizable reads at the leader. */
  tell(reader: Reader, prefix: string, from: NodeId | undefined): void {
    const name = `${from ?? ''} ${prefix}`
    const view = this.#views.get(name) ?? new KeyView(() => this.#look(prefix, from))
    this.#views.set(name, view)
    const keyReader = new KeyReader(reader, from)
    view.add(keyReader)
    reader.onClose(() => {
      if (view.isEmptyWithout(keyReader)) this.#views.delete(name)
    })
  }

  async #look(prefix: string, from: NodeId | undefined): Promise<Seen> {
    if (from === undefined) return { result: await this.#cluster.range({ prefix }) }
    const { answer: result, index, ageMs } = await this.#cluster.range({ prefix, from, stale: true })
    return { result, index, ageMs }
  }
}

/** The same keys, for all who read them. */
class KeyView {
  readonly #look: () => Promise<Seen>
  readonly #readers = new Set<KeyReader>()
  #timer: NodeJS.Timeout | undefined
  #isLooking = false

  constructor(look: () => Promise<Seen>) {
    this.#look = look
  }

  /** A reader that comes is told at once, or with the look that goes on. */
  add(reader: KeyReader): void {
    this.#readers.add(reader)
    if (!this.#isLooking) void this.#next()
  }

  isEmptyWithout(reader: KeyReader): boolean {
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return false
    clearTimeout(this.#timer)
    return true
  }

  async #next(): Promise<void> {
    clearTimeout(this.#timer)
    this.#isLooking = true
    if ([...this.#readers].some(({ isBehind }) => !isBehind)) await this.#tell()
    this.#isLooking = false
    if (this.#readers.size > 0) this.#timer = setTimeout(() => this.#next(), lookEveryMs).unref()
  }

  async #tell(): Promise<void> {
    let tell: (reader: KeyReader) => void
    try {
      const seen = await this.#look()
      tell = (reader) => reader.saw(seen)
    } catch (error) {
      const refusal = refusalOf(error)
      tell = (reader) => reader.failed(refusal)
    }
    for (const reader of this.#readers) if (!reader.isBehind) tell(reader)
  }
}

/** A reader and what it was told. */
class KeyReader {
  readonly #reader: Reader
  readonly #from: NodeId | undefined
  /** The last revision of each key, by its bytes as text. `undefined`: nothing was told. */
  #revisions: ReadonlyMap<string, number> | undefined
  #hasMore = false
  #trouble = ''

  constructor(reader: Reader, from: NodeId | undefined) {
    this.#reader = reader
    this.#from = from
  }

  get isBehind(): boolean {
    return this.#reader.isBehind
  }

  saw({ result: { entries, hasMore }, ...age }: Seen): void {
    const before = this.#revisions
    const after = new Map(entries.map(({ key, modRevision }) => [key.toString('latin1'), modRevision]))
    const put = entries.filter(({ key, modRevision }) => before?.get(key.toString('latin1')) !== modRevision)
    const gone = [...(before?.keys() ?? [])].filter((key) => !after.has(key))
    const isSame = before !== undefined && put.length + gone.length === 0 && hasMore === this.#hasMore
    if (!isSame || this.#trouble !== '')
      this.#send('keys', {
        ...age,
        put: put.map(toldOf),
        gone: gone.map((key) => textOrBytes('key', Buffer.from(key, 'latin1'))),
        hasMore,
      } satisfies KeysTold)
    else if (this.#from !== undefined) this.#send('age', age)
    this.#revisions = after
    this.#hasMore = hasMore
    this.#trouble = ''
  }

  failed(refusal: Refusal): void {
    const trouble = JSON.stringify(refusal)
    if (trouble !== this.#trouble) this.#send('trouble', refusal)
    this.#trouble = trouble
  }

  #send(event: string, told: object): void {
    const from = this.#from === undefined ? {} : { from: this.#from }
    this.#reader.send({ event, data: JSON.stringify({ ...from, ...told }) })
  }
}

function toldOf({ key, value, version, modRevision }: Entry): Readonly<Record<string, unknown>> {
  return { ...textOrBytes('key', key), ...textOrBytes('value', value), version, modRevision }
}
