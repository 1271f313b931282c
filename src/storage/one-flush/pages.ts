/**
 * LMDB's file, read without LMDB: what each of its two meta pages leads to. LMDB shows the newest transaction only,
 * and believes what it finds; here nothing is believed, since a power loss may have left any of it out. Whatever is
 * not where it should be counts as absent, and what is found has still to be checked by whoever asked.
 *
 * Offsets are those of the releases that `lmdb-version.ts` names, on little-endian machines of 64 bits (their page
 * header has the transaction's number in it, unlike that of the LMDB 0.9 of other packages).
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { DamageError } from '../record.js'

/** What a meta page says. */
export interface Meta {
  /** The transaction that wrote it. */
  readonly transaction: number
  /** Page at the top of the tree; `undefined` when it is empty. */
  readonly root: number | undefined
  /** The last page that the transaction knew of. */
  readonly lastPage: number
}

export interface LmdbPages {
  readonly newest: Meta
  /** The transaction before the newest one. */
  readonly older: Meta
  readonly pageBytes: number
  /** A copy of what a key led to in the tree of a meta page. */
  get(meta: Meta, key: Uint8Array): Uint8Array | undefined
}

/**
 * Calls back with the pages of a file, and with `undefined` when there is none, or nothing was ever written to it: it
 * was created, and then the power went. Throws when the meta pages are not whole: LMDB believes these without a look,
 * and a damaged one takes the whole process with it.
 */
export function withPages<Result>(file: string, use: (pages: LmdbPages | undefined) => Result): Result {
  if (!existsSync(file)) return use(undefined)
  const descriptor = openSync(file, 'r')
  try {
    return use(fstatSync(descriptor).size === 0 ? undefined : new FilePages(descriptor))
  } finally {
    closeSync(descriptor)
  }
}

/** The newest transaction in a file; 0 in a new one. */
export function newestTransaction(file: string): number {
  return withPages(file, (pages) => pages?.newest.transaction ?? 0)
}

/** Bytes of a file with all pages that its meta pages know of. The last ones need not have been written. */
export function wholeBytesOf(file: string): number {
  return withPages(file, (pages) => {
    if (pages === undefined) return 0
    return (1 + Math.max(pages.newest.lastPage, pages.older.lastPage)) * pages.pageBytes
  })
}

/**
 * True for a file in which no transaction ever was. LMDB's first write makes the two meta pages of an empty tree, and a
 * power loss leaves each sector of that write or zeros in its place.
 */
export function holdsNoTransaction(file: string): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return true
  if (size > firstPagesBytesMax) return false
  const bytes = readFileSync(file)
  for (let at = 0; at < bytes.length; at += sectorBytes) {
    if (!isOfEmptyTree(bytes.subarray(at, at + sectorBytes))) return false
  }
  return true
}

/** Two pages of the largest size that LMDB takes. */
const firstPagesBytesMax = 2 * 2 ** 16
const sectorBytes = 512

function isOfEmptyTree(sector: Buffer): boolean {
  if (sector.every((byte) => byte === 0)) return true
  if (sector.length < metaBytes) return false
  const meta = metaIn(sector, sector.readUInt32LE(metaOffsets.pageBytes))
  return meta?.transaction === 0 && meta.root === undefined
}

const magic = 0xbeefc0de
const version = 2
/** Of the first page, and of its like at the beginning of the second. */
const metaOffsets = {
  magic: 24,
  version: 28,
  pageBytes: 48,
  root: 136,
  lastPage: 144,
  transaction: 152,
} as const
const metaBytes = 160

const headerBytes = 24
const pageOffsets = { number: 0, flags: 18, lower: 20 } as const
const pageFlags = { branch: 1, leaf: 2, meta: 8 } as const

/** A node: two halves of a number, flags, the length of its key, the key, the value. */
const nodeOffsets = { low: 0, high: 2, flags: 4, keyBytes: 6, key: 8 } as const
/** Its value is the number of the page where the value begins. */
const isElsewhere = 1
const none = 2n ** 64n - 1n

/** Deeper than any tree, unless it goes in a circle. */
const depthMax = 32

interface Node {
  /** Of a branch, the child; of a leaf, the length of the value. */
  readonly number: number
  readonly flags: number
  readonly key: Buffer
  /** Where in the page the value begins. */
  readonly valueOffset: number
}

class FilePages implements LmdbPages {
  readonly newest: Meta
  readonly older: Meta
  readonly #descriptor: number
  readonly pageBytes: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
    const first = this.#read(0, metaBytes)
    this.pageBytes = first?.readUInt32LE(metaOffsets.pageBytes) ?? 0
    const pages = [first, this.#read(this.pageBytes, metaBytes)]
    const metas = pages.map((page) => metaIn(page, this.pageBytes))
    const [newest, older] = metas.sort((left, right) => (right?.transaction ?? 0) - (left?.transaction ?? 0))
    if (newest === undefined || older === undefined || this.pageBytes === 0)
      throw new DamageError('its first pages are damaged')
    this.newest = newest
    this.older = older
  }

  get({ root }: Meta, key: Uint8Array): Uint8Array | undefined {
    let number = root
    for (let depth = 0; number !== undefined && depth < depthMax; depth++) {
      const page = this.#read(number * this.pageBytes, this.pageBytes)
      if (page === undefined || Number(page.readBigUInt64LE(pageOffsets.number)) !== number) return undefined
      const flags = page.readUInt16LE(pageOffsets.flags)
      const nodes = nodesIn(page)
      if (flags === pageFlags.leaf)
        return this.#valueOf(
          page,
          nodes.find((node) => node.key.equals(key)),
        )
      if (flags !== pageFlags.branch) return undefined
      // The first node of a branch stands for all keys before the second, and has none of its own.
      number = nodes.findLast((node, place) => place === 0 || node.key.compare(key) <= 0)?.number
    }
    return undefined
  }

  #valueOf(page: Buffer, node: Node | undefined): Uint8Array | undefined {
    if (node === undefined) return undefined
    const { number: bytes, valueOffset } = node
    if ((node.flags & isElsewhere) === 0) {
      return valueOffset + bytes <= page.length ? page.subarray(valueOffset, valueOffset + bytes) : undefined
    }
    if (valueOffset + 8 > page.length) return undefined
    const first = Number(page.readBigUInt64LE(valueOffset))
    return this.#read(first * this.pageBytes + headerBytes, bytes)
  }

  /** So many bytes, or nothing when the file does not have them all. */
  #read(position: number, bytes: number): Buffer | undefined {
    if (position + bytes > fstatSync(this.#descriptor).size) return undefined
    const buffer = Buffer.alloc(bytes)
    return readSync(this.#descriptor, buffer, 0, bytes, position) === bytes ? buffer : undefined
  }
}

function metaIn(page: Buffer | undefined, pageBytes: number): Meta | undefined {
  if (page?.readUInt32LE(metaOffsets.magic) !== magic) return undefined
  if (page.readUInt16LE(metaOffsets.version) !== version) return undefined
  if (page.readUInt16LE(pageOffsets.flags) !== pageFlags.meta) return undefined
  if (page.readUInt32LE(metaOffsets.pageBytes) !== pageBytes) return undefined
  const root = page.readBigUInt64LE(metaOffsets.root)
  return {
    transaction: Number(page.readBigUInt64LE(metaOffsets.transaction)),
    root: root === none ? undefined : Number(root),
    lastPage: Number(page.readBigUInt64LE(metaOffsets.lastPage)),
  }
}

/** The nodes of a page in the order of their keys, without those that do not lie within it. */
function nodesIn(page: Buffer): Node[] {
  const nodes: Node[] = []
  const count = Math.min(page.readUInt16LE(pageOffsets.lower) >> 1, (page.length - headerBytes) >> 1)
  for (let place = 0; place < count; place++) {
    const offset = headerBytes + page.readUInt16LE(headerBytes + 2 * place)
    if (offset + nodeOffsets.key > page.length) continue
    const keyOffset = offset + nodeOffsets.key
    const valueOffset = keyOffset + page.readUInt16LE(offset + nodeOffsets.keyBytes)
    if (valueOffset > page.length) continue
    nodes.push({
      number:
        page.readUInt16LE(offset + nodeOffsets.low) + page.readUInt16LE(offset + nodeOffsets.high) * 2 ** 16,
      flags: page.readUInt16LE(offset + nodeOffsets.flags),
      key: page.subarray(keyOffset, valueOffset),
      valueOffset,
    })
  }
  return nodes
}
