import { fork } from 'node:child_process'
import grpc from '@grpc/grpc-js'
import { protos } from './dist/src/etcd/protos.js'
const server = fork('./perf-server.mjs', ['24100'], { execArgv: ['--expose-gc','--cpu-prof','--cpu-prof-dir=/tmp/w-real/prof'] })
const next = () => new Promise(r => server.once('message', r))
const { ready } = await next()
const look = async (m) => { server.send(m); return next() }
const MB = n => (n / 2 ** 20).toFixed(1)
const pkg = grpc.loadPackageDefinition(protos).etcdserverpb
const addr = new URL(ready[0]).host
const kv = new pkg.KV(addr, grpc.credentials.createInsecure())
const put = (key, value) => new Promise((ok, no) => kv.put({ key: Buffer.from(key), value }, (e, v) => e ? no(e) : ok(v)))
const value = Buffer.alloc(100)
async function puts(n, key, conc = 64) { let i = 0; await Promise.all(Array.from({ length: conc }, async () => { while (i < n) await put(key(i++), value) })) }
async function run(name, streams, perStream, key, range, events, writes, wkey, conc) {
  const before = await look('before')
  const clients = []
  let got = 0, target = Infinity, done
  const calls = Array.from({ length: streams }, (_, s) => { const w = new pkg.Watch(addr, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }); clients.push(w); const c = w.watch(); c.created = 0; c.on('data', d => { if (d.created) { c.created++; } got += d.events.length; if (got >= target) done?.() }); c.on('error', () => {}); return c })
  const t0 = performance.now()
  calls.forEach((c, s) => { for (let i = 0; i < perStream; i++) c.write({ createRequest: { key: Buffer.from(key(s * perStream + i)), rangeEnd: range ? Buffer.from(range(s * perStream + i)) : Buffer.alloc(0) } }) })
  while (calls.some(c => c.created < perStream)) await new Promise(r => setTimeout(r, 5))
  const t1 = performance.now()
  const made = await look('made')
  target = got + events
  const finished = new Promise(r => { done = r })
  await puts(writes, wkey, conc)
  const t2 = performance.now()
  await finished
  const t3 = performance.now()
  const after = await look('after')
  console.log(name, `create ${(t1 - t0).toFixed(0)} ms, heap ${MB(made.heap - before.heap)} MB = ${((made.heap - before.heap) / (streams * perStream)).toFixed(0)} B/watch, rss ${MB(before.rss)} -> ${MB(made.rss)} -> ${MB(after.rss)}; writes ${(writes / (t2 - t1) * 1000).toFixed(0)}/s; all seen after ${(t3 - t1).toFixed(0)} ms = ${(events / (t3 - t1) * 1000).toFixed(0)} events/s; server cpu ${(after.cpu - made.cpu).toFixed(2)} s`)
  calls.forEach(c => c.cancel()); clients.forEach(c => c.close()); await new Promise(r => setTimeout(r, 500))
}
await puts(10, i => 'warm' + i)
const W = 10
{ const t = performance.now(); const b = await look('b'); await puts(W, i => 'k' + (i % 10000)); const a = await look('a'); console.log('no watchers', (W / (performance.now() - t) * 1000).toFixed(0), 'writes/s; cpu', (a.cpu - b.cpu).toFixed(2)) }





await run('100 streams x 100 same key', 100, 100, i => 'same', null, 10000 * 20, 20, i => 'same', 1)
server.kill('SIGINT'); await new Promise(r=>server.once('exit',r)); process.exit()
