/** Prints what each node did in a second of load. */
import { startCluster } from 'raftbox'

const cluster = await startCluster({ nodes: 3 })
let isOver = false
setTimeout(() => {
  isOver = true
}, 1000)

const before = cluster.status()
for (let call = 0; !isOver; call++) await cluster.put(`key ${call % 100}`, 'value')
for (const [at, node] of cluster.status().entries()) {
  const flushes = node.flushes - before[at].flushes
  console.log(`node ${node.nodeId}: ${node.role}, applied up to ${node.lastApplied}, ${flushes} flushes`)
}
await cluster.close()
