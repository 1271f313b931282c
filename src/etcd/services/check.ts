/** A stand-in for the check of the store. */
import type { Status } from '../../mvcc/index.js'

export interface RequestFacts {
  readonly status: Status
  readonly readOnly: boolean
  readonly serializable: boolean
}

export function checkRequest(op: string, _request: Uint8Array): RequestFacts {
  return { status: 'ok', readOnly: op === 'range', serializable: false }
}
