/** A step as a number: what kind, of which node, about what, and whether its write is held. */

export const kinds = [
  'deliver',
  /** The message is delivered, and stays in flight. */
  'duplicate',
  'timeOut',
  'heartbeat',
  'propose',
  'crash',
  'flush',
  'transfer',
  'change',
] as const
export type Kind = (typeof kinds)[number]

const numberOf = Object.fromEntries(kinds.map((kind, at) => [kind, at])) as Readonly<Record<Kind, number>>

/** More of them are not told apart. */
export const subjectsMax = 2 ** 22

export interface Coded {
  readonly kind: Kind
  /** The place of the node that takes the step, counted from 0. */
  readonly place: number
  /** The number of the message, of the command or of the change, or the id of the successor. */
  readonly subject: number
  readonly isHeld: boolean
}

export function codeOf(kind: Kind, place: number, subject = 0): number {
  return ((subject * 8 + place) * 16 + numberOf[kind]) * 2
}

/** The same step, whose write is held. */
export function held(code: number): number {
  return code + 1
}

export function decoded(code: number): Coded {
  const rest = Math.floor(code / 2)
  const kind = kinds[rest % 16]
  if (kind === undefined) throw new Error(`${code} is no step`)
  const placed = Math.floor(rest / 16)
  return { kind, place: placed % 8, subject: Math.floor(placed / 8), isHeld: code % 2 === 1 }
}

/** The code of the step as its node sees it, which does not know whether a message stays in flight. */
export function atNode(code: number): number {
  const { kind, place, subject, isHeld } = decoded(code)
  if (kind !== 'duplicate') return code
  const delivery = codeOf('deliver', place, subject)
  return isHeld ? held(delivery) : delivery
}
