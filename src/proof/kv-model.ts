/**
 * What the key-value machine ought to be, written a second time and with another aim: every state it ever
 * had stays known by its revision, so that any answer can be compared with the state that it claims to show.
 */
import { commandOps, type KvRecord, valueBytesMax } from '../machine/index.js'

interface Version {
  /** The revision that brought it about. */
  readonly revision: number
  /** `undefined`: the key was deleted. */
  readonly record: KvRecord | undefined
  /** Its part of the digest. */
  readonly hash: number
}

export interface ModelResult {
  readonly status: 'applied' | 'notFound' | 'mismatch' | 'tooLarge' | 'malformed'
  readonly revision: number
}

export class KvModel {
  readonly #keys = new Map<string, Version[]>()
  /** Digest of the whole state after each revision: equal for equal states, whatever led to them. */
  readonly #digests: number[] = [0]

  get revision(): number {
    return this.#digests.length - 1
  }

  /** Digest of the state right after `revision`; `undefined` when there was no such revision yet. */
  digestAt(revision: number): number | undefined {
    return this.#digests[revision]
  }

  /** What a key held right after `revision`. */
  recordAt(key: Uint8Array, revision: number): KvRecord | undefined {
    const versions = this.#keys.get(nameOf(key)) ?? []
    for (let at = versions.length - 1; at >= 0; at--) {
      const version = versions[at]
      if (version !== undefined && version.revision <= revision) return version.record
    }
    return undefined
  }

  /** The present keys, each byte a character, in the order of the bytes. */
  keys(): string[] {
    const names = [...this.#keys.keys()].filter((name) => this.#keys.get(name)?.at(-1)?.record !== undefined)
    return names.sort((one, other) => (one < other ? -1 : 1))
  }

  apply(command: Uint8Array): ModelResult {
    if (command.byteLength < 3) return this.#unchanged('malformed')
    const view = new DataView(command.buffer, command.byteOffset, command.byteLength)
    const keyEnd = 3 + view.getUint16(1, true)
    const key = command.subarray(3, keyEnd)
    const rest = command.subarray(keyEnd)
    const present = this.#keys.get(nameOf(key))?.at(-1)?.record
    switch (view.getUint8(0)) {
      case commandOps.put:
        return this.#write(key, present, rest)
      case commandOps.append:
        return this.#append(key, present, rest)
      case commandOps.delete:
        return present === undefined ? this.#unchanged('notFound') : this.#put(key, undefined)
      case commandOps.cas: {
        const expectedEnd = 4 + view.getUint32(keyEnd, true)
        const isExpected = present !== undefined && isSameBytes(present.value, rest.subarray(4, expectedEnd))
        return isExpected
          ? this.#write(key, present, rest.subarray(expectedEnd))
          : this.#unchanged('mismatch')
      }
      case commandOps.casAbsent:
        return present === undefined ? this.#write(key, undefined, rest) : this.#unchanged('mismatch')
      default:
        return this.#unchanged('malformed')
    }
  }

  #append(key: Uint8Array, present: KvRecord | undefined, value: Uint8Array): ModelResult {
    const whole = present === undefined ? value : joined(present.value, value)
    return whole.byteLength > valueBytesMax ? this.#unchanged('tooLarge') : this.#write(key, present, whole)
  }

  #write(key: Uint8Array, present: KvRecord | undefined, value: Uint8Array): ModelResult {
    const modRevision = this.revision + 1
    const createRevision = present?.createRevision ?? modRevision
    return this.#put(key, { value, createRevision, modRevision, version: (present?.version ?? 0) + 1 })
  }

  #put(key: Uint8Array, record: KvRecord | undefined): ModelResult {
    const name = nameOf(key)
    const versions = this.#keys.get(name) ?? []
    if (versions.length === 0) this.#keys.set(name, versions)
    const revision = this.revision + 1
    const hash = record === undefined ? 0 : hashOf(key, record)
    const digest = (this.#digests[revision - 1] ?? 0) - (versions.at(-1)?.hash ?? 0) + hash
    versions.push({ revision, record, hash })
    this.#digests.push(digest)
    return { status: 'applied', revision }
  }

  #unchanged(status: ModelResult['status']): ModelResult {
    return { status, revision: this.revision }
  }
}

/** Part of the digest: a sum of these stands for a set of keys. Exact: a sum of a thousand stays below 2^53. */
export function hashOf(key: Uint8Array, { value, createRevision, modRevision, version }: KvRecord): number {
  let hash = 0x811c9dc5
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ createRevision, 0x01000193)
  hash = Math.imul(hash ^ modRevision, 0x85ebca6b)
  hash = Math.imul(hash ^ version, 0xc2b2ae35)
  for (const byte of value) hash = Math.imul(hash ^ byte, 0x01000193)
  hash ^= hash >>> 15
  return hash >>> 0
}

export function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && Buffer.compare(one, other) === 0
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.byteLength + other.byteLength)
  bytes.set(one)
  bytes.set(other, one.byteLength)
  return bytes
}

function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key)
}
