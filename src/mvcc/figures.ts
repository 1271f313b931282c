/** Figures of the store, packed: five f64, little-endian, in the order of their names here. */
const names = ['revision', 'compactRevision', 'keys', 'revisions', 'bytes'] as const

export type StoreFigures = Readonly<
  Record<
    | 'revision'
    /** −1: the store was never compacted. */
    | 'compactRevision'
    /** Keys that exist. */
    | 'keys'
    /** Records in memory, those among them that a compaction left for the sweep. */
    | 'revisions'
    /** Bytes of these records. */
    | 'bytes',
    number
  >
>

export const figuresBytes = 8 * names.length

export function writeFigures(view: DataView, at: number, figures: StoreFigures): void {
  for (const [position, name] of names.entries()) view.setFloat64(at + 8 * position, figures[name], true)
}

export function readFigures(body: Uint8Array): StoreFigures {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  return Object.fromEntries(
    names.map((name, position) => [name, view.getFloat64(8 * position, true)]),
  ) as StoreFigures
}
