/** The fields of a line, each as it has to be. */
import type { MembershipChange } from '../raft/index.js'
import { type CarriedType, carriedTypes } from '../telemetry/index.js'

/** More nodes than any run of the simulator has. */
export const nodesMax = 64
const changeTypes = ['addLearner', 'promote', 'demote', 'remove'] as const

/** A line that is not one of a failure. */
export class BadFailure extends Error {
  override readonly name = 'BadFailure'
}

export type Fields = Partial<Record<string, unknown>>

export function objectIn(value: unknown, why: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadFailure(why)
  return value as Fields
}

export function kindIn(fields: Fields): CarriedType {
  const kind = carriedTypes.find((each) => each === fields['kind'])
  if (kind !== undefined) return kind
  throw new BadFailure(`it takes a message of the unknown kind ${JSON.stringify(fields['kind'])}`)
}

export function changesIn({ changes }: Fields): MembershipChange[] {
  if (!Array.isArray(changes)) throw new BadFailure('its changes are no list')
  return changes.map((change) => changeOf(objectIn(change, 'a change is no object')))
}

function changeOf(fields: Fields): MembershipChange {
  const type = changeTypes.find((each) => each === fields['type'])
  if (type === undefined)
    throw new BadFailure(`it tells the unknown change ${JSON.stringify(fields['type'])}`)
  return { type, nodeId: countIn(fields, 'nodeId', 1, nodesMax) }
}

export function countIn(fields: Fields, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = fields[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most)
    return value
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new BadFailure(`its ${name} is no whole number ${range}`)
}
