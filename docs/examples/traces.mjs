/** Traces of a cluster's commands: `node traces.mjs [PLACE]` */
import { startCluster } from 'raftbox'
import { Traces } from 'raftbox/traces'

const traces = await Traces.open({ to: process.argv[2] ?? 'http://127.0.0.1:4318', share: 0.5 })
const cluster = await startCluster()
traces.follow(cluster)
await cluster.put('color', 'blue')
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' // as a request's header brings it
await traces.within(traceparent, () => cluster.put('color', 'green'))
await cluster.close()
console.log(await traces.close())
