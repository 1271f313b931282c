/** Stretches of time: how much of one is covered by others. */

export interface Stretch {
  readonly sinceMs: number
  /** `Infinity`: still. */
  readonly untilMs: number
}

/** The share of the window, from 0 to 1, that the stretches cover together. */
export function shareCovered(window: Stretch, stretches: readonly Stretch[]): number {
  const lengthMs = lengthOf(window)
  if (lengthMs <= 0) return stretches.some((each) => holds(each, window.sinceMs)) ? 1 : 0
  return coveredMsOf(window, stretches) / lengthMs
}

/** The milliseconds of the window that the stretches cover together. */
export function coveredMsOf(window: Stretch, stretches: readonly Stretch[]): number {
  let coveredMs = 0
  let coveredUntilMs = window.sinceMs
  for (const { sinceMs, untilMs } of [...stretches].sort((a, b) => a.sinceMs - b.sinceMs)) {
    const from = Math.max(sinceMs, coveredUntilMs)
    const to = Math.min(untilMs, window.untilMs)
    if (to <= from) continue
    coveredMs += to - from
    coveredUntilMs = to
  }
  return coveredMs
}

export function holds({ sinceMs, untilMs }: Stretch, atMs: number): boolean {
  return sinceMs <= atMs && atMs <= untilMs
}

export function overlaps(one: Stretch, other: Stretch): boolean {
  return one.sinceMs <= other.untilMs && other.sinceMs <= one.untilMs
}

export function lengthOf({ sinceMs, untilMs }: Stretch): number {
  return untilMs - sinceMs
}
