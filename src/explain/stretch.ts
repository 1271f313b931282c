/** Stretches of time: how much of one is covered by others. */

export interface Stretch {
  readonly sinceMs: number
  /** `Infinity`: still. */
  readonly untilMs: number
}

/** The share of the window, from 0 to 1, that the stretches cover together. */
export function shareCovered(window: Stretch, stretches: readonly Stretch[]): number {
  const lengthMs = window.untilMs - window.sinceMs
  if (lengthMs <= 0) return stretches.some((each) => holds(each, window.sinceMs)) ? 1 : 0
  let coveredMs = 0
  let coveredUntilMs = window.sinceMs
  for (const { sinceMs, untilMs } of [...stretches].sort((a, b) => a.sinceMs - b.sinceMs)) {
    const from = Math.max(sinceMs, coveredUntilMs)
    const to = Math.min(untilMs, window.untilMs)
    if (to <= from) continue
    coveredMs += to - from
    coveredUntilMs = to
  }
  return coveredMs / lengthMs
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
