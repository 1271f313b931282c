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
  const ids = record.results.map(({ id }) => id)
  const lastAt = new Map(ids.map((id, at) => [id, at]))
  const twice = ids.find((id, at) => lastAt.get(id) !== at)
  if (twice !== undefined) throw new BadInput(`${name}: the record holds the result ${twice} twice`)
  return record
}

class Misfit extends Error {
  override readonly name = 'Misfit'
}

function fits(holds: boolean, path: string, expected: string): asserts holds {
  if (!holds) throw new Misfit(`${path} should be ${expected}`)
}

const text: Check = (value, path) => fits(typeof value === 'string', path, 'a text')
const number: Check = (value, path) => fits(Number.isFinite(value), path, 'a number')
const textOrNull: Check = (value, path) => value === null || text(value, path)
const plain: Check = (value, path) => {
  fits(
    ['string', 'boolean'].includes(typeof value) || Number.isFinite(value),
    path,
    'a text, number or boolean',
  )
}
const textOrNumber: Check = (value, path) => {
  fits(typeof value === 'string' || Number.isFinite(value), path, 'a text or a number')
}
const direction: Check = (value, path) => {
  fits(['higher', 'lower', 'neither'].includes(value as string), path, 'higher, lower or neither')
}
const time: Check = (value, path) => {
  fits(typeof value === 'string' && !Number.isNaN(Date.parse(value)), path, 'a time')
}

function shape(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    fits(typeof value === 'object' && value !== null && !Array.isArray(value), path, 'an object')
    const found = value as Record<string, unknown>
    for (const [name, check] of Object.entries(fields)) check(found[name], `${path}.${name}`)
  }
}

function mapOf(check: Check): Check {
  return (value, path) => {
    fits(typeof value === 'object' && value !== null && !Array.isArray(value), path, 'an object')
    for (const [name, item] of Object.entries(value)) check(item, `${path}.${name}`)
  }
}

function listOf(check: Check, least = 0): Check {
  return (value, path) => {
    fits(
      Array.isArray(value) && value.length >= least,
      path,
      least > 0 ? 'a list that is not empty' : 'a list',
    )
    for (const [at, item] of value.entries()) check(item, `${path}[${at}]`)
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
