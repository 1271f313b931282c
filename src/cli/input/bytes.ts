/** The bytes of a file or a pipe: unpacked where they are compressed, without a byte order mark, in bounded memory. */
import { constants, createReadStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { addAbortSignal, pipeline, type Readable } from 'node:stream'
import { isatty, ReadStream as TerminalStream } from 'node:tty'
import { createGunzip } from 'node:zlib'
import { BadInput } from '../../terminal/index.js'

/** Compressions that Node 20 cannot undo, by how their files begin. */
const unreadable: readonly (readonly [name: string, program: string, head: string])[] = [
  ['zstd', 'zstd -dc', '28b52ffd'],
  ['xz', 'xz -dc', 'fd377a585a00'],
  ['bzip2', 'bzip2 -dc', '425a68'],
  ['zip', 'unzip -p', '504b0304'],
]
const gzipHead = '1f8b'
const byteOrderMark = 'efbbbf'
/** The longest of the heads above. */
const headBytes = 6

/** A digit and the first digits of pi follow the head of a bzip2 file: text may begin with BZh, too. */
const bzip2Rest = /^425a683[1-9]3141/

/** The name that stands for the standard input. A file of that name is `./-`. */
const standardInput = '-'
const standardInputFd = 0

export function isStandardInput(file: string): boolean {
  return file === standardInput
}

/** How messages call the file. */
export function nameOfInput(file: string): string {
  return isStandardInput(file) ? 'standard input' : file
}

/** Throws BadInput for what cannot be read. The signal ends also a wait for a pipe that nobody writes to. */
export async function* readBytes(file: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const input = openFile(file)
  if (signal !== undefined) addAbortSignal(signal, input)
  try {
    const [head, bytes] = await withHead(input as AsyncIterable<Buffer>)
    const compression = unreadable.find(([, , start]) => head.startsWith(start))
    if (compression !== undefined && (compression[0] !== 'bzip2' || bzip2Rest.test(head))) {
      const [name, program] = compression
      throw new BadInput(
        `${nameOfInput(file)} is compressed with ${name}; unpack it first: ${program} FILE > UNPACKED`,
      )
    }
    const isGzip = head.startsWith(gzipHead) || /\.gz$/i.test(file)
    yield* withoutMark(isGzip ? gunzipped(file, bytes) : bytes)
  } catch (error) {
    throw signal?.aborted ? error : asBadInput(file, error)
  } finally {
    // A pipe that is still open would keep the process.
    input.destroy()
  }
}

function openFile(file: string): Readable {
  try {
    // A pipe without a writer blocks an open for reading, and a blocked open keeps the process from ending.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
    const fd = isStandardInput(file) ? standardInputFd : openSync(file, flags)
    const kind = fstatSync(fd)
    // Reads of pipes and terminals wait in the event loop. Those of files go to a thread, which no signal wakes.
    if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd, readable: true, writable: false })
    return isatty(fd) ? new TerminalStream(fd) : createReadStream(file, { fd })
  } catch (error) {
    throw asBadInput(file, error)
  }
}

function asBadInput(file: string, error: unknown): BadInput {
  if (error instanceof BadInput) return error
  const { code, message } = error as NodeJS.ErrnoException
  const name = nameOfInput(file)
  if (code === 'EISDIR') return new BadInput(`${name} is a directory; give a file that can be read`)
  const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file' : message
  return new BadInput(`${name}: ${why}; give a file that can be read`)
}

async function* gunzipped(file: string, compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // The reader below is told of an error, so nothing is left for the callback.
  const gunzip = pipeline(compressed, createGunzip(), () => undefined)
  try {
    yield* gunzip as AsyncIterable<Buffer>
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!code?.startsWith('Z_')) throw error
    throw new BadInput(
      `${nameOfInput(file)}: the gzip data is damaged or cut off: ${message}; make or fetch it again`,
    )
  }
}

async function* withoutMark(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const [head, all] = await withHead(bytes)
  let skipped = head.startsWith(byteOrderMark) ? byteOrderMark.length / 2 : 0
  for await (const chunk of all) {
    yield chunk.subarray(skipped)
    skipped = 0
  }
}

/** The first bytes in hexadecimal, and all of them from the first on. */
async function withHead(bytes: AsyncIterable<Buffer>): Promise<[head: string, all: AsyncGenerator<Buffer>]> {
  const iterator = bytes[Symbol.asyncIterator]()
  let first: Buffer = Buffer.alloc(0)
  let next = await iterator.next()
  for (; !next.done; next = await iterator.next()) {
    first = Buffer.concat([first, next.value])
    if (first.length >= headBytes) break
  }
  const rest: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => iterator }
  const all = async function* (): AsyncGenerator<Buffer> {
    if (first.length > 0) yield first
    if (!next.done) yield* rest
  }
  return [first.toString('hex', 0, headBytes), all()]
}
