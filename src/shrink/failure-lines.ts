/** A failure as the lines of a file: first its head, then one JSON object for each act. */
import { carriedTypes } from '../telemetry/index.js'
import type { Act, Deed } from './acts.js'
import type { Failure, FailureList } from './failure.js'
import { strangePartOf } from './world-change.js'

const version = 1
/** More nodes than any run of the simulator has. */
const nodesMax = 64
const kindsOfDeed = [
  'take',
  'timeOut',
  'heartbeat',
  'propose',
  'crash',
  'flush',
  'transfer',
  'change',
] as const
const changeTypes = ['addLearner', 'promote', 'demote', 'remove'] as const

/** A line that is not one of a failure. */
export class BadFailure extends Error {
  override readonly name = 'BadFailure'
}

type Fields = Partial<Record<string, unknown>>

/** `words`: each act in words, for the reader of the file; running the failure again needs none. */
export function linesOf(failure: Failure, words: readonly string[]): string[] {
  const { seed, found } = failure
  const head = { failure: 'raftbox', version, seed, found }
  if (failure.type === 'world') return [JSON.stringify({ ...head, world: failure.change })]
  const lines = failure.acts.map((act, at) => JSON.stringify({ ...fieldsOf(act), words: words[at] }))
  return [JSON.stringify({ ...head, list: failure.size }), ...lines]
}

function fieldsOf({ id, node, deed, isHeld }: Act): object {
  const { type, ...rest } = deed
  return { act: id, node, does: type, ...rest, ...(isHeld && { isHeld }) }
}

/** True for the first line of a failure. */
export function isFailure(text: string): boolean {
  try {
    const head = JSON.parse(text) as Fields | null
    return head?.['failure'] === 'raftbox'
  } catch {
    return false
  }
}

/** Reads a failure line by line. Throws a `BadFailure` for what is none. */
export class FailureReader {
  #head: Fields | undefined
  readonly #acts: Act[] = []

  take(text: string): void {
    const fields = fieldsIn(text)
    if (this.#head === undefined) this.#head = checkedHead(fields)
    else if (this.#head['list'] === undefined) throw new BadFailure('a failure of a world has one line')
    else this.#acts.push(actOf(fields))
  }

  get failure(): Failure {
    if (this.#head === undefined) throw new BadFailure('it is empty')
    const { seed, found, world, list } = this.#head
    const origin = { seed, found } as Pick<Failure, 'seed' | 'found'>
    if (list === undefined) return { type: 'world', ...origin, change: world as object }
    return { type: 'list', ...origin, size: list as FailureList['size'], acts: this.#acts }
  }
}

function fieldsIn(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BadFailure('it is not JSON')
  }
  return objectIn(value, 'it is not an object')
}

function objectIn(value: unknown, why: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadFailure(why)
  return value as Fields
}

function checkedHead(fields: Fields): Fields {
  if (fields['version'] !== version)
    throw new BadFailure(`the failure is of version ${fields['version']}, and this raftbox reads ${version}`)
  const seed = countIn(fields, 'seed', 0)
  const { rule, detail } = objectIn(fields['found'], 'it does not tell the rule that was found broken')
  if (typeof rule !== 'string' || typeof detail !== 'string')
    throw new BadFailure('it does not tell the rule that was found broken')
  if (fields['list'] === undefined) {
    const world = objectIn(fields['world'], 'it tells neither a list nor a world')
    const strange = strangePartOf(world, seed)
    if (strange !== undefined)
      throw new BadFailure(`its world's ${strange} is no part of what seed ${seed} stands for`)
    return fields
  }
  const list = objectIn(fields['list'], 'its list is no object')
  countIn(list, 'voters', 1, nodesMax)
  countIn(list, 'appendBytesMax', 1)
  return fields
}

function actOf(fields: Fields): Act {
  const act = { id: countIn(fields, 'act', 1), node: countIn(fields, 'node', 1, nodesMax) }
  return { ...act, deed: deedOf(fields), isHeld: fields['isHeld'] === true }
}

function deedOf(fields: Fields): Deed {
  const type = kindsOfDeed.find((kind) => kind === fields['does'])
  switch (type) {
    case undefined:
      throw new BadFailure(`it tells an act of the unknown kind ${JSON.stringify(fields['does'])}`)
    case 'take': {
      const of = countIn(fields, 'of', 1)
      const kind = carriedTypes.find((each) => each === fields['kind'])
      if (kind === undefined)
        throw new BadFailure(`it takes a message of the unknown kind ${JSON.stringify(fields['kind'])}`)
      return { type, of, kind, nth: countIn(fields, 'nth', 0) }
    }
    case 'transfer':
      return { type, to: countIn(fields, 'to', 1, nodesMax) }
    case 'change': {
      const { changes } = fields
      if (!Array.isArray(changes)) throw new BadFailure('its changes are no list')
      return { type, changes: changes.map((change) => changeOf(objectIn(change, 'a change is no object'))) }
    }
    default:
      return { type }
  }
}

function changeOf(fields: Fields): Extract<Deed, { type: 'change' }>['changes'][number] {
  const type = changeTypes.find((each) => each === fields['type'])
  if (type === undefined)
    throw new BadFailure(`it tells the unknown change ${JSON.stringify(fields['type'])}`)
  return { type, nodeId: countIn(fields, 'nodeId', 1, nodesMax) }
}

function countIn(fields: Fields, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = fields[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most)
    return value
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new BadFailure(`its ${name} is no whole number ${range}`)
}
