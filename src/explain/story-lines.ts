/**
 * A story as lines of JSON: first the head, then a line for each happening, each row of a command's way and each
 * message. Frames of the same run may stand among them, a line each. Lines may be added while the story goes on, and a
 * file that is cut off anywhere is a shorter story.
 */
import { type Carried, type Happened, type Passed, replicates, type Story } from '../telemetry/index.js'
import { type Fields, isConfiguration, isFields, isId, isNumber, orNone } from './checks.js'
import { isCarried, isHappened, isPassed } from './story-fields.js'

const version = 1

/** A story without its rows. */
export type StoryHead = Omit<Story, 'happened' | 'passed' | 'carried' | 'askedMs'>

type Row = Passed | Carried

/** Tells the lines of a story that goes on, each once. */
export class StoryWriter {
  #hasHead = false
  #lastSequence = -1
  /** The last row that was told, of each node and of all rows that are kept together. */
  readonly #last = new Map<string, { atMs: number; count: number }>();

  /**
   * The lines of all that is new in the story, without their line breaks. A story may have hundreds of thousands: each
   * is made when it is asked for.
   */
  *newIn(story: Story): Generator<string, void> {
    if (!this.#hasHead) yield headOf(story)
    this.#hasHead = true
    const told = this.#lastSequence
    for (const happened of story.happened) {
      if (happened.sequence <= told) continue
      this.#lastSequence = Math.max(this.#lastSequence, happened.sequence)
      yield JSON.stringify({ happened })
    }
    for (const passed of this.#newRows(story.passed, ({ nodeId }) => `passed ${nodeId}`))
      yield JSON.stringify({ passed })
    for (const carried of this.#newRows(story.carried, ({ nodeId, type }) => `${nodeId} ${replicates(type)}`))
      yield JSON.stringify({ carried })
  }

  /** Rows that are kept together come in the order of time; several may have the same time. */
  #newRows<Each extends Row>(rows: readonly Each[], placeOf: (row: Each) => string): Each[] {
    const seen = new Map<string, { atMs: number; count: number }>()
    const found = rows.filter((row) => {
      const { atMs } = row
      const place = placeOf(row)
      const before = seen.get(place)
      const count = before?.atMs === atMs ? before.count + 1 : 1
      seen.set(place, { atMs, count })
      const last = this.#last.get(place)
      return last === undefined || atMs > last.atMs || (atMs === last.atMs && count > last.count)
    })
    for (const [place, last] of seen) this.#last.set(place, last)
    return found
  }
}

function headOf(story: Story): string {
  const { nodeIds, heartbeatIntervalMs, electionTimeoutMs, tickMs, configuration } = story
  return JSON.stringify({
    story: 'raftbox',
    version,
    nodeIds,
    heartbeatIntervalMs,
    electionTimeoutMs,
    tickMs,
    configuration,
  })
}

/** A line that is not one of a story. */
export class BadStoryLine extends Error {
  override readonly name = 'BadStoryLine'
}

/** Lines that a story may have: more would not fit into memory. */
const linesMax = 5_000_000

export class StoryReader {
  #head: StoryHead | undefined
  readonly #happened: Happened[] = []
  readonly #passed: Passed[] = []
  readonly #carried: Carried[] = []

  /** Takes the next line. Throws a `BadStoryLine` when a story has no such line there. */
  take(text: string): void {
    const fields = parsed(text)
    if (this.#head === undefined) this.#head = headIn(fields)
    // Pictures of the cluster, which explain nothing.
    else if ('frame' in fields) return
    else if ('happened' in fields) this.#happened.push(rowIn(fields['happened'], isHappened))
    else if ('passed' in fields) this.#passed.push(rowIn(fields['passed'], isPassed))
    else if ('carried' in fields) this.#carried.push(rowIn(fields['carried'], isCarried))
    else throw new BadStoryLine('it tells neither what happened, nor of a command or a message')
    const lines = this.#happened.length + this.#passed.length + this.#carried.length
    if (lines > linesMax) throw new BadStoryLine(`a story has ${linesMax} lines at most`)
  }

  /** The story so far. `undefined`: there is no head yet. */
  get story(): Story | undefined {
    if (this.#head === undefined) return undefined
    return { ...this.#head, happened: this.#happened, passed: this.#passed, carried: this.#carried }
  }
}

function parsed(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BadStoryLine('it is not JSON')
  }
  if (!isFields(value)) throw new BadStoryLine('it is not an object')
  return value
}

function headIn(fields: Fields): StoryHead {
  if (fields['story'] !== 'raftbox') throw new BadStoryLine('it is not the head of a story of raftbox')
  if (fields['version'] !== version) {
    throw new BadStoryLine(`the story is of version ${fields['version']}, and this raftbox reads ${version}`)
  }
  const { nodeIds, heartbeatIntervalMs, electionTimeoutMs, tickMs, configuration } = fields
  const times = [heartbeatIntervalMs, electionTimeoutMs, tickMs]
  const areNodes = Array.isArray(nodeIds) && nodeIds.length > 0 && nodeIds.every(isId)
  if (!areNodes || !times.every((ms) => isNumber(ms) && ms > 0)) {
    throw new BadStoryLine('it does not tell the nodes and the times of a cluster')
  }
  if (!orNone(isConfiguration)(configuration)) {
    throw new BadStoryLine('it does not tell the members of a cluster')
  }
  return { nodeIds, heartbeatIntervalMs, electionTimeoutMs, tickMs, configuration } as StoryHead
}

function rowIn<Row>(value: unknown, isRow: (fields: Fields) => boolean): Row {
  if (!isFields(value) || !isRow(value)) {
    throw new BadStoryLine('it lacks a field, or one of its fields is of the wrong type')
  }
  return value as Row
}
