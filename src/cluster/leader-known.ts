/** Waiting for somebody to lead. */
import type { Cluster } from './cluster.js'

const leaderWithinMs = 10_000

/** Resolves once a node leads, or when it has taken so long that the calls themselves had better tell. */
export function leaderKnown(cluster: Cluster, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (cluster.leaderId !== undefined) done()
    }
    const done = (): void => {
      clearTimeout(timer)
      cluster.events.off('event', look)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, leaderWithinMs)
    cluster.events.on('event', look)
    signal?.addEventListener('abort', done)
    if (signal?.aborted === true) done()
    else look()
  })
}
