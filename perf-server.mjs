import { startEtcd } from './dist/src/etcd/start.js'
import { hubOf } from './dist/src/etcd/watch/hub.js'
const etcd = await startEtcd({ nodes: 3, port: Number(process.argv[2]) })
process.on('message', m => { globalThis.gc?.(); const u = process.cpuUsage(); process.send({ m, rss: process.memoryUsage().rss, heap: process.memoryUsage().heapUsed, ext: process.memoryUsage().external, cpu: (u.user + u.system) / 1e6, hubs: [1,2,3].map(id => hubOf(etcd.server.memberOf(id)).figures) }) })
process.send({ ready: etcd.endpoints })
process.on('SIGINT', () => process.exit())
process.on('disconnect', () => process.exit())
