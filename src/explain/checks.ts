/** Checks of values that may come from a stranger, piece by piece. */
import type { Configuration } from '../raft/index.js'
import type { FaultTold, MembershipTold } from '../telemetry/index.js'

export type Fields = Partial<Record<string, unknown>>

export type Check = (value: unknown) => boolean

/** The checks of an object's fields, by their names. Fields of other names are let through. */
export type Checks = Readonly<Record<string, Check>>

/** A check of each field. */
export type ChecksOf<Told> = { readonly [Name in keyof Told]-?: Check }

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

export function isText(value: unknown): boolean {
  return typeof value === 'string'
}

export function isFlag(value: unknown): boolean {
  return typeof value === 'boolean'
}

export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function isId(value: unknown): boolean {
  return isCount(value) && value !== 0
}

export function oneOf(...words: readonly unknown[]): Check {
  return (value) => words.includes(value)
}

/** JSON leaves `undefined` away, as which a field that is not there reads. */
export function orNone(is: Check): Check {
  return (value) => value === undefined || is(value)
}

export function listOf(is: Check): Check {
  return (value) => Array.isArray(value) && value.every(is)
}

export function holds(checks: Checks, fields: Fields): boolean {
  return Object.entries(checks).every(([name, is]) => is(fields[name]))
}

export function having(checks: Checks): Check {
  return (value) => isFields(value) && holds(checks, value)
}

const areIds = listOf(isId)

/** An end of a link: a node, or all clients. */
function isEnd(value: unknown): boolean {
  return value === 'clients' || isId(value)
}

/** The fields of a `FaultTold`. */
export const ofFault: ChecksOf<FaultTold> = {
  id: isCount,
  type: isText,
  line: isText,
  nodes: areIds,
  ways: listOf(having({ from: isEnd, to: isEnd })),
  messages: orNone(isText),
  figures: (value) => isFields(value) && Object.values(value).every(isNumber),
}

const ofConfiguration: ChecksOf<Configuration> = {
  index: isCount,
  membership: having({ voters: areIds, votersOutgoing: areIds, learners: areIds }),
}

export const isConfiguration = having(ofConfiguration)

/** The fields of an event of the protocol, or of a frame, that tell a configuration. */
export const ofMembership: ChecksOf<Omit<MembershipTold, 'transferTo'>> = {
  ...ofConfiguration,
  isCommitted: isFlag,
}
