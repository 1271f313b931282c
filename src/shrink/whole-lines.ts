/** Acts of whole nodes as fields of lines, and back. */
import { defaultLimits, type NodeId, type RaftLimits } from '../raft/index.js'
import { momentNames } from '../sim/index.js'
import { BadFailure, changesIn, countIn, type Fields, kindIn, nodesMax, objectIn } from './line-fields.js'
import type { Struck, WholeAct, WholeDeed } from './whole-acts.js'
import type { WholeWorld } from './whole-world.js'

/** Milliseconds of an act, and of a session. */
const msMax = 1e7
/** Bounds of a world, beyond those of any seed. */
const limitMax = 1 << 30
const ticksMax = 1000
const tickMsMax = 1000
const clockDriftMax = 0.5
const requestTypes = ['propose', 'read', 'readHere', 'staleRead'] as const
const endings = ['kill', 'losePower'] as const

export function wholeFieldsOf({ id, node, deed, struck }: WholeAct): object {
  const { type, ...rest } = deed
  const commands = 'commands' in deed ? { commands: deed.commands.map(textOf) } : {}
  return { act: id, ...(node > 0 && { node }), does: type, ...rest, ...commands, ...(struck && { struck }) }
}

function textOf(command: Uint8Array): string {
  return Buffer.from(command).toString('base64')
}

/** The world of a head. */
export function wholeWorldIn(fields: Fields): Omit<WholeWorld, 'seed'> {
  return {
    voters: countIn(fields, 'voters', 1, nodesMax),
    neverLeading: idsIn(fields, 'neverLeading'),
    limits: limitsIn(objectIn(fields['limits'], 'its limits are no object')),
    resultBytesMax: countIn(fields, 'resultBytesMax', 1, limitMax),
    tickMs: countIn(fields, 'tickMs', 1, tickMsMax),
    reads: oneOf(fields, 'reads', ['lease', 'readIndex']),
    clockDrift: numberIn(fields, 'clockDrift', 0, clockDriftMax),
    looksAtStates: fields['looksAtStates'] === true,
  }
}

/** A limit that came after the file was written has its default. */
function limitsIn(fields: Fields): RaftLimits {
  const limits: Record<keyof RaftLimits, number> = { ...defaultLimits }
  const names = Object.keys(limits) as (keyof RaftLimits)[]
  for (const name of names)
    if (fields[name] !== undefined)
      limits[name] = countIn(fields, name, 1, name.endsWith('Ticks') ? ticksMax : limitMax)
  const { heartbeatTicks, electionTimeoutTicks } = limits
  if (heartbeatTicks * 3 <= electionTimeoutTicks) return limits
  throw new BadFailure('its heartbeatTicks are more than a third of its electionTimeoutTicks')
}

export function wholeActOf(fields: Fields): WholeAct {
  const id = countIn(fields, 'act', 1)
  const node = fields['does'] === 'pass' ? 0 : countIn(fields, 'node', 1, nodesMax)
  const struck = fields['struck'] === undefined ? undefined : struckIn(fields['struck'])
  return { id, node, deed: deedIn(fields), ...(struck && { struck }) }
}

function struckIn(value: unknown): Struck {
  const fields = objectIn(value, 'its stroke is no object')
  return {
    moment: oneOf(fields, 'moment', momentNames),
    how: oneOf(fields, 'how', endings),
  }
}

function deedIn(fields: Fields): WholeDeed {
  const type = fields['does']
  switch (type) {
    case 'timeOut':
    case 'snapshot':
    case 'stall':
    case 'flush':
    case 'pause':
    case 'resume':
    case 'launch':
      return { type }
    case 'take':
      return { type, of: countIn(fields, 'of', 1), kind: kindIn(fields), nth: countIn(fields, 'nth', 0) }
    case 'pass':
      return { type, ms: numberIn(fields, 'ms', 0, msMax) }
    case 'crash':
      return { type, how: oneOf(fields, 'how', endings) }
    case 'change':
      return { type, changes: changesIn(fields) }
    case 'transfer':
      return { type, to: fields['to'] === undefined ? undefined : countIn(fields, 'to', 1, nodesMax) }
    case 'skew':
      return {
        type,
        offsetMs: numberIn(fields, 'offsetMs', -msMax, msMax),
        drift: numberIn(fields, 'drift', -1, 1),
      }
    case 'ask':
      return { type, what: oneOf(fields, 'what', requestTypes), commands: commandsIn(fields) }
    case 'register':
      return { type, timeoutMs: countIn(fields, 'timeoutMs', 1, msMax) }
    case 'call':
      return {
        type,
        session: countIn(fields, 'session', 1),
        sequence: countIn(fields, 'sequence', 1),
        firstOutstanding: countIn(fields, 'firstOutstanding', 1),
        commands: commandsIn(fields),
      }
    default:
      throw new BadFailure(`it tells an act of the unknown kind ${JSON.stringify(type)}`)
  }
}

function commandsIn(fields: Fields): Uint8Array[] {
  const { commands } = fields
  if (!Array.isArray(commands) || commands.length === 0)
    throw new BadFailure('its commands are no list of at least one')
  return commands.map((text) => {
    const command = new Uint8Array(Buffer.from(String(text), 'base64'))
    // The decoder passes over all that is no base64.
    if (textOf(command) !== text) throw new BadFailure('a command is no text of base64')
    return command
  })
}

function idsIn(fields: Fields, name: string): NodeId[] {
  const ids = fields[name]
  if (!Array.isArray(ids)) throw new BadFailure(`its ${name} is no list`)
  return ids.map((id) => countIn({ id }, 'id', 1, nodesMax))
}

function oneOf<T extends string>(fields: Fields, name: string, known: readonly T[]): T {
  const value = known.find((each) => each === fields[name])
  if (value === undefined) throw new BadFailure(`its ${name} is none of ${known.join(', ')}`)
  return value
}

function numberIn(fields: Fields, name: string, least: number, most: number): number {
  const value = fields[name]
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw new BadFailure(`its ${name} is no number from ${least} to ${most}`)
}
