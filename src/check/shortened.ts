/** Texts of a history as messages show them. */

/** The most characters that are shown. */
const shownMax = 60

export function shortened(text: string): string {
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}

export function quoted(text: string): string {
  return JSON.stringify(shortened(text))
}
