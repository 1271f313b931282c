/** Many writes in one run: memory and disk over time, then the time that a restart takes. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster } from '../src/cluster/index.js'

const writes = Number(process.argv[2] ?? 10_000_000)
const clients = 2048
const dir = mkdtempSync(join(tmpdir(), 'raftbox-soak-'))
const keys = Array.from({ length: 10_000 }, (_, n) => `key-${String(n).padStart(8, '0')}`)
const value = 'v'.repeat(116)

const cluster = await startCluster({ dir, nodes: 3, requestTimeoutMs: 60_000 })
await cluster.put('a', 'b')
const startedMs = performance.now()
const reporter = setInterval(report, 5000)
let started = 0
let acknowledged = 0
await Promise.all(Array.from({ length: clients }, (_, id) => client(id)))
clearInterval(reporter)
report()
await cluster.close()

const restartMs = performance.now()
const again = await startCluster({ dir })
const upMs = performance.now()
await again.put('a', 'c')
const writtenMs = performance.now()
console.log(
  `restart: nodes up after ${(upMs - restartMs).toFixed(0)} ms, first write acknowledged after ${(writtenMs - restartMs).toFixed(0)} ms`,
)
await again.close()
rmSync(dir, { recursive: true })

async function client(id: number): Promise<void> {
  for (let key = id; started < writes; key = (key * 7919 + 13) % keys.length) {
    started++
    await cluster.put(keys[key] ?? '', value)
    acknowledged++
  }
}

function report(): void {
  const seconds = (performance.now() - startedMs) / 1000
  const mega = (bytes: number) => Math.round(bytes / 1e6)
  const nodes = cluster.status()
  const elections = nodes.reduce((sum, node) => sum + node.elections, 0)
  const snapshots = nodes.map(({ snapshotsTaken }) => snapshotsTaken).join('/')
  console.log(
    `${seconds.toFixed(0)} s: ${acknowledged} writes, ${Math.round(acknowledged / seconds)} a second, memory ${mega(process.memoryUsage.rss())} MB, ` +
      `disk ${mega(sizeOf(dir))} MB, snapshots ${snapshots}, elections ${elections}`,
  )
}

function sizeOf(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    bytes += entry.isDirectory() ? sizeOf(path) : statSync(path).size
  }
  return bytes
}
