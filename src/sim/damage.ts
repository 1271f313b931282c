/** Damages one flushed record of a disk in memory. */
import type { Dice } from '../faults/index.js'
import type { MemoryDisk } from '../storage/index.js'

export const damageNames = ['rottenRecords', 'tornRecords', 'misdirectedRecords', 'lostRecords'] as const
export type DamageName = (typeof damageNames)[number]

/**
 * Damages one of the records, or one of the `newest` of the log, which come last. False when there is none that could be
 * damaged so.
 */
export function damageDisk(
  { rows, damagedRows }: MemoryDisk,
  damage: DamageName,
  dice: Dice,
  newest = rows.size,
): boolean {
  const key = dice.pick([...rows.keys()].sort().slice(-newest))
  const bytes = key === undefined ? undefined : rows.get(key)
  if (key === undefined || bytes === undefined || bytes.byteLength === 0) return false
  switch (damage) {
    case 'rottenRecords':
      damagedRows.set(key, withBitTurned(bytes, dice))
      return true
    case 'tornRecords':
      damagedRows.set(key, bytes.slice(0, dice.below(bytes.byteLength)))
      return true
    case 'lostRecords':
      damagedRows.set(key, undefined)
      return true
    case 'misdirectedRecords': {
      const other = dice.pick([...rows.keys()].filter((each) => each !== key).sort())
      if (other === undefined) return false
      // The write never came to its place, and is in the place of another record.
      damagedRows.set(other, bytes)
      damagedRows.set(key, undefined)
      return true
    }
  }
}

function withBitTurned(bytes: Uint8Array, dice: Dice): Uint8Array {
  // A `Buffer` would share its memory with a slice, and the row has to stay as it was written.
  const rotten = new Uint8Array(bytes)
  const at = dice.below(rotten.byteLength)
  rotten[at] = (rotten[at] ?? 0) ^ (1 << dice.below(8))
  return rotten
}
