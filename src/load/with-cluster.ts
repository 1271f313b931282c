/** A cluster for the length of a command. */
import { type Cluster, type ClusterOptions, startCluster } from '../cluster/index.js'

/** It is closed in the end, and at once when the command is interrupted: all its calls end then. */
export async function withCluster<T>(
  options: ClusterOptions,
  signal: AbortSignal,
  run: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await startCluster(options)
  const close = (): void => void cluster.close()
  signal.addEventListener('abort', close)
  try {
    signal.throwIfAborted()
    return await run(cluster)
  } finally {
    signal.removeEventListener('abort', close)
    await cluster.close()
  }
}
