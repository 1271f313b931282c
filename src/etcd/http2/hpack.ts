/** Headers as HTTP/2 packs them (RFC 7541). Whoever reads a connection must read each of its blocks, in their order. */
import { decodeHuffman } from './huffman.js'

export interface Header {
  readonly name: string
  readonly value: string
}

/** The indices 1 to 61: appendix A. A name without a value stands alone. */
const staticTable: readonly Header[] = [
  [':authority'],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  ...['200', '204', '206', '304', '400', '404', '500'].map((status) => [':status', status]),
  ['accept-charset'],
  ['accept-encoding', 'gzip, deflate'],
  ...names(`accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control
    content-disposition content-encoding content-language content-length content-location content-range content-type
    cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since
    last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after
    server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate`),
].map(([name = '', value = '']) => ({ name, value }))

function names(text: string): string[][] {
  return text.split(/\s+/).map((name) => [name])
}

/** Bytes that a header counts for in the table, beside its name and its value. */
const overheadBytes = 32
const staticSizes = staticTable.map(({ name, value }) => sizeOf(name, value))
/** The size of the table that a client may use unless it is told of another. */
const tableBytesMax = 4096
/** Of all headers of one block. */
export const headerBytesMax = 64 << 10
/** A number that needs more bytes is none of a header's. */
const shiftMax = 21

export class HpackError extends Error {}

export class HpackDecoder<Kept extends Header> {
  /** Makes of a header what is kept of it: a header that comes again by its index is the same object. */
  readonly #keep: (name: string, value: string) => Kept
  readonly #static: readonly Kept[]
  /** The newest is the last. */
  readonly #table: Kept[] = []
  /** The size of each header of `#table` as the client sent it: what is kept of a header may be shorter. */
  readonly #sizes: number[] = []
  #tableBytes = 0
  #sizeMax = tableBytesMax
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0
  /** The size of the header that was read last. */
  #size = 0

  constructor(keep: (name: string, value: string) => Kept) {
    this.#keep = keep
    this.#static = staticTable.map(({ name, value }) => keep(name, value))
  }

  /** The headers of a whole block, into `headers`. Throws a `HpackError`, after which the connection can not be read. */
  decode(bytes: Buffer, start: number, end: number, headers: Kept[]): void {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    let total = 0
    while (this.#at < end) {
      const first = bytes[this.#at]!
      if ((first & 0xe0) === 0x20) {
        // The size of the table changes before the first header of a block alone (RFC 7541, section 4.2).
        if (total > 0) throw new HpackError('a table changes its size in the midst of a block')
        this.#resize(this.#number(5))
        continue
      }
      const header = (first & 0x80) !== 0 ? this.#indexed(this.#number(7)) : this.#literal(first)
      total += this.#size
      if (total > headerBytesMax) throw new HpackError('too many headers')
      headers.push(header)
    }
  }

  #literal(first: number): Kept {
    const isKept = (first & 0xc0) === 0x40
    const index = this.#number(isKept ? 6 : 4)
    const name = index === 0 ? this.#text() : this.#indexed(index).name
    const value = this.#text()
    const header = this.#keep(name, value)
    this.#size = sizeOf(name, value)
    if (isKept) this.#add(header)
    return header
  }

  #indexed(index: number): Kept {
    const fromNewest = index - this.#static.length - 1
    const at = this.#table.length - 1 - fromNewest
    const header = fromNewest < 0 ? this.#static[index - 1] : this.#table[at]
    if (header === undefined) throw new HpackError(`no header has the index ${index}`)
    this.#size = fromNewest < 0 ? staticSizes[index - 1]! : this.#sizes[at]!
    return header
  }

  #add(header: Kept): void {
    this.#tableBytes += this.#size
    this.#table.push(header)
    this.#sizes.push(this.#size)
    this.#evict()
  }

  #resize(sizeMax: number): void {
    if (sizeMax > tableBytesMax) throw new HpackError('a table larger than allowed')
    this.#sizeMax = sizeMax
    this.#evict()
  }

  /** A header that is larger than the table empties it. */
  #evict(): void {
    let gone = 0
    for (; this.#tableBytes > this.#sizeMax; gone++) this.#tableBytes -= this.#sizes[gone]!
    if (gone === 0) return
    this.#table.splice(0, gone)
    this.#sizes.splice(0, gone)
  }

  /** A number whose first byte has `bits` bits of it. */
  #number(bits: number): number {
    const most = (1 << bits) - 1
    let value = this.#byte() & most
    if (value < most) return value
    for (let shift = 0; ; shift += 7) {
      if (shift > shiftMax) throw new HpackError('a number is too large')
      const byte = this.#byte()
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }

  #text(): string {
    const isPacked = this.#at < this.#end && (this.#bytes[this.#at]! & 0x80) !== 0
    const length = this.#number(7)
    const start = this.#at
    const end = start + length
    if (end > this.#end) throw new HpackError('a text is cut off')
    this.#at = end
    if (!isPacked) return this.#bytes.toString('latin1', start, end)
    const text = decodeHuffman(this.#bytes, start, end)
    if (text === undefined) throw new HpackError('a text is not in the code')
    return text
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new HpackError('a block is cut off')
    return this.#bytes[this.#at++]!
  }
}

function sizeOf(name: string, value: string): number {
  return name.length + value.length + overheadBytes
}

/** A block that needs no table: each header is written out. */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  const parts = headers.flatMap(({ name, value }) => [Buffer.of(0), ...textOf(name), ...textOf(value)])
  return Buffer.concat(parts)
}

function textOf(text: string): Buffer[] {
  const bytes = Buffer.from(text, 'latin1')
  return [numberOf(bytes.length, 7), bytes]
}

function numberOf(value: number, bits: number): Buffer {
  const most = (1 << bits) - 1
  if (value < most) return Buffer.of(value)
  const bytes = [most]
  let rest = value - most
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
