/** Figures in few letters. */

/** 1234 is 1.23k. */
export function rateInWords(perSecond: number): string {
  if (perSecond < 1000) return String(Math.round(perSecond))
  const [amount, unit] = perSecond < 1e6 ? [perSecond / 1e3, 'k'] : [perSecond / 1e6, 'M']
  return `${figures(amount)}${unit}`
}

export function msInWords(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`
  return ms < 1000 ? `${figures(ms)} ms` : `${figures(ms / 1000)} s`
}

/** Three digits that count. */
function figures(amount: number): string {
  return String(Number(amount.toPrecision(3)))
}
