/** From the kill of a leader under load to the next acknowledged write, again and again. */
import { startCluster } from '../src/cluster/index.js'

const rounds = Number(process.argv[2] ?? 20)
const cluster = await startCluster({ nodes: 3 })
const { electionTimeoutMs } = cluster.options
let acknowledged = 0
let isStopped = false

async function client(id: number): Promise<void> {
  for (let n = 0; !isStopped; n++) {
    try {
      await cluster.put(`${id}/${n % 100}`, 'v'.repeat(100))
      acknowledged++
    } catch {
      // What was under way at the kill has an unknown outcome; the next write tells when there is a leader again.
    }
  }
}

await cluster.put('a', 'b')
const clients = Array.from({ length: 64 }, (_, id) => client(id))
const times: number[] = []
for (let round = 0; round < rounds; round++) {
  await pause(300)
  const startedMs = performance.now()
  const killed = await cluster.kill('leader')
  const before = acknowledged
  while (acknowledged === before) await new Promise((resolve) => setImmediate(resolve))
  times.push(performance.now() - startedMs)
  await cluster.restart(killed)
}
isStopped = true
await Promise.all(clients)
await cluster.close()
times.sort((a, b) => a - b)
const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? Number.NaN
const figures = [0, 0.5, 0.9, 1].map((share) => at(share).toFixed(0)).join(' / ')
const ratio = (at(0.5) / electionTimeoutMs).toFixed(2)
console.log(
  `${rounds} kills of a leader: min / median / p90 / max ${figures} ms until the next acknowledged write`,
)
console.log(`median ${ratio} times the election timeout of ${electionTimeoutMs} ms`)

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
