/** A hash over all that a node's protocol holds: equal states, equal hashes. */
import { createHash } from 'node:crypto'
import { checksumsBytes, type Raft } from '../raft/index.js'

export function hashOf(raft: Raft): string {
  return sha256(JSON.stringify(raft.dump(), written))
}

function written(this: unknown, name: string, value: unknown): unknown {
  if (value instanceof Map) return [...value]
  if (!(value instanceof Uint8Array)) return value
  // The checksums at the beginning of a run are those of the store that it was written to.
  const isRun = name === 'bytes' && typeof this === 'object' && this !== null && 'kind' in this
  return sha256(isRun ? value.subarray(checksumsBytes) : value)
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}
