/** What the KV shall do, written without any regard to speed: the model that random commands are tried on. */
import fc from 'fast-check'
import {
  encode,
  type KvRecord,
  valueBytesMax,
  type WriteAnswer,
  writeAppend,
  writeCas,
  writeDelete,
  writePut,
} from '../../src/machine/index.js'
import { hex } from './kv-help.js'

export type Command =
  | { readonly op: 'put' | 'append'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly key: Uint8Array }
  | {
      readonly op: 'cas'
      readonly key: Uint8Array
      /** `present`: whatever the model holds, so that the comparison often succeeds. */
      readonly expected: Uint8Array | 'absent' | 'present'
      readonly value: Uint8Array
    }

/** The command's bytes, and the answer that it must get. */
export interface Step {
  readonly bytes: Uint8Array
  readonly answer: WriteAnswer
}

export class KvModel {
  readonly records = new Map<string, KvRecord>()
  revision = 0

  step(command: Command): Step {
    const { key } = command
    const name = hex(key)
    const present = this.records.get(name)
    if (command.op === 'delete') {
      const bytes = encode(writeDelete, key)
      if (present === undefined) return { bytes, answer: { status: 'notFound', revision: this.revision } }
      this.records.delete(name)
      return { bytes, answer: { status: 'applied', revision: ++this.revision } }
    }
    const { value } = command
    if (command.op === 'cas') return this.#cas(command, name, present)
    if (command.op === 'put') return { bytes: encode(writePut, key, value), answer: this.#write(name, value) }
    const bytes = encode(writeAppend, key, value)
    const joined = Buffer.concat([present?.value ?? new Uint8Array(0), value])
    if (joined.length > valueBytesMax)
      return { bytes, answer: { status: 'tooLarge', revision: this.revision } }
    return { bytes, answer: this.#write(name, joined) }
  }

  #cas(command: Command & { op: 'cas' }, name: string, present: KvRecord | undefined): Step {
    const expected = expectedOf(command.expected, present)
    const bytes = encode(writeCas, command.key, expected, command.value)
    const isMatch = expected === undefined ? present === undefined : isEqual(expected, present?.value)
    if (!isMatch) return { bytes, answer: { status: 'mismatch', revision: this.revision, current: present } }
    return { bytes, answer: this.#write(name, command.value) }
  }

  #write(name: string, value: Uint8Array): WriteAnswer {
    const revision = ++this.revision
    const { createRevision = revision, version = 0 } = this.records.get(name) ?? {}
    this.records.set(name, { value, createRevision, modRevision: revision, version: version + 1 })
    return { status: 'applied', revision }
  }

  /** Plain data, ordered like the keys' bytes. */
  content(): unknown[] {
    return [...this.records]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, record]) => ({ key, ...record, value: hex(record.value) }))
  }
}

function expectedOf(
  expected: Uint8Array | 'absent' | 'present',
  present: KvRecord | undefined,
): Uint8Array | undefined {
  if (expected === 'absent') return undefined
  return expected === 'present' ? present?.value : expected
}

function isEqual(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0
}

/** Few keys, so that commands meet; their bytes lie on both sides of 0x7f. */
const keyByte = fc.constantFrom(0x00, 0x61, 0x7f, 0x80, 0xff)
const key = fc
  .oneof({ weight: 2, arbitrary: fc.tuple(keyByte) }, { weight: 1, arbitrary: fc.tuple(keyByte, keyByte) })
  .map((bytes) => Uint8Array.from(bytes))

/** Mostly tiny; some large enough to fill pieces of a snapshot, and two of them too large for an append. */
const value = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: fc.nat(3) },
      { weight: 4, arbitrary: fc.constantFrom(40_000, 100_000, valueBytesMax / 2 + 1) },
    ),
    fc.nat(255),
  )
  .map(([length, byte]) => new Uint8Array(length).fill(byte))

export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('put' as const), key, value }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('append' as const), key, value }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('delete' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('cas' as const),
      key,
      expected: fc.oneof(fc.constantFrom('absent' as const, 'present' as const), value),
      value,
    }),
  },
)
