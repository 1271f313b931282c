/** Scrolling back: the whole page shows one of the moments that were kept. */
import { indexOfLast } from './history.js'
import { cursor, frames, shownFrame } from './store.js'

/** Shows the last frame that is not after the moment, or the first one of all. */
export function showMoment(atMs: number): void {
  const all = frames.peek()
  const at = Math.max(
    0,
    indexOfLast(all, (frame) => frame.atMs <= atMs),
  )
  const frame = all[at]
  if (frame !== undefined) cursor.value = at === all.length - 1 ? 'live' : frame.number
}

/** Shows a frame that is so many frames away from the one that is shown. */
export function stepFrames(by: number): void {
  const all = frames.peek()
  const number = shownFrame.peek()?.number ?? 0
  const shown = indexOfLast(all, (frame) => frame.number <= number)
  const frame = all[Math.min(Math.max(shown + by, 0), all.length - 1)]
  if (frame !== undefined) showMoment(frame.atMs)
}

/** Shows the next of these moments, or the one before: -1 goes back. */
export function stepMoments(moments: readonly { readonly atMs: number }[], by: 1 | -1): void {
  const frame = shownFrame.peek()
  if (frame === undefined) return
  const times = moments.map(({ atMs }) => atMs).sort((a, b) => a - b)
  // A moment that lies between two frames is shown by the frame after it.
  const all = frames.peek()
  const shownBy = (atMs: number): number =>
    all[indexOfLast(all, (each) => each.atMs < atMs) + 1]?.atMs ?? all.at(-1)?.atMs ?? atMs
  const shown = times.map(shownBy)
  const next = by > 0 ? shown.find((atMs) => atMs > frame.atMs) : shown.findLast((atMs) => atMs < frame.atMs)
  if (next !== undefined) showMoment(next)
  else if (by > 0) cursor.value = 'live'
}
