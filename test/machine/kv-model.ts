/** Random commands for the KV, and what the model says of them. */
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
import { KvModel } from '../../src/proof/index.js'
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

/** Commands one after the other, each with the answer that the model gives it. */
export class Steps {
  readonly #model = new KvModel()

  step(command: Command): Step {
    const present = this.#recordOf(command.key)
    const bytes = bytesOf(command, present)
    const { status, revision } = this.#model.apply(bytes)
    if (status === 'mismatch') return { bytes, answer: { status, revision, current: present } }
    return { bytes, answer: { status, revision } }
  }

  /** The present keys as hex text, in the order of their bytes. */
  keys(): string[] {
    return this.#model.keys().map((key) => Buffer.from(key, 'latin1').toString('hex'))
  }

  /** Plain data, ordered like the keys' bytes. */
  content(): unknown[] {
    return this.keys().map((key) => {
      const record = this.#recordOf(Buffer.from(key, 'hex'))
      return { key, ...record, value: record && hex(record.value) }
    })
  }

  #recordOf(key: Uint8Array): KvRecord | undefined {
    return this.#model.recordAt(key, this.#model.revision)
  }
}

function bytesOf(command: Command, present: KvRecord | undefined): Uint8Array {
  const { key } = command
  if (command.op === 'delete') return encode(writeDelete, key)
  const { value } = command
  if (command.op !== 'cas') return encode(command.op === 'put' ? writePut : writeAppend, key, value)
  const { expected } = command
  if (expected === 'absent') return encode(writeCas, key, undefined, value)
  return encode(writeCas, key, expected === 'present' ? present?.value : expected, value)
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
