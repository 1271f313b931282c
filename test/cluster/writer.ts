/** A process that writes as fast as it can and prints each key once its write is acknowledged; made to be killed. */
import { startCluster } from '../../src/cluster/index.js'

const [dir = '', round = ''] = process.argv.slice(2)
const cluster = await startCluster({ dir, logBytesMax: 128 << 10, heartbeatIntervalMs: 40 })
for (let client = 0; client < 32; client++) void write(client)

async function write(client: number): Promise<void> {
  for (let n = 0; ; n++) {
    const key = `${round}/${client}/${n}`
    // A call may fail where the machine is so busy that leaders change: only what was acknowledged is printed.
    const isAcknowledged = await cluster.put(key, `value of ${key}`).then(
      () => true,
      () => false,
    )
    if (isAcknowledged) process.stdout.write(`${key}\n`)
  }
}
