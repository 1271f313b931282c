/** Tables, numbers and colours for people. */
import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'

/** Colours only where a terminal shows them, whatever else the environment says. */
export const paint = pc.createColors(process.stdout.isTTY === true && pc.isColorSupported)

/** `1234567.89` as `1,234,568`. Not by the locale's own formatter: its first use would stall a measurement. */
export function decimal(value: number, digits = 0): string {
  const [whole = '', fraction] = value.toFixed(digits).split('.')
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

/** The digits of a whole number as `decimal` writes it. Any other text is left as it is. */
export function ungrouped(text: string): string {
  return /^\d{1,3}(,\d{3})+$/.test(text) ? text.replaceAll(',', '') : text
}

/** `1 client`, `64 clients`. `many`: of a word that has no plural by an s. */
export function counted(count: number, what: string, many = `${what}s`): string {
  return `${decimal(count)} ${count === 1 ? what : many}`
}

/** Three digits for what spans many magnitudes: `0.0034`, `1.52`, `318`. */
export function significant(value: number): string {
  return Math.abs(value) >= 100 ? decimal(value) : String(Number(value.toPrecision(3)))
}

/** One line of a table: the first cell to the left, the others to the right. */
export function tableRow(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, at) => {
      const gap = ' '.repeat(Math.max(0, (widths[at] ?? 0) - stripVTControlCharacters(cell).length))
      return at === 0 ? cell + gap : gap + cell
    })
    .join('  ')
    .trimEnd()
}

/** All lines of a table, each column as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const lengths = rows.map((cells) => cells.map((cell) => stripVTControlCharacters(cell).length))
  const widths = lengths.reduce((widest, row) => row.map((length, at) => Math.max(length, widest[at] ?? 0)))
  return rows.map((cells) => tableRow(cells, widths)).join('\n')
}
