/** A cluster to which something happens while clients call as fast as they are answered. */
import type { Cluster } from '../cluster/index.js'
import type { NextCall } from './calls.js'
import { runClosedLoop } from './clients.js'
import { Tally } from './tally.js'

export interface Load {
  readonly tally: Tally
  /** Aborted also when the clients give up, and going on is pointless. */
  readonly signal: AbortSignal
}

/** Closes the cluster in the end, since that ends the calls that still wait. */
export async function underLoad<T>(
  cluster: Cluster,
  { clients, nextCall, signal }: { clients: number; nextCall: NextCall; signal: AbortSignal },
  run: (load: Load) => Promise<T>,
): Promise<T> {
  const tally = new Tally()
  const callers = runClosedLoop(tally, nextCall, clients).catch((error: unknown) => tally.giveUp(error))
  try {
    return await run({ tally, signal: AbortSignal.any([signal, tally.broken]) })
  } catch (error) {
    // What waits ends with an abort of its own: told is what broke it.
    throw tally.broken.aborted ? tally.broken.reason : error
  } finally {
    tally.isStopped = true
    await cluster.close()
    await callers
  }
}
