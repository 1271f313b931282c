/** A stand-in for the check of the store. */
import type { Status } from '../../mvcc/index.js'

export function checkRequest(_op: string, _request: Uint8Array): Status | undefined {
  return undefined
}

export function isReadOnlyTxn(_request: Uint8Array): boolean {
  return false
}

export function isSerializable(_op: string, _request: Uint8Array): boolean {
  return false
}
