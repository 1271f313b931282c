/** A first cluster: `node first.mjs [DIR]` */
import { startCluster } from 'raftbox'

const cluster = await startCluster({ nodes: 3, dir: process.argv[2] ?? 'data' })
cluster.events.on('event', (event) => console.log(event)) // every role change, with its reason
await cluster.put('color', 'blue') // resolves once flushed on a majority
const killed = await cluster.kill('leader')
await cluster.put('color', 'green') // finds the next leader by itself
console.log(String((await cluster.get('color')).value)) // linearizable
await cluster.restart(killed)
await cluster.close()
