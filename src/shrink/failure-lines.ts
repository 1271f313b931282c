/** A failure as the lines of a file: first its head, then one JSON object for each act. */
import type { Act, Deed } from './acts.js'
import type { Failure, FailureList, FailureWorld } from './failure.js'
import { BadFailure, changesIn, countIn, type Fields, kindIn, nodesMax, objectIn } from './line-fields.js'
import type { WholeAct } from './whole-acts.js'
import { wholeActOf, wholeFieldsOf, wholeWorldIn } from './whole-lines.js'
import { strangePartOf } from './world-change.js'

const version = 1
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

/** `words`: each act in words, for the reader of the file; running the failure again needs none. */
export function linesOf(failure: Failure, words: readonly string[]): string[] {
  const { seed, found } = failure
  const head = { failure: 'raftbox', version, seed, found }
  if (failure.type === 'world') return [JSON.stringify({ ...head, world: failure.change })]
  const acts = failure.type === 'list' ? failure.acts.map(fieldsOf) : failure.acts.map(wholeFieldsOf)
  const lines = acts.map((fields, at) => JSON.stringify({ ...fields, words: words[at] }))
  const world = failure.type === 'list' ? { list: failure.size } : { whole: failure.world }
  return [JSON.stringify({ ...head, ...world }), ...lines]
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
  readonly #wholeActs: WholeAct[] = []

  take(text: string): void {
    const fields = fieldsIn(text)
    if (this.#head === undefined) this.#head = checkedHead(fields)
    else if (this.#head['whole'] !== undefined) this.#wholeActs.push(wholeActOf(fields))
    else if (this.#head['list'] === undefined) throw new BadFailure('a failure of a world has one line')
    else this.#acts.push(actOf(fields))
  }

  get failure(): Failure {
    if (this.#head === undefined) throw new BadFailure('it is empty')
    const { seed, found, world, list, whole } = this.#head
    const origin = { seed, found } as Pick<FailureWorld, 'seed' | 'found'>
    if (whole !== undefined)
      return { type: 'whole', ...origin, world: wholeWorldIn(whole as Fields), acts: this.#wholeActs }
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

function checkedHead(fields: Fields): Fields {
  if (fields['version'] !== version)
    throw new BadFailure(`the failure is of version ${fields['version']}, and this raftbox reads ${version}`)
  // A search finds its list of steps without a seed.
  const hasSeed = fields['list'] === undefined || fields['seed'] !== undefined
  const seed = hasSeed ? countIn(fields, 'seed', 0) : 0
  const { rule, detail } = objectIn(fields['found'], 'it does not tell the rule that was found broken')
  if (typeof rule !== 'string' || typeof detail !== 'string')
    throw new BadFailure('it does not tell the rule that was found broken')
  if (fields['whole'] !== undefined) {
    wholeWorldIn(objectIn(fields['whole'], 'its list is no object'))
    return fields
  }
  if (fields['list'] === undefined) {
    checkChange(objectIn(fields['world'], 'it tells neither a list nor a world'), seed)
    return fields
  }
  const list = objectIn(fields['list'], 'its list is no object')
  countIn(list, 'voters', 1, nodesMax)
  countIn(list, 'appendBytesMax', 1)
  return fields
}

function checkChange(change: object, seed: number): void {
  const strange = strangePartOf({ ...change }, seed)
  if (strange !== undefined)
    throw new BadFailure(`its world's ${strange} is no part of what seed ${seed} stands for`)
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
      return { type, of, kind: kindIn(fields), nth: countIn(fields, 'nth', 0) }
    }
    case 'transfer':
      return { type, to: countIn(fields, 'to', 1, nodesMax) }
    case 'change':
      return { type, changes: changesIn(fields) }
    default:
      return { type }
  }
}
