import { startEtcd } from './dist/src/etcd/start.js'
import { mvccModule } from './dist/src/mvcc/index.js'
const etcd = await startEtcd({ nodes: 3, port: Number(process.argv[2]), machine: mvccModule })
console.log(etcd.endpoints.join(' '))
process.stdin.on('data', async d => { try { const [verb, ...args] = d.toString().trim().split(' '); console.log(verb, await etcd[verb](...args.map(a => /^\d+$/.test(a) ? Number(a) : a))) } catch (e) { console.log(e) } })
