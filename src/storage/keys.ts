/**
 * Where each record lies in the table. Keys are big-endian, so that their order is that of the numbers in
 * them; 53 bits of index are enough for the whole life of a cluster. The log comes last: it is what grows.
 */
const kinds = { note: 1, chunk: 2, log: 3, end: 4 } as const

/** The small records beside the log, each under a key of its own. */
const noteNumbers = { identity: 1, hardState: 2, pointers: 3 } as const
export type NoteName = keyof typeof noteNumbers

/** Beside the notes, so that it costs a transaction no page of its own. */
export const manifestKey = Uint8Array.of(kinds.note, 4)

export const noteKeys: Readonly<Record<NoteName, Uint8Array>> = {
  identity: Uint8Array.of(kinds.note, noteNumbers.identity),
  hardState: Uint8Array.of(kinds.note, noteNumbers.hardState),
  pointers: Uint8Array.of(kinds.note, noteNumbers.pointers),
}

/** All chunks lie between these two. */
export const chunkKeysFrom = Uint8Array.of(kinds.chunk)
export const chunkKeysTo = Uint8Array.of(kinds.log)

/** All records of the log lie between these two. */
export const logKeysFrom = Uint8Array.of(kinds.log)
export const logKeysTo = Uint8Array.of(kinds.end)

/** Every row of a table lies between these two, also one that no store has written. */
export const allKeysFrom = Uint8Array.of(0)
export const allKeysTo = Uint8Array.of(0xff)

function writeNumber(key: Uint8Array, offset: number, value: number): void {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  view.setUint32(offset, Math.floor(value / 2 ** 32))
  view.setUint32(offset + 4, value % 2 ** 32)
}

function readNumber(key: Uint8Array, offset: number): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4)
}

/** The record of the run that begins at `index`. */
export function logKey(index: number): Uint8Array {
  const key = new Uint8Array(9)
  key[0] = kinds.log
  writeNumber(key, 1, index)
  return key
}

export function indexOfLogKey(key: Uint8Array): number {
  return readNumber(key, 1)
}

/**
 * A piece of a snapshot. Each attempt to write a snapshot has a generation of its own, so that no piece of a
 * half-written one is ever taken for a piece of another of the same index.
 */
export function chunkKey(generation: number, offset: number): Uint8Array {
  const key = new Uint8Array(17)
  key[0] = kinds.chunk
  writeNumber(key, 1, generation)
  writeNumber(key, 9, offset)
  return key
}

export function placeOfChunkKey(key: Uint8Array): { generation: number; offset: number } {
  return { generation: readNumber(key, 1), offset: readNumber(key, 9) }
}
