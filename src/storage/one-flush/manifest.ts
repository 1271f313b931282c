/**
 * What one transaction of the table changed, in a row that it writes with all others. Each row is named by its key
 * and by the checksum that its value begins with, so that a start can tell whether all of a transaction is there.
 */
import { Buffer } from 'node:buffer'
import { writeUint32 } from '../../raft/index.js'
import { checksumBytes, checksumOf, isIntact, seal } from '../record.js'
import type { Transaction } from '../table.js'

/** The writes of one transaction of LMDB. */
export type Batch = readonly Pick<Transaction, 'changes'>[]

/** A row that a transaction put, by its checksum, or removed. */
export interface ChangedRow {
  readonly key: Uint8Array
  readonly checksum: number | undefined
}

export interface Manifest {
  /** Number of the transaction that wrote it. */
  readonly transaction: number
  /** Each once: of several changes to a row the last one counts. */
  readonly rows: readonly ChangedRow[]
}

/** Checksum, the transaction as a double; then for each row whether it was put, its checksum, its key. */
const offsets = { transaction: checksumBytes, rows: checksumBytes + 8 } as const
const rowOffsets = { isPut: 0, checksum: 1, keyBytes: 5, key: 6 } as const

export function sealManifest(transaction: number, batch: Batch): Uint8Array {
  let bytes = offsets.rows
  for (const { changes } of batch) for (const { key } of changes) bytes += rowOffsets.key + key.byteLength
  const manifest = Buffer.allocUnsafe(bytes)
  manifest.writeDoubleLE(transaction, offsets.transaction)
  let at: number = offsets.rows
  for (const { changes } of batch) {
    for (const { key, value } of changes) {
      manifest[at + rowOffsets.isPut] = value === undefined ? 0 : 1
      writeUint32(manifest, at + rowOffsets.checksum, value === undefined ? 0 : checksumOf(value))
      manifest[at + rowOffsets.keyBytes] = key.byteLength
      manifest.set(key, at + rowOffsets.key)
      at += rowOffsets.key + key.byteLength
    }
  }
  seal(manifest)
  return manifest
}

/** `undefined` when these bytes are not a manifest as it was written. */
export function openManifest(bytes: Uint8Array | undefined): Manifest | undefined {
  if (bytes === undefined || bytes.byteLength < offsets.rows || !isIntact(bytes)) return undefined
  const manifest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const rows = new Map<string, ChangedRow>()
  for (let at: number = offsets.rows; at < manifest.length; ) {
    const keyOffset = at + rowOffsets.key
    const end = keyOffset + manifest.readUInt8(at + rowOffsets.keyBytes)
    const isPut = manifest[at + rowOffsets.isPut] === 1
    const checksum = isPut ? manifest.readUInt32LE(at + rowOffsets.checksum) : undefined
    rows.set(manifest.toString('latin1', keyOffset, end), {
      key: manifest.subarray(keyOffset, end),
      checksum,
    })
    at = end
  }
  return { transaction: manifest.readDoubleLE(offsets.transaction), rows: [...rows.values()] }
}
