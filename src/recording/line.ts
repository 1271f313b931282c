/**
 * The lines of a recording. Each is one JSON object: first the head, then for each life of a node its beginning, all that
 * its protocol was told, and, where the life ended in order, the hash of the state at its end.
 */
import type { Input, NodeId, RaftOptions } from '../raft/index.js'

export const version = 1

export type Line =
  | { readonly recording: 'raftbox'; readonly version: number }
  | { readonly node: NodeId; readonly begins: RaftOptions }
  | { readonly node: NodeId; readonly told: Input }
  | { readonly node: NodeId; readonly ends: string }
  /** The recording ends here, before the lives do. */
  | { readonly stops: string }

/** A line that is not one of a recording, or does not follow on those before it. */
export class BadLine extends Error {
  override readonly name = 'BadLine'
}

/** JSON has no bytes, and of numbers only the finite ones: both are written as an object of one field. */
export function textOf(line: Line): string {
  return JSON.stringify(line, (_, value: unknown) => {
    if (value instanceof Uint8Array) {
      return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
    }
    if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) }
    return value
  })
}

/** Throws a `BadLine` for text that is no JSON object. What the object holds is not checked. */
export function parseLine(text: string): Partial<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text, revived)
  } catch {
    throw new BadLine('it is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadLine('it is not an object')
  }
  return value as Partial<Record<string, unknown>>
}

function revived(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$bytes' in value && typeof value.$bytes === 'string') {
    // A buffer of its own: a leader writes into that of a frame.
    return new Uint8Array(Buffer.from(value.$bytes, 'base64'))
  }
  return '$number' in value ? Number(value.$number) : value
}
