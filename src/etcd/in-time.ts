/** The time that a call has. */
import { EtcdError } from './errors.js'

/** The outcome of the work; rejects with `timeout` where it takes longer than so many milliseconds. The work goes on then. */
export async function inTime<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new EtcdError('timeout')), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
