/** A process for a trace of its system calls: a client that writes one value after the other, and prints each that is applied. */
import { writeSync } from 'node:fs'
import { startCluster } from '../../src/cluster/index.js'

const [dir = '', count = '0'] = process.argv.slice(2)
const cluster = await startCluster({ dir })
for (let n = 1; n <= Number(count); n++) {
  await cluster.put(`key ${n}`, `traced value ${n};`)
  // Without a buffer: the trace shows the line where it was printed.
  writeSync(1, `applied ${n}\n`)
}
await cluster.close()
