/** A process that runs a cluster, kills a node, closes all, and must then end by itself with nothing left. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClusterOptions, startCluster } from '../../src/cluster/index.js'

const host = process.argv[2] as NonNullable<ClusterOptions['host']>
// A folder for temporary folders of our own, so that what is left there is ours.
const folder = mkdtempSync(join(tmpdir(), 'raftbox-test-'))
process.env['TMPDIR'] = folder
await run()
const filesBefore = openFiles()
await run()
process.stdout.write(JSON.stringify({ openFiles: openFiles() - filesBefore, folders: readdirSync(folder) }))
rmSync(folder, { recursive: true })

async function run(): Promise<void> {
  const cluster = await startCluster({ host })
  await cluster.put('a', 'b')
  const killed = await cluster.kill('leader')
  await cluster.restart(killed)
  await cluster.put('a', 'c')
  await cluster.close()
}

function openFiles(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0
}
