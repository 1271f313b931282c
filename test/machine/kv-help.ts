/** The KV as its tests see it: commands in, answers out, and the same as a plain model. */

import {
  type Bytes,
  encode,
  forEachResult,
  type GetAnswer,
  type KeyedRecord,
  Memory,
  type RangeAnswer,
  type RangeBounds,
  ResultBuilder,
  readGetAnswer,
  readRangeAnswer,
  readWriteAnswer,
  type StateMachine,
  type WriteAnswer,
  writeGet,
  writeRange,
} from '../../src/machine/index.js'
import { packCommands } from '../../src/raft/index.js'

/** Applies the commands as one run, and reads the results as a client would. */
export function apply(kv: StateMachine, ...commands: Uint8Array[]): WriteAnswer[] {
  const results = new ResultBuilder()
  kv.apply({ index: 1, term: 1, timeMs: 0, ...packCommands(commands) }, results)
  const packed = results.take()
  const source = new Memory(packed.bytes)
  const answers: WriteAnswer[] = []
  forEachResult(packed, (start, end) => answers.push(readWriteAnswer(source, start, end)))
  return answers
}

/** The result of each query, as bytes of its own. */
export function answersTo(machine: StateMachine, ...queries: Uint8Array[]): Uint8Array[] {
  const results = new ResultBuilder()
  machine.read(packCommands(queries), results)
  const packed = results.take()
  if (packed.count !== queries.length)
    throw new Error(`${queries.length} queries got ${packed.count} results`)
  const answers: Uint8Array[] = []
  forEachResult(packed, (start, end) => answers.push(packed.bytes.slice(start, end)))
  return answers
}

export function answerTo(machine: StateMachine, query: Uint8Array): Uint8Array {
  return answersTo(machine, query)[0]!
}

export function get(kv: StateMachine, key: Bytes): GetAnswer {
  return readGetAnswer(new Memory(answerTo(kv, encode(writeGet, key))))
}

export function range(kv: StateMachine, bounds: RangeBounds = {}): RangeAnswer & { status: 'found' } {
  const answer = readRangeAnswer(new Memory(answerTo(kv, encode(writeRange, bounds))))
  if (answer.status !== 'found') throw new Error(`the range was ${answer.status}`)
  return answer
}

export function keysIn(kv: StateMachine, bounds: RangeBounds = {}): string[] {
  return range(kv, bounds).records.map((record) => text(record.key))
}

/** The value of a key as text; `undefined` when it is absent. */
export function valueAt(kv: StateMachine, key: Bytes): string | undefined {
  const answer = get(kv, key)
  return answer.status === 'found' ? text(answer.record.value) : undefined
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function drain(iterator: Iterator<Uint8Array>): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) pieces.push(next.value)
  return pieces
}

/** Cuts the bytes anew, with the given sizes in turn. */
export function recut(pieces: readonly Uint8Array[], sizes: readonly number[]): Uint8Array[] {
  const bytes = Buffer.concat(pieces)
  const cut: Uint8Array[] = []
  for (let start = 0; start < bytes.length; ) {
    const size = sizes[cut.length % sizes.length] ?? bytes.length
    cut.push(bytes.subarray(start, start + size))
    start += size
  }
  return cut
}

/** The whole content, a page at a time, as plain data that can be compared. */
export function contentOf(kv: StateMachine): unknown[] {
  const content: unknown[] = []
  let start = new Uint8Array(0)
  for (;;) {
    const page = range(kv, { start })
    content.push(...page.records.map(plain))
    const last = page.records.at(-1)
    if (!page.hasMore || last === undefined) return content
    start = Uint8Array.from([...last.key, 0])
  }
}

function plain({ key, value, createRevision, modRevision, version }: KeyedRecord): unknown {
  return { key: hex(key), value: hex(value), createRevision, modRevision, version }
}
