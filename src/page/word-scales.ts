/** Sliders for words with a unit: a place from 0 to 1000 stands for a duration, a share, a rate or an amount. */

export interface WordScale {
  wordAt(place: number): string
  /** 0 for a word that is none of the scale. */
  placeOf(word: string): number
  /** The word that a form begins with. */
  readonly first: string
}

export const placesMax = 1000

/** Steps of equal size in people's eyes: 1, 2, 5, 10, … finer in between. */
function logarithmic(
  least: number,
  most: number,
  first: string,
  wordOf: (value: number) => string,
  numberOf: (word: string) => number,
): WordScale {
  const ratio = Math.log(most / least)
  return {
    first,
    wordAt: (place) => wordOf(twoDigits(least * Math.exp((ratio * place) / placesMax))),
    placeOf(word) {
      const value = numberOf(word)
      if (!(value > 0)) return 0
      return clamped(Math.round((placesMax * Math.log(value / least)) / ratio))
    },
  }
}

function twoDigits(value: number): number {
  return Number(value.toPrecision(2))
}

function clamped(place: number): number {
  return Math.max(0, Math.min(placesMax, place))
}

function numberBefore(word: string, units: Readonly<Record<string, number>>): number {
  const [, digits = '', unit = ''] = /^([\d.]+)([^\d.]+)$/.exec(word) ?? []
  return Number(digits || Number.NaN) * (units[unit] ?? Number.NaN)
}

const times = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }
const sizes = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }
const rates = { 'B/s': 1, 'kB/s': 1e3, 'MB/s': 1e6, 'GB/s': 1e9 }

function timeWord(ms: number): string {
  return ms >= 1000 ? `${ms / 1000}s` : `${ms}ms`
}

function sizeWord(bytes: number): string {
  if (bytes >= 1e6) return `${bytes / 1e6}MB`
  return bytes >= 1e3 ? `${bytes / 1e3}kB` : `${Math.round(bytes)}B`
}

const share: WordScale = {
  first: '10%',
  wordAt: (place) => `${Math.round((place / placesMax) * 100)}%`,
  placeOf: (word) => clamped(Math.round((numberBefore(word, { '%': 0.01 }) || 0) * placesMax)),
}

/** From a second behind to a second ahead, finer in the middle. */
const clock: WordScale = {
  first: '+50ms',
  wordAt(place) {
    const side = (2 * place) / placesMax - 1
    const ms = Math.round(1000 * side ** 2)
    return `${side < 0 ? '-' : '+'}${ms}ms`
  },
  placeOf(word) {
    const ms = numberBefore(word.replace(/^[+-]/, ''), times)
    if (Number.isNaN(ms)) return placesMax / 2
    const side = Math.sqrt(Math.min(1, ms / 1000)) * (word.startsWith('-') ? -1 : 1)
    return clamped(Math.round(((side + 1) * placesMax) / 2))
  },
}

/** Scales by the kind of the word. A kind without one is typed. */
export const wordScales: Readonly<Record<string, WordScale>> = {
  duration: logarithmic(1, 10_000, '80ms', timeWord, (word) => numberBefore(word, times)),
  rate: logarithmic(
    1e3,
    1e8,
    '1MB/s',
    (value) => `${sizeWord(value)}/s`,
    (word) => numberBefore(word, rates),
  ),
  bytes: logarithmic(1e3, 1e9, '64kB', sizeWord, (word) => numberBefore(word, sizes)),
  share,
  clock,
}
