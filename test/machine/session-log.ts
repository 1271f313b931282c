/** A log of a client's frames, which is applied to machines behind sessions. */
import { expect } from 'vitest'
import {
  type CallHeader,
  callHeaderBytes,
  clockFrame,
  ResultBuilder,
  readSessionAnswer,
  registerFrame,
  SessionMachine,
  type StateMachine,
  writeCallHeader,
} from '../../src/machine/index.js'
import {
  type EntryRun,
  entryKinds,
  type Frame,
  forEachCommand,
  packCommands,
  sliceRun,
  stampRun,
} from '../../src/raft/index.js'

/** A machine that keeps all commands it was ever given, and answers each with its place. */
export class Diary implements StateMachine {
  lines: string[] = []
  /** Index, term and time of each call of `apply`. */
  readonly told: (readonly [number, number, number])[] = []
  /** The same of each call of `timeTold`. */
  readonly times: (readonly [number, number, number])[] = []
  leastTimeoutMs = Number.POSITIVE_INFINITY
  /** Bytes that each result has besides its text. */
  padding = 0

  readonly apply: StateMachine['apply'] = (run, results) => {
    this.told.push([run.index, run.term, run.timeMs])
    forEachCommand(run, (start, end) => {
      this.lines.push(Buffer.from(run.bytes.subarray(start, end)).toString())
      results?.append(Buffer.from(`${this.lines.length}`.padEnd(this.padding)))
    })
  }

  readonly timeTold: NonNullable<StateMachine['timeTold']> = ({ index, term, timeMs }) => {
    this.times.push([index, term, timeMs])
  }
  readonly read: StateMachine['read'] = () => undefined
  snapshot: StateMachine['snapshot'] = () => [Buffer.from(JSON.stringify(this.lines))].values()
  readonly restore: StateMachine['restore'] = (pieces) => {
    const text = Buffer.concat([...pieces]).toString()
    this.lines = text === '' ? [] : JSON.parse(text)
  }
  readonly hash: StateMachine['hash'] = () => this.lines.join()
}

export function callFrame(call: Omit<CallHeader, 'op' | 'count'>, ...commands: readonly string[]): Frame {
  const frame = packCommands([
    new Uint8Array(callHeaderBytes),
    ...commands.map((command) => Buffer.from(command)),
  ])
  writeCallHeader(frame, call)
  return frame
}

/** A node's machine, and the log that it applies. */
export class SessionLog {
  readonly diary = new Diary()
  readonly machine = new SessionMachine(this.diary)
  term = 1
  lastIndex = 0

  /** Appends and applies a frame; answers the status, the index and the results that its client is told. */
  frame(frame: Frame, kind: EntryRun['kind'] = entryKinds.session): readonly (string | number)[] {
    const run = this.append(frame, kind)
    return this.apply(run)
  }

  append(frame: Frame, kind: EntryRun['kind'] = entryKinds.session): EntryRun {
    const run = stampRun({ ...frame, bytes: frame.bytes.slice() }, this.lastIndex + 1, this.term, kind)
    this.lastIndex += run.count
    return run
  }

  apply(run: EntryRun): readonly (string | number)[] {
    const results = new ResultBuilder()
    this.machine.apply(run, results)
    expect(results.count).toBe(run.count)
    return toldBy(results)
  }

  register(timeoutMs = 1000): number {
    const [status, index] = this.frame(registerFrame(timeoutMs))
    expect(status).toBe('applied')
    return Number(index)
  }

  tellTime(timeMs: number): void {
    this.frame(clockFrame(timeMs))
  }

  /** A call of one command. Nothing before `firstOutstanding` is waited for. */
  call(
    session: number,
    sequence: number,
    command: string,
    firstOutstanding = 0,
  ): readonly (string | number)[] {
    return this.frame(callFrame({ session, sequence, firstOutstanding }, command))
  }

  /** Another node, which begins with a snapshot of this one, cut into pieces of `pieceBytes`. */
  restored(pieceBytes = 1000): SessionLog {
    const whole = Buffer.concat([...{ [Symbol.iterator]: () => this.machine.snapshot() }])
    const pieces: Uint8Array[] = []
    for (let at = 0; at < whole.byteLength; at += pieceBytes) pieces.push(whole.subarray(at, at + pieceBytes))
    const other = new SessionLog()
    other.machine.restore(pieces)
    other.term = this.term
    other.lastIndex = this.lastIndex
    return other
  }
}

/** The run, cut behind each of its first entries that are named. */
export function cutAfter(run: EntryRun, ...counts: readonly number[]): EntryRun[] {
  const ends = [...counts, run.count]
  return ends.map((end, at) => sliceRun(run, run.index + (ends[at - 1] ?? 0), run.index + end - 1))
}

function toldBy(results: ResultBuilder): readonly (string | number)[] {
  const { bytes, count } = results.take()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const told: (string | number)[] = []
  let offset = 0
  for (let position = 0; position < count; position++) {
    const end = offset + 4 + view.getUint32(offset, true)
    const answer = position === 0 && end - offset === 13 ? readSessionAnswer(view, offset + 4) : undefined
    if (answer !== undefined) told.push(answer.status, answer.index)
    else
      told.push(
        Buffer.from(bytes.subarray(offset + 4, end))
          .toString()
          .trim(),
      )
    offset = end
  }
  return told
}
