/**
 * A run that was recorded: the lines of a story, with a line for each frame among them. A file that is cut off anywhere
 * after its first line is a shorter run.
 */
import { BadStoryLine, boundsOf, StoryReader } from '../explain/index.js'
import type { Frame, FrameHead } from '../observer/index.js'
import type { Story } from '../telemetry/index.js'
import { isFrame } from './record-shape.js'

export interface Recorded {
  readonly head: FrameHead
  readonly frames: readonly Frame[]
  readonly story: Story
}

/** The message is one line that says which line of which file is wrong, and how to mend it. */
export class BadRecord extends Error {
  override readonly name = 'BadRecord'
}

const mebibyte = 1 << 20
/** The longest line that a record may have, in characters. */
const lineLengthMax = 4 * mebibyte
/** The longest record, in characters: a page holds all of it in memory. */
const lengthMax = 512 * mebibyte
const framesMax = 100_000

/** Frames have to be told apart quickly from the many lines of a story. */
const frameStart = '{"frame":'

/** Reads a record, also one that was packed by gzip. Throws a `BadRecord`, and a fault of the stream. */
export async function readRecord(name: string, bytes: ReadableStream<Uint8Array>): Promise<Recorded> {
  const reader = new RecordReader(name)
  const lines = new LineSplitter(name)
  const chunks = (await unpacked(bytes)).pipeThrough(textDecoder()).getReader()
  try {
    for (let next = await chunks.read(); !next.done; next = await chunks.read())
      for (const line of lines.take(next.value)) reader.take(line, false)
  } finally {
    await chunks.cancel().catch(() => undefined)
  }
  reader.take(lines.rest, true)
  return reader.recorded
}

class RecordReader {
  readonly #name: string
  readonly #story = new StoryReader()
  readonly #frames: Frame[] = []
  #line = 0

  constructor(name: string) {
    this.#name = name
  }

  /** Only a cut leaves the end of a line away. A file that is cut within its head is no record. */
  take(text: string, isLast: boolean): void {
    this.#line += 1
    if (text.trim() === '') return
    try {
      if (text.startsWith(frameStart) && this.#line > 1) this.#takeFrame(text)
      else this.#story.take(text)
    } catch (error) {
      if (!(error instanceof BadStoryLine)) throw error
      if (!isLast || this.#line === 1) throw bad(this.#name, error.message, this.#line)
    }
  }

  #takeFrame(text: string): void {
    const frame = frameIn(text)
    if (frame.number <= (this.#frames.at(-1)?.number ?? 0))
      throw new BadStoryLine('its frame is not after the one before it')
    if (this.#frames.length === framesMax) throw new BadStoryLine(`a record has ${framesMax} frames at most`)
    this.#frames.push(frame)
  }

  get recorded(): Recorded {
    const { story } = this.#story
    if (story === undefined) throw bad(this.#name, 'it is empty')
    const { heartbeatIntervalMs, electionTimeoutMs, tickMs } = story
    const [beganMs] = boundsOf(story)
    const head = { heartbeatIntervalMs, electionTimeoutMs, tickMs, beganMs, run: this.#name, dir: this.#name }
    return { head, frames: this.#frames, story }
  }
}

function frameIn(text: string): Frame {
  let frame: unknown
  try {
    frame = (JSON.parse(text) as { frame: unknown }).frame
  } catch {
    throw new BadStoryLine('it is not JSON')
  }
  if (!isFrame(frame))
    throw new BadStoryLine('its frame lacks a field, or one of its fields is of the wrong type')
  return frame
}

class LineSplitter {
  readonly #name: string
  #length = 0
  /** The line that has not ended yet. */
  rest = ''

  constructor(name: string) {
    this.#name = name
  }

  take(text: string): string[] {
    this.#length += text.length
    if (this.#length > lengthMax)
      throw bad(
        this.#name,
        `it is longer than ${lengthMax / mebibyte} MiB, which is more than a page can hold`,
      )
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop() as string
    if (this.rest.length > lineLengthMax)
      throw bad(this.#name, `it has a line of more than ${lineLengthMax / mebibyte} MiB`)
    return lines
  }
}

function bad(name: string, why: string, line?: number): BadRecord {
  const place = line === undefined ? name : `${name}, line ${line}`
  return new BadRecord(`${place}: ${why}; give a run that raftbox sandbox recorded or exported`)
}

/** The bytes without the packing of gzip, which begins with two bytes of its own. */
async function unpacked(bytes: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
  const [start, all] = bytes.tee()
  const reader = start.getReader()
  const { value } = await reader.read()
  const isPacked = value?.[0] === 0x1f && value[1] === 0x8b
  // The other half of a tee keeps all that this one does not read until this one is given up.
  void reader.cancel().catch(() => undefined)
  if (!isPacked) return all
  return all.pipeThrough(new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>)
}

function textDecoder(): ReadableWritablePair<string, Uint8Array> {
  return new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>
}
