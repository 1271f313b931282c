/** Labels of a picture, thinned: a label that would cover another one is left out. */

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

const cellPx = 64

export class PlacedLabels {
  readonly #cells = new Map<string, Box[]>()

  /** Takes the place if it is free, and tells whether it was. */
  takes(left: number, top: number, width: number, height: number): boolean {
    const box: Box = { left, right: left + width, top, bottom: top + height }
    const cells = cellsOf(box)
    const isFree = cells.every((cell) => !this.#cells.get(cell)?.some((other) => covers(other, box)))
    if (!isFree) return false
    for (const cell of cells) this.#cells.set(cell, [...(this.#cells.get(cell) ?? []), box])
    return true
  }
}

function cellsOf({ left, right, top, bottom }: Box): string[] {
  const cells: string[] = []
  for (let x = Math.floor(left / cellPx); x <= Math.floor(right / cellPx); x++) {
    for (let y = Math.floor(top / cellPx); y <= Math.floor(bottom / cellPx); y++) cells.push(`${x} ${y}`)
  }
  return cells
}

function covers(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom
}
