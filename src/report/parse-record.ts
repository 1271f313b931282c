/** From the text of a file to a record of the bench suite, or one line that says what is wrong with it. */

import { BadInput } from '../terminal/index.js'
import type { BenchRecord } from './bench-record.js'

const version = 1

type Check = (value: unknown, path: string) => void

/** Throws BadInput; `name` is the file, for the line. */
export function parseRecord(text: string, name: string): BenchRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const why = text.trim() === '' ? 'the file is empty' : 'this is no JSON, or the file is cut off'
    throw new BadInput(`${name}: ${why}; give a record that the bench suite wrote`)
  }
  const head = (typeof value === 'object' ? (value ?? {}) : {}) as Partial<BenchRecord>
  if (head.format !== 'raftbox-bench') {
    throw new BadInput(`${name}: this is no record of the bench suite; give a file that npm run bench wrote`)
  }
  if (head.version !== version) {
    throw new BadInput(
      `${name}: the record is of version ${JSON.stringify(head.version)}, and this raftbox reads version ${version}`,
    )
  }
  try {
    isRecord(value, 'record')
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    throw new BadInput(`${name}: the record is incomplete or damaged: ${error.message}`)
  }
  const record = value as BenchRecord
  const twice = repeatedIn(record.results.map(({ id }) => id))
  if (twice !== undefined) throw new BadInput(`${name}: the record holds the result ${twice} twice`)
  for (const { id, figures } of record.results) {
    const figure = repeatedIn(figures.map((one) => one.name))
    if (figure !== undefined) throw new BadInput(`${name}: the result ${id} holds the figure ${figure} twice`)
  }
  return record
}

function repeatedIn(names: readonly string[]): string | undefined {
  const lastAt = new Map(names.map((name, at) => [name, at]))
  return names.find((name, at) => lastAt.get(name) !== at)
}

class Misfit extends Error {
  override readonly name = 'Misfit'
}

function fits(holds: boolean, path: string, expected: string): asserts holds {
  if (!holds) throw new Misfit(`${path} should be ${expected}`)
}

function check(expected: string, holds: (value: unknown) => boolean): Check {
  return (value, path) => fits(holds(value), path, expected)
}

const isText = (value: unknown): value is string => typeof value === 'string'
const text = check('a text', isText)
const number = check('a number', Number.isFinite)
const textOrNull: Check = (value, path) => value === null || text(value, path)
const textOrNumber = check('a text or a number', (value) => isText(value) || Number.isFinite(value))
const plain = check(
  'a text, number or boolean',
  (value) => isText(value) || typeof value === 'boolean' || Number.isFinite(value),
)
const direction = check('higher, lower or neither', (value) =>
  ['higher', 'lower', 'neither'].includes(value as string),
)
const time = check('a time', (value) => isText(value) && !Number.isNaN(Date.parse(value)))
const object = check(
  'an object',
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
)

function shape(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    object(value, path)
    const found = value as Record<string, unknown>
    for (const [name, field] of Object.entries(fields)) field(found[name], `${path}.${name}`)
  }
}

function mapOf(item: Check): Check {
  return (value, path) => {
    object(value, path)
    for (const [name, one] of Object.entries(value as object)) item(one, `${path}.${name}`)
  }
}

function listOf(item: Check, least = 0): Check {
  const expected = least > 0 ? 'a list that is not empty' : 'a list'
  return (value, path) => {
    fits(Array.isArray(value) && value.length >= least, path, expected)
    for (const [at, one] of value.entries()) item(one, `${path}[${at}]`)
  }
}

/** Ascending in both: a curve that goes back would be drawn all the same. */
const points: Check = (value, path) => {
  listOf(listOf(number, 2), 1)(value, path)
  const pairs = value as [number, number][]
  pairs.forEach(([percentile, ms], at) => {
    const [before, msBefore] = pairs[at - 1] ?? [-1, Number.NEGATIVE_INFINITY]
    const isNext = percentile > before && percentile <= 100 && ms >= msBefore
    fits(isNext, `${path}[${at}]`, 'a percentile up to 100 and its milliseconds, ascending')
  })
}

const isRecord = shape({
  startedAt: time,
  seconds: number,
  machine: shape({ cpuModel: text, cores: number, memoryBytes: number, platform: text }),
  versions: shape({ raftbox: text, commit: textOrNull, node: text, v8: text, lmdb: text }),
  settings: mapOf(plain),
  results: listOf(
    shape({
      id: text,
      group: text,
      title: text,
      parameters: mapOf(textOrNumber),
      figures: listOf(shape({ name: text, unit: text, better: direction, values: listOf(number, 1) })),
      distributions: listOf(shape({ name: text, points })),
      timeline: listOf(
        shape({ round: number, second: number, commitsPerSecond: number, p99ms: number, elections: number }),
      ),
    }),
  ),
})
