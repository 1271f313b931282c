/** Lengths of time as a scenario gives them: in seconds, or in the timing of its own cluster. */

export interface Timing {
  readonly heartbeatIntervalMs: number
  readonly electionTimeoutMs: number
}

export const lengthUsage = "a time as in '500ms', '2s' or '3 election timeouts'"

const pattern = /^(\d+(?:\.\d+)?) ?(ms|s|min|h|election timeouts?|heartbeats?)$/

/** `undefined`: the text is no length of time. */
export function lengthMsOf(text: string, timing: Timing): number | undefined {
  const found = pattern.exec(text)
  if (found === null) return undefined
  return Number(found[1]) * unitMs(found[2] ?? '', timing)
}

function unitMs(unit: string, { heartbeatIntervalMs, electionTimeoutMs }: Timing): number {
  if (unit === 'ms') return 1
  if (unit === 's') return 1000
  if (unit === 'min') return 60_000
  if (unit === 'h') return 3_600_000
  return unit.startsWith('heartbeat') ? heartbeatIntervalMs : electionTimeoutMs
}
