/** Verbs that read and write keys. Keys and values may hold anything, so people see them in a printable form. */
import { isUtf8 } from 'node:buffer'
import { counted, printable } from '../terminal/index.js'
import type { ReadTold } from './subject.js'
import { verb } from './verb.js'

/** Where a read is served: `from 2`, `stale`, or both. */
const whereSuffixes = [
  { kind: 'stale', as: 'stale' },
  { word: 'from', kind: 'reader', as: 'from' },
] as const

export const dataVerbs = [
  verb('put', {
    explanation: 'the value is the rest of the line',
    slots: [
      { kind: 'key', as: 'key' },
      { kind: 'rest', as: 'value' },
    ],
    async run(subject, { key, value }) {
      const { index, revision } = await subject.put(key, value)
      return { data: { index, revision }, words: `applied at index ${index}, revision ${revision}` }
    },
  }),
  verb('get', {
    explanation: 'a linearizable read, at the leader unless a node is named; or a stale one, of any node',
    slots: [{ kind: 'key', as: 'key' }],
    suffixes: whereSuffixes,
    async run(subject, { key, from, stale }) {
      const { answer: entry, ...told } = await subject.get(key, { from, isStale: stale !== undefined })
      if (entry === undefined)
        return { data: { value: null, ...told }, words: `${absent(key)}${ageOf(told)}` }
      const { value, version, modRevision } = entry
      return {
        data: { ...textOrBytes('value', value), version, modRevision, ...told },
        words: `${printable(value)} (version ${version}, last put at revision ${modRevision})${ageOf(told)}`,
      }
    },
  }),
  verb('delete', {
    explanation: 'removes a key',
    slots: [{ kind: 'key', as: 'key' }],
    async run(subject, { key }) {
      const { index, deleted } = await subject.delete(key)
      return { data: { index, deleted }, words: deleted ? `deleted at index ${index}` : absent(key) }
    },
  }),
  verb('range', {
    explanation: 'up to 1000 keys that begin with PREFIX, in order',
    slots: [{ kind: 'prefix', as: 'prefix', isOptional: true }],
    suffixes: whereSuffixes,
    async run(subject, { prefix = '', from, stale }) {
      const { answer, ...told } = await subject.range(prefix, { from, isStale: stale !== undefined })
      const { entries, hasMore } = answer
      const lines = entries.map(({ key, value }) => `${printable(key)} ${printable(value)}`)
      const count = `${counted(entries.length, 'key')}${hasMore ? ', and more' : ''}`
      const data = entries.map(({ key, value }) => ({
        ...textOrBytes('key', key),
        ...textOrBytes('value', value),
      }))
      return {
        data: { entries: data, hasMore, ...told },
        words: [...lines, `${count}${ageOf(told)}`].join('\n'),
      }
    },
  }),
]

/** How stale an answer may be; empty for a linearizable one. */
function ageOf({ index, ageMs }: Omit<ReadTold<unknown>, 'answer'>): string {
  if (index === undefined || ageMs === undefined) return ''
  const age = Number.isFinite(ageMs) ? `${Math.ceil(ageMs)} ms old at most` : 'of unknown age'
  return `, as of index ${index}, ${age}`
}

function absent(key: string): string {
  return `there is no key ${printable(key)}`
}

/** Bytes that are not UTF-8 have no form in JSON: `valueBase64` instead of `value` holds them. */
export function textOrBytes(name: string, bytes: Uint8Array): Record<string, string> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isUtf8(buffer) ? { [name]: buffer.toString() } : { [`${name}Base64`]: buffer.toString('base64') }
}
