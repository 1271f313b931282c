/**
 * The places of moments in a picture. In an election, ten messages pass within a few milliseconds and nothing for half a
 * second before: on an even scale they would lie upon each other. So each moment gets the room that it needs, in the
 * order of time, and the axis tells the time at each place.
 */
import type { Stretch } from './stretch.js'

const widthLeast = 1100
/** Pixels that a picture may have for moments that stand close. */
const widthForMoments = 3600
const gapMost = 9
/** A stretch in which nothing is drawn takes no more than this share of an even scale's width. */
const emptyShareMax = 0.2

export class TimeScale {
  readonly width: number
  readonly #times: number[]
  readonly #places: number[]

  constructor({ sinceMs, untilMs }: Stretch, moments: readonly number[]) {
    const inside = moments.filter((ms) => ms > sinceMs && ms < untilMs)
    this.#times = [...new Set([sinceMs, ...inside, untilMs])].sort((a, b) => a - b)
    const gapLeast = Math.min(gapMost, widthForMoments / this.#times.length)
    const pixelsPerMs = widthLeast / Math.max(1e-3, untilMs - sinceMs)
    let place = 0
    this.#places = this.#times.map((ms, at) => {
      const even = (ms - (this.#times[at - 1] ?? ms)) * pixelsPerMs
      if (at > 0) place += Math.min(emptyShareMax * widthLeast, Math.max(gapLeast, even))
      return place
    })
    this.width = Math.max(place, 1)
  }

  /** The place of a moment, from 0 to `width`; moments outside of the window stand outside. */
  x(ms: number): number {
    return interpolated(this.#times, this.#places, ms)
  }

  /** The moment at a place. */
  at(x: number): number {
    return interpolated(this.#places, this.#times, x)
  }
}

function interpolated(from: readonly number[], to: readonly number[], value: number): number {
  const next = from.findIndex((each) => each >= value)
  const at = Math.min(from.length - 1, Math.max(1, next === -1 ? from.length - 1 : next))
  const [a = 0, b = 0, c = 0, d = 0] = [from[at - 1], from[at], to[at - 1], to[at]]
  return b === a ? c : c + ((value - a) / (b - a)) * (d - c)
}
