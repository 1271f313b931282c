/** The time that a client gives a call: the header `grpc-timeout`. */

const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** A call with less time is refused at once: no timer is shorter. */
export const shortestTimerMs = 1
/** The longest delay of a timer. Node takes a longer one for the shortest. */
export const longestTimerMs = 2 ** 31 - 1

/** Milliseconds of a number and a unit: `500m` are 500. `undefined`: the text is no such time. */
export function timeoutOf(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,15})([HMSmun])$/.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * unitsMs[unit]!
}
