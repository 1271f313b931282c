/** Reads exports, and believes no byte that its checksum does not cover. */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { type RaftError, reasonOf } from '../errors/index.js'
import {
  blockBytesMax,
  blockHeadBytes,
  checksumLineBytes,
  type ExportHead,
  exportVersion,
  firstWords,
  headBytes,
  sha256Of,
  unusable,
} from './export-file.js'
import { sealBytes, sealPadding } from './seal.js'

/** An export that was read once and found whole. */
export class ExportReader {
  readonly head: ExportHead
  readonly #file: string
  readonly #descriptor: number

  /** Throws `EXPORT_UNUSABLE` at the first byte that is not as it was written. */
  constructor(file: string) {
    this.#file = file
    this.#descriptor = explained(file, () => openFile(file))
    try {
      this.head = explained(file, () => readHead(file, this.#descriptor))
      for (const _ of this.pieces());
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** The bytes of the state in pieces. Each call reads and checks them anew. */
  *pieces(): Generator<Uint8Array> {
    const blocks = blocksOf(this.#file, this.#descriptor, this.head)
    for (;;) {
      const next = explained(this.#file, () => blocks.next())
      if (next.done === true) return
      yield next.value
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

function openFile(file: string): number {
  // Opening a pipe would wait for a writer.
  if (!statSync(file).isFile()) throw unusable(file, 'is no file: name an export of raftbox')
  return openSync(file, 'r')
}

/** Errors of the system become the one that names the file. */
function explained<Read>(file: string, read: () => Read): Read {
  try {
    return read()
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException
    if (typeof syscall !== 'string') throw error
    if (code === 'ENOENT') throw unusable(file, 'is not there: name an export of raftbox', error)
    throw unusable(file, `cannot be read: ${reasonOf(error)}`, error)
  }
}

/** The line that names the format, and the line of JSON. */
const firstLines = new RegExp(`^${firstWords}(\\d{1,9})\n(.*)\n`)

function readHead(file: string, descriptor: number): ExportHead {
  const text = bytesAt(descriptor, 0, headBytes)
  const lines = text.toString('utf8', 0, headBytes - checksumLineBytes)
  const [, version, facts = ''] = firstLines.exec(lines) ?? []
  if (version === undefined) throw unusable(file, 'is no export of raftbox: name another file')
  if (version !== String(exportVersion)) {
    const known = `this version reads format ${exportVersion}`
    throw unusable(file, `is an export in format ${version}, and ${known}: use the version that wrote it`)
  }
  const checksum = text.toString('latin1', headBytes - checksumLineBytes)
  if (checksum !== `${sha256Of(text.subarray(0, headBytes - checksumLineBytes))}\n`)
    throw damaged(file, text.byteLength < headBytes ? 'it ends within its head' : 'its head is not as it was')
  return JSON.parse(facts) as ExportHead
}

function* blocksOf(file: string, descriptor: number, { size, sha256 }: ExportHead): Generator<Uint8Array> {
  const hash = createHash('sha256')
  let offset = headBytes
  for (let left = size; left > 0; ) {
    const head = bytesAt(descriptor, offset, blockHeadBytes)
    if (head.byteLength < blockHeadBytes) throw damaged(file, `it ends at byte ${offset + head.byteLength}`)
    const length = head.readUInt32LE(0)
    if (length < 1 || length > Math.min(blockBytesMax, left))
      throw damaged(file, `the block at byte ${offset} is not as it was`)
    const data = bytesAt(descriptor, offset + blockHeadBytes, length)
    if (data.byteLength < length)
      throw damaged(file, `it ends at byte ${offset + blockHeadBytes + data.byteLength}`)
    if (crc32(data) !== head.readUInt32LE(4))
      throw damaged(file, `the block at byte ${offset} is not as it was`)
    hash.update(head).update(data)
    yield data
    offset += blockHeadBytes + length
    left -= length
  }
  const end = fstatSync(descriptor).size
  if (end !== offset && !isSealed(descriptor, offset, end))
    throw damaged(file, `it goes on behind its end at byte ${offset}`)
  if (hash.digest('hex') !== sha256) throw damaged(file, 'its blocks are not those that were written')
}

/** Whether the export ends at `offset`, and a client of etcd has put its seal behind. */
function isSealed(descriptor: number, offset: number, end: number): boolean {
  const sealAt = offset + sealPadding(offset)
  if (end !== sealAt + sealBytes) return false
  const hash = createHash('sha256')
  for (let at = 0; at < sealAt; at += blockBytesMax)
    hash.update(bytesAt(descriptor, at, Math.min(blockBytesMax, sealAt - at)))
  return bytesAt(descriptor, sealAt, sealBytes).equals(hash.digest())
}

/** Bytes of a file; fewer at its end. */
function bytesAt(descriptor: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const read = readSync(descriptor, bytes, filled, length - filled, offset + filled)
    if (read === 0) break
    filled += read
  }
  return bytes.subarray(0, filled)
}

function damaged(file: string, what: string): RaftError {
  return unusable(file, `is damaged: ${what}; take another copy of the export`)
}
