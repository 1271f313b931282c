/**
 * The pledges of all members in one file of the cluster's directory: a line of JSON each, padded so that each lies in
 * a sector of its own. A power loss leaves a sector as it was or as it was to be, and never touches a neighbour.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, fdatasyncSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import {
  assert,
  type HardState,
  hardStateOf,
  type LogIndex,
  type NodeId,
  type Random,
  type Term,
} from '../raft/index.js'
import { writeWhole } from './durable-file.js'
import type { Pledge, PledgePlace } from './pledge.js'
import { DamageError } from './record.js'

const slotBytes = 512
/** Milliseconds between two notes of what a node holds. In a running node one note takes 10 to 20 microseconds. */
const notePauseMs = 10

/** Writes the pledges of the nodes 1, 2, 3, … in that order; a power loss leaves all of the file or nothing. */
export function writePledges(path: string, pledges: readonly Pledge[]): void {
  writeWhole(dirname(path), basename(path), Buffer.concat(pledges.map(slotOf)))
}

/** Reads what `writePledges` and `addPledge` wrote. Throws when it is damaged. */
export function readPledges(path: string): Pledge[] {
  const bytes = readFileSync(path)
  const slots = Array.from({ length: Math.ceil(bytes.byteLength / slotBytes) }, (_, at) =>
    bytes.subarray(at * slotBytes, (at + 1) * slotBytes),
  )
  // A power loss may leave room for a pledge that was being added, and nothing in it.
  if (slots.length > 1 && slots.at(-1)?.every((byte) => byte === 0)) slots.pop()
  return slots.map((slot, at) => pledgeIn(slot, at + 1))
}

/** Adds the pledge of the next node while the others may write theirs. The pledge survives a power loss on return. */
export function addPledge(path: string, pledge: Pledge): void {
  const descriptor = openSync(path, 'r+')
  try {
    writeSync(descriptor, slotOf(pledge), 0, slotBytes, (pledge.nodeId - 1) * slotBytes)
    fdatasyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * A member's line, held open by its node. A write of the log is noted here at once when the last note is ten
 * milliseconds old, and otherwise when it is. So the note that a crashed process leaves lacks the writes of ten
 * milliseconds at most.
 */
export class PledgeSlot implements PledgePlace {
  /** The pledge, but for what is held: that changes with each write of the log. */
  #pledge: Pledge
  /** Changed in place, so that a write makes no object. */
  #held: { index: LogIndex; term: Term }
  /** The last pledge that survives a power loss for certain. */
  #flushed: Pledge
  readonly #descriptor: number
  readonly #offset: number
  #notedAtMs = Number.NEGATIVE_INFINITY
  /** The timer that notes at the end of the pause what the node holds then. */
  #pause: NodeJS.Timeout | undefined

  constructor(path: string, nodeId: NodeId) {
    this.#descriptor = openSync(path, 'r+')
    this.#offset = (nodeId - 1) * slotBytes
    try {
      const bytes = Buffer.alloc(slotBytes)
      readSync(this.#descriptor, bytes, 0, slotBytes, this.#offset)
      const pledge = pledgeIn(bytes, nodeId)
      this.#pledge = pledge
      this.#flushed = pledge
      this.#held = { ...pledge.held }
    } catch (error) {
      this.close()
      throw error
    }
  }

  get pledge(): Pledge {
    return { ...this.#pledge, held: { ...this.#held } }
  }

  newLife(): string {
    return randomUUID()
  }

  keep(pledge: Pledge, isPromise: boolean): void {
    this.#endPause()
    // A file that was removed takes every write, and keeps nothing.
    if (fstatSync(this.#descriptor).nlink === 0) throw new Error('the directory of the cluster was removed')
    writeSync(this.#descriptor, slotOf(pledge), 0, slotBytes, this.#offset)
    if (isPromise) fdatasyncSync(this.#descriptor)
    this.#pledge = pledge
    this.#held = { ...pledge.held }
    if (isPromise) this.#flushed = pledge
  }

  hold(index: LogIndex, term: Term): void {
    this.#held.index = index
    this.#held.term = term
    const pauseMs = this.#notedAtMs + notePauseMs - performance.now()
    if (pauseMs <= 0) this.#note()
    // Node keeps a list of timers for each length: one for each whole millisecond is quick, one for each fraction is not.
    else this.#pause ??= setTimeout(this.#noteLater, Math.ceil(pauseMs))
  }

  /** A note that was not flushed may be gone, and then an older one stands in its place. */
  losePower(random: Random): void {
    this.#endPause()
    if (random.chance(0.5)) writeSync(this.#descriptor, slotOf(this.#flushed), 0, slotBytes, this.#offset)
  }

  close(): void {
    try {
      if (this.#pause !== undefined) this.#note()
    } finally {
      closeSync(this.#descriptor)
    }
  }

  readonly #noteLater = (): void => {
    try {
      this.#note()
    } catch {
      // Nobody waits for this note. The next one is tried at once, and its error ends the store.
    }
  }

  #note(): void {
    this.#endPause()
    writeSync(
      this.#descriptor,
      heldOf(this.#held.index, this.#held.term),
      this.#offset + heldOffset,
      'latin1',
    )
    this.#notedAtMs = performance.now()
  }

  #endPause(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
  }
}

/** Where in a line the numbers of what is held stand, each as wide as the largest. */
const heldOffset = '{"held":['.length
const numberWidth = 16

function heldOf(index: LogIndex, term: Term): string {
  return `${String(index).padEnd(numberWidth)},${String(term).padEnd(numberWidth)}`
}

function slotOf(pledge: Pledge): Buffer {
  const { hardState, held, ...rest } = pledge
  const line = `{"held":[${heldOf(held.index, held.term)}],${JSON.stringify({ ...rest, ...hardState }).slice(1)}`
  assert(line.length < slotBytes, 'a pledge fits into its slot')
  return Buffer.from(`${line.padEnd(slotBytes - 1)}\n`)
}

function pledgeIn(slot: Uint8Array, nodeId: NodeId): Pledge {
  let line: Partial<Record<string, unknown>>
  try {
    line = JSON.parse(Buffer.from(slot).toString()) as typeof line
  } catch (cause) {
    throw damage(nodeId, cause)
  }
  const { identity, hasBegun, lives, votesFromTerm, held, isRemoved } = line
  const [heldIndex, heldTerm] = Array.isArray(held) ? held : []
  const hardState = hardStateOf(line as unknown as HardState)
  const numbers = [votesFromTerm, heldIndex, heldTerm, hardState.currentTerm]
  if (
    line['nodeId'] !== nodeId ||
    typeof hasBegun !== 'boolean' ||
    !Array.isArray(lives) ||
    !numbers.every(isCount)
  ) {
    throw damage(nodeId)
  }
  return {
    nodeId,
    identity: identity as string | undefined,
    hasBegun,
    lives: lives as readonly string[],
    hardState,
    held: { index: heldIndex as number, term: heldTerm as number },
    votesFromTerm: votesFromTerm as number,
    ...(isRemoved === true && { isRemoved }),
  }
}

function isCount(number: unknown): boolean {
  return Number.isSafeInteger(number) && (number as number) >= 0
}

function damage(nodeId: NodeId, cause?: unknown): DamageError {
  const remedy = 'put the file back from a copy of the whole directory, or use another directory'
  return new DamageError(`what the directory remembers of node ${nodeId} is damaged: ${remedy}`, { cause })
}
