/** How long an answer from another thread is waited for. */
import { RunningTime } from './running-time.js'

/** How long a node may take to write all of its state to its disk. */
export const snapshotWithinMs = 120_000

/** How often a deadline is looked at. */
const lookMs = 50

/** The answer, or `late` when there is none after `deadlineMs` in which this thread ran. */
export async function answerWithin<T>(answer: Promise<T>, deadlineMs: number, late: T): Promise<T> {
  const time = new RunningTime()
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<T>((resolve) => {
    timer = setInterval(() => {
      if (time.now() < deadlineMs) return
      clearInterval(timer)
      // An answer that lies in a port is in time: each turn of the event loop looks into the ports once.
      setImmediate(() => setImmediate(resolve, late))
    }, lookMs)
  })
  try {
    return await Promise.race([answer, deadline])
  } finally {
    clearInterval(timer)
  }
}
