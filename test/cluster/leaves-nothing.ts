/**
 * A process that runs a cluster, kills a node, lets faults of all kinds stand, closes all, and must then end by itself with
 * nothing left.
 */
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClusterOptions, startCluster } from '../../src/cluster/index.js'

const host = process.argv[2] as NonNullable<ClusterOptions['host']>
// A folder for temporary folders of our own, so that what is left there is ours.
const folder = mkdtempSync(join(tmpdir(), 'raftbox-test-'))
process.env['TMPDIR'] = folder
await run()
// Whatever this process opens once, it has opened by now.
const before = openFiles()
await run()
const left = openFiles().filter((file) => !before.includes(file))
process.stdout.write(JSON.stringify({ openFiles: left, folders: readdirSync(folder) }))
rmSync(folder, { recursive: true })

async function run(): Promise<void> {
  const cluster = await startCluster({ host })
  await cluster.put('a', 'b')
  const killed = await cluster.kill('leader')
  await cluster.restart(killed)
  await cluster.put('a', 'c')
  const added = await cluster.addNode()
  await cluster.removeNode('leader')
  await cluster.transfer()
  const forMs = 600_000
  await cluster.delay('*', '*', forMs, { forMs })
  await cluster.delay('*', 'clients', forMs)
  const unanswered = cluster.put('a', 'd').catch(() => undefined)
  const undone = [cluster.addNode(), cluster.replaceNode(added), cluster.transfer()].map((change) =>
    change.catch(() => undefined),
  )
  await cluster.slowDisk('all', forMs)
  await cluster.stallDisk('any')
  await cluster.kill('any', { forMs })
  cluster.nemesis(1).start(forMs)
  if (host === 'threads') await cluster.pause('any')
  await cluster.close()
  await unanswered
  await Promise.all(undone)
}

/** Where the system tells: the files, not the descriptors, so that a leak is told by its name. */
function openFiles(): string[] {
  const descriptors = '/proc/self/fd'
  if (!existsSync(descriptors)) return []
  return readdirSync(descriptors).flatMap((descriptor) => {
    try {
      return [readlinkSync(join(descriptors, descriptor))].filter((file) => file.startsWith('/'))
    } catch {
      // The one that this very listing had open.
      return []
    }
  })
}
