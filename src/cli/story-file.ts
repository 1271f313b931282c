/** Stories as files: written while a cluster lives, and read to be explained. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { reasonOf } from '../errors/index.js'
import { BadStoryLine, StoryReader, StoryWriter } from '../explain/index.js'
import { type KeptFrame, type Observer, recordLines } from '../observer/index.js'
import type { Story } from '../telemetry/index.js'
import { BadInput } from '../terminal/index.js'
import { nameOfInput, readBytes } from './input/bytes.js'
import { type Framed, LineFramer } from './input/framing.js'
import { warn } from './warnings.js'

/** The least time between two writings. Under full load, the rows of commands are kept for about a second. */
const writtenEveryMs = 250
/** Writing takes no more than this share of the program's time, which is also that of its clients. */
const timeShareMax = 0.1
/** The longest story: a longer run is recorded in the part that matters. */
const bytesMax = 1 << 30
/** Frames take no more of it. The story goes on without them. */
const frameBytesMax = 1 << 28
const lineBytesMax = 1 << 20

/** Writes the story of a cluster and its frames, a frame a second, and ten while somebody watches, until it is closed. */
class StoryFile {
  readonly #file: number
  readonly #story: () => Story
  readonly #observer: Observer
  #lastFrame = 0
  #frameBytes = 0
  readonly #writer = new StoryWriter()
  readonly #warn: (line: string) => void
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  /** Takes the place of a file of that name. `warn` is told once when the recording ends early. */
  constructor(path: string, story: () => Story, observer: Observer, warn: (line: string) => void) {
    this.#file = openSync(path, 'w')
    this.#story = story
    this.#warn = warn
    this.#observer = observer
    this.#writeIn(writtenEveryMs)
  }

  close(): void {
    clearTimeout(this.#timer)
    try {
      this.#write()
    } finally {
      closeSync(this.#file)
    }
  }

  #writeIn(ms: number): void {
    this.#timer = setTimeout(() => {
      const beganMs = performance.now()
      this.#write()
      const tookMs = performance.now() - beganMs
      if (!this.#isOver) this.#writeIn(Math.max(writtenEveryMs, tookMs / timeShareMax))
    }, ms).unref()
  }

  #write(): void {
    if (this.#isOver) return
    let bytes = bytesOf(recordLines(this.#story(), this.#newFrames(), this.#writer))
    this.#bytes += bytes.length
    if (this.#bytes > bytesMax) return this.#endEarly(`it has come to ${bytesMax >> 20} MiB`)
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#file, bytes))
    } catch (error) {
      this.#endEarly(reasonOf(error))
    }
  }

  #newFrames(): readonly KeptFrame[] {
    if (this.#frameBytes > frameBytesMax) return []
    const frames = this.#observer.frames.filter(({ number }) => number > this.#lastFrame)
    this.#lastFrame = frames.at(-1)?.number ?? this.#lastFrame
    for (const { text } of frames) this.#frameBytes += text.length
    if (this.#frameBytes > frameBytesMax)
      this.#warn(`the recording goes on without frames: they have come to ${frameBytesMax >> 20} MiB`)
    return frames
  }

  #endEarly(why: string): void {
    this.#isOver = true
    this.#warn(`the recording of the story ends here: ${why}`)
  }
}

/** The file of a story that has ended. */
export function fileOf(story: Story): Buffer {
  return bytesOf(new StoryWriter().newIn(story))
}

function bytesOf(lines: Iterable<string>): Buffer {
  return Buffer.from(Array.from(lines, (line) => `${line}\n`).join(''))
}

/** Runs the work, and writes the story of the cluster and its frames meanwhile, where a file and an observer are given. */
export async function recorded<Result>(
  cluster: { story(): Story },
  observer: Observer | undefined,
  path: string | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  if (path === undefined || observer === undefined) return work()
  const file = new StoryFile(path, () => cluster.story(), observer, warn)
  try {
    return await work()
  } finally {
    file.close()
  }
}

/** Throws `BadInput` that names the line for what is no story. A file that is cut off within a line is a shorter one. */
export async function readStory(file: string, signal: AbortSignal): Promise<Story> {
  const reader = new StoryReader()
  const malformed = (line: number, why: string): BadInput =>
    new BadInput(`${nameOfInput(file)}, line ${line}: ${why}; give a story that sandbox --record wrote`)
  const framer = new LineFramer(lineBytesMax, malformed)
  const take = ({ line, bytes }: Framed, isLast: boolean): void => {
    try {
      if (bytes.length > 0) reader.take(bytes.toString())
    } catch (error) {
      if (!(error instanceof BadStoryLine)) throw error
      // Only a cut leaves the end of a line away. A file that is cut within its head is no story.
      if (!isLast || line === 1) throw malformed(line, error.message)
    }
  }
  for await (const chunk of readBytes(file, signal))
    for (const framed of framer.take(chunk)) take(framed, false)
  for (const framed of framer.end()) take(framed, true)
  if (reader.story === undefined)
    throw new BadInput(`${nameOfInput(file)} is empty; give a story that sandbox --record wrote`)
  return reader.story
}
