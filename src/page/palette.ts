/** Colours of terms: one after the other can be told apart by all eyes, in light and in dark. */
import type { Term } from '../raft/index.js'

export interface TermColour {
  readonly light: string
  readonly dark: string
}

/** Each has a contrast of 4.5 to 1 at least with the paper of its theme. Red is kept for what is broken. */
export const termColours: readonly TermColour[] = [
  { light: '#0969da', dark: '#6cb2ff' },
  { light: '#a65200', dark: '#f2a65a' },
  { light: '#1a7f37', dark: '#5fd07a' },
  { light: '#8250df', dark: '#b79bff' },
  { light: '#6e6a00', dark: '#d3cc4e' },
  { light: '#bf3989', dark: '#f08cc0' },
  { light: '#0b7a81', dark: '#4fd1d9' },
  { light: '#8a4b3c', dark: '#d9a594' },
]

/** The place of a term's colour. Colours come again after eight terms, so the number of the term stands beside them. */
export function placeOfTerm(term: Term): number {
  return term % termColours.length
}

/** The colour of a term, for a stylesheet: it follows the theme. */
export function termInCss(term: Term): string {
  return `var(--term-${placeOfTerm(term)})`
}

/** The colour of a term, for a canvas. */
export function termOnCanvas(term: Term, isDark: boolean): string {
  const colour = termColours[placeOfTerm(term)] as TermColour
  return isDark ? colour.dark : colour.light
}
