/** Keys as the leader and one node see them, beside each other. */
import type { KeysTold } from '../server/index.js'

export interface KeyEntry {
  /** Bytes that are no text stand in base64. */
  readonly key: string
  readonly value: string
  readonly version: number
  readonly modRevision: number
}

/** All that one watch told up to now. */
export interface KeysSeen {
  readonly entries: ReadonlyMap<string, KeyEntry>
  readonly index: number | undefined
  /** `null`: how old it is, is not known. */
  readonly ageMs: number | null | undefined
  readonly hasMore: boolean
}

export const nothingSeen: KeysSeen = {
  entries: new Map(),
  index: undefined,
  ageMs: undefined,
  hasMore: false,
}

/** Takes changes. A watch that was begun anew tells all keys once more. */
export function withChanges(seen: KeysSeen, told: KeysTold, isFirst: boolean): KeysSeen {
  const entries = new Map(isFirst ? [] : seen.entries)
  for (const gone of told.gone) entries.delete(nameIn(gone, 'key'))
  for (const put of told.put) {
    const key = nameIn(put, 'key')
    const { version, modRevision } = put as { readonly version: number; readonly modRevision: number }
    entries.set(key, { key, value: nameIn(put, 'value'), version, modRevision })
  }
  const { index, ageMs, hasMore } = told
  return { entries, index, ageMs, hasMore }
}

function nameIn(told: Readonly<Record<string, unknown>>, name: string): string {
  return String(told[name] ?? `base64 ${told[`${name}Base64`]}`)
}

export interface KeyRow {
  readonly key: string
  readonly leader: KeyEntry | undefined
  readonly node: KeyEntry | undefined
  /** The node has another version of it, or none. */
  readonly isBehind: boolean
}

/** The first rows in the order of keys. Rows in which both differ come before all others. */
export function rowsOf(
  leader: KeysSeen['entries'],
  node: KeysSeen['entries'] | undefined,
  rowsMax: number,
): { readonly rows: readonly KeyRow[]; readonly leftOut: number; readonly behind: number } {
  const keys = [...new Set([...leader.keys(), ...(node?.keys() ?? [])])].sort()
  const rows = keys.map((key): KeyRow => {
    const [ofLeader, ofNode] = [leader.get(key), node?.get(key)]
    const isBehind = node !== undefined && ofLeader?.modRevision !== ofNode?.modRevision
    return { key, leader: ofLeader, node: ofNode, isBehind }
  })
  const behind = rows.filter(({ isBehind }) => isBehind)
  const ordered = [...behind, ...rows.filter(({ isBehind }) => !isBehind)]
  return {
    rows: ordered.slice(0, rowsMax),
    leftOut: Math.max(0, ordered.length - rowsMax),
    behind: behind.length,
  }
}
