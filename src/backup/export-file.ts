/**
 * An export: the state of a cluster's machine as of one entry, in one file that carries a checksum over each of its
 * bytes. A changed byte, a cut and a byte too many are refused.
 *
 * Layout, integers little-endian:
 *
 *      0  4096 bytes of text: a line that names the format, a line of JSON, spaces, and a line with the SHA-256 of
 *         all text before it
 *   4096  blocks of the state: u32 length · u32 CRC-32 of the data · data
 *
 * The JSON holds the number of bytes of the state, and the SHA-256 of all blocks with their heads. The first lines can be
 * read with `head -2 FILE`.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { RaftError, reasonOf } from '../errors/index.js'
import type { LogIndex, Membership, Term } from '../raft/index.js'
import { flushFolder } from '../storage/index.js'

/** Raised when the layout changes. */
export const exportVersion = 1
export const headBytes = 4096
export const blockHeadBytes = 8
/** Bytes of data in one block at most, so that a reader's memory is bounded. */
export const blockBytesMax = 1 << 20
export const firstWords = 'raftbox snapshot '

/** The state machine whose state an export holds: the built-in key-value store, or one of its user's own. */
export type MachineKind = 'kv' | 'own'

/** `module`: that of a machine of its user's own. */
export function machineKindOf(module: unknown): MachineKind {
  return module === undefined ? 'kv' : 'own'
}

/** The state machine whose commands a directory holds, and whose state an export holds. */
export interface MachineId {
  readonly machine: MachineKind
  /** The name that a machine of its user's own gives itself; `undefined`: it has none. */
  readonly machineName?: string | undefined
}

/** The facts about the state in an export. */
export interface ExportFacts extends MachineId {
  /** The time of the export, as in `2026-01-31T12:00:00.000Z`. */
  readonly createdAt: string
  /** The last entry that the state holds. */
  readonly index: LogIndex
  readonly term: Term
  /** The configuration of the cluster as of that entry. */
  readonly membership: Membership
}

export interface ExportHead extends ExportFacts {
  /** Bytes of the state. */
  readonly size: number
  /** Of all blocks with their heads, in hexadecimal digits. */
  readonly sha256: string
}

/**
 * Writes an export: all of it or nothing. A power loss leaves the whole file, or none under this name. Lets other work of
 * the process have its turn between two pieces. Throws `EXPORT_UNUSABLE` when the file is there already or cannot be
 * written.
 */
export async function writeExport(
  file: string,
  facts: ExportFacts,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<ExportHead> {
  checkIsNew(file)
  const path = resolve(file)
  const unfinished = `${path}.${randomUUID().slice(0, 8)}.new`
  try {
    const head = await writeUnfinished(unfinished, facts, pieces, signal)
    checkIsNew(file)
    renameSync(unfinished, path)
    flushFolder(dirname(path))
    return head
  } catch (error) {
    rmSync(unfinished, { force: true })
    if (error instanceof RaftError || signal?.aborted === true || !isOfSystem(error)) throw error
    throw unusable(file, `cannot be written: ${reasonOf(error)}; name another`, error)
  }
}

/** Throws for a name that an export cannot have. */
export function checkIsNew(file: string): void {
  if (existsSync(file)) throw unusable(file, 'is there already: name a new file')
  if (!existsSync(dirname(resolve(file))))
    throw unusable(
      file,
      `cannot be written: there is no folder for ${basename(file)}; make it, or name another`,
    )
}

export function unusable(file: string, why: string, cause?: unknown): RaftError {
  return new RaftError('EXPORT_UNUSABLE', { file, why }, cause)
}

async function writeUnfinished(
  path: string,
  facts: ExportFacts,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<ExportHead> {
  const descriptor = openSync(path, 'wx')
  try {
    const writer = new BlockWriter(descriptor)
    for await (const piece of pieces) {
      signal?.throwIfAborted()
      for (let from = 0; from < piece.byteLength; from += blockBytesMax)
        writer.write(piece.subarray(from, from + blockBytesMax))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const head = { ...facts, size: writer.size, sha256: writer.sha256() }
    writeAll(descriptor, textOf(head), 0)
    await promisify(fsync)(descriptor)
    return head
  } finally {
    closeSync(descriptor)
  }
}

/** Writes the blocks behind the place of the head, which is written last. */
class BlockWriter {
  /** Bytes of the state so far. */
  size = 0
  readonly #descriptor: number
  readonly #hash: Hash = createHash('sha256')
  #offset = headBytes

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  write(data: Uint8Array): void {
    const head = Buffer.alloc(blockHeadBytes)
    head.writeUInt32LE(data.byteLength, 0)
    head.writeUInt32LE(crc32(data), 4)
    for (const bytes of [head, data]) {
      this.#hash.update(bytes)
      writeAll(this.#descriptor, bytes, this.#offset)
      this.#offset += bytes.byteLength
    }
    this.size += data.byteLength
  }

  sha256(): string {
    return this.#hash.digest('hex')
  }
}

/** All of it, where one call may end early on a disk that is nearly full. */
function writeAll(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let from = 0; from < bytes.byteLength; )
    from += writeSync(descriptor, bytes, from, bytes.byteLength - from, offset + from)
}

/** The line at the end of the head: 64 digits. */
export const checksumLineBytes = 65

function textOf(head: ExportHead): Uint8Array {
  const lines = `${firstWords}${exportVersion}\n${JSON.stringify(head)}\n`
  const text = Buffer.alloc(headBytes, ' ')
  if (Buffer.byteLength(lines) >= headBytes - checksumLineBytes)
    throw new Error('the head of an export has no room for so many nodes')
  text.write(lines)
  // The checksum begins a line of its own.
  text.write('\n', headBytes - checksumLineBytes - 1)
  text.write(`${sha256Of(text.subarray(0, headBytes - checksumLineBytes))}\n`, headBytes - checksumLineBytes)
  return text
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function isOfSystem(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).syscall === 'string'
}
