/** Keys of a cluster and how they change, as one node or the leader sees them. */
import type { Cluster, RangeResult } from '../cluster/index.js'
import type { NodeId } from '../raft/index.js'
import { refusalOf, textOrBytes } from '../verbs/index.js'
import type { Reader } from './readers.js'

const lookEveryMs = 250

/** Changes since the one before. The first one holds all keys. */
export interface KeysTold {
  /** Where a node is named: its index, and how old the state may be at most; `null`: that is not known. */
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

/** `from` is left out: linearizable reads at the leader. */
export function watchKeys(cluster: Cluster, reader: Reader, prefix: string, from: NodeId | undefined): void {
  const look = async (): Promise<Seen> => {
    if (from === undefined) return { result: await cluster.range({ prefix }) }
    const { answer: result, index, ageMs } = await cluster.range({ prefix, from, stale: true })
    return { result, index, ageMs }
  }
  const keys = new SeenKeys()
  let isFirst = true
  let trouble = ''
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const tell = async (): Promise<void> => {
    try {
      const { result, ...age } = await look()
      const changes = keys.changes(result)
      const isNews = isFirst || trouble !== '' || changes.put.length + changes.gone.length > 0
      if (isNews) reader.send({ event: 'keys', data: JSON.stringify({ ...age, ...changes }) })
      else if (from !== undefined) reader.send({ event: 'age', data: JSON.stringify(age) })
      isFirst = false
      trouble = ''
    } catch (error) {
      const data = JSON.stringify(refusalOf(error))
      if (data !== trouble) reader.send({ event: 'trouble', data })
      trouble = data
    }
  }
  const next = async (): Promise<void> => {
    if (!reader.isBehind) await tell()
    if (!isOver) timer = setTimeout(next, lookEveryMs).unref()
  }
  reader.onClose(() => {
    isOver = true
    clearTimeout(timer)
  })
  void next()
}

class SeenKeys {
  /** The last entry of each key, by its bytes as text. */
  #entries = new Map<string, Entry>()

  changes({ entries, hasMore }: RangeResult): Omit<KeysTold, 'index' | 'ageMs'> {
    const before = this.#entries
    this.#entries = new Map(entries.map((entry) => [entry.key.toString('latin1'), entry]))
    const put = [...this.#entries].flatMap(([key, entry]) =>
      before.get(key)?.modRevision === entry.modRevision ? [] : [toldOf(entry)],
    )
    const gone = [...before].flatMap(([key, entry]) =>
      this.#entries.has(key) ? [] : [textOrBytes('key', entry.key)],
    )
    return { put, gone, hasMore }
  }
}

function toldOf({ key, value, version, modRevision }: Entry): Readonly<Record<string, unknown>> {
  return { ...textOrBytes('key', key), ...textOrBytes('value', value), version, modRevision }
}
