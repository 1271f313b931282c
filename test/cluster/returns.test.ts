/** Followers that are far behind come back while clients write: from the log, and by a snapshot. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Cluster, encode, writePut } from '../../src/cluster/index.js'
import { convergedHashes, Load, startedCluster } from './support.js'

const missed = 20_000
/** Large enough that a follower without them is sent its entries one message at a time. */
const value = Buffer.alloc(400, 'raftbox ')
const putsACall = 100
const clients = 4

/** A busy machine may let a thread wait for long. An election within this time would be a mistake of the cluster. */
const options = { nodes: 3, electionTimeoutMs: 3000, requestTimeoutMs: 60_000 } as const
const sources = {
  'from the log': { logBytesMax: 2 ** 40 },
  'by a snapshot': { logBytesMax: 1 << 20, trailingBytes: 1 << 16 },
} as const

async function writeMissed(cluster: Cluster): Promise<void> {
  for (let key = 0; key < missed; key += putsACall)
    await cluster.propose(
      Array.from({ length: putsACall }, (_, at) => encode(writePut, `missed ${key + at}`, value)),
    )
}

const statusOf = (cluster: Cluster, nodeId: number) =>
  cluster.status().find((status) => status.nodeId === nodeId)
const termOf = (cluster: Cluster) => Math.max(...cluster.status().map(({ currentTerm }) => currentTerm))

/** The node has applied all that is committed by now. */
async function caughtUp(cluster: Cluster, nodeId: number): Promise<void> {
  const goal = statusOf(cluster, cluster.leaderId ?? 0)?.commitIndex ?? 0
  while ((statusOf(cluster, nodeId)?.lastApplied ?? 0) < goal)
    await new Promise((resolve) => setImmediate(resolve))
}

test.each(Object.entries(sources))(
  '[FC10][FC11] under load, a follower that missed much and the replacement of a lost one catch up %s without an election, and end equal',
  async (source, bounds) => {
    const cluster = await startedCluster({ ...options, ...bounds })
    await cluster.put('a leader', 'is known')
    const term = termOf(cluster)
    const load = new Load(cluster, clients)

    const killed = await cluster.kill('follower')
    await writeMissed(cluster)
    await cluster.restart(killed)
    await caughtUp(cluster, killed)
    expect((statusOf(cluster, killed)?.snapshotsInstalled ?? 0) > 0).toBe(source === 'by a snapshot')

    const lost = await cluster.kill('follower')
    rmSync(join(cluster.dir, `node-${lost}`), { recursive: true })
    await caughtUp(cluster, await cluster.replaceNode(lost))

    await load.stop()
    expect(await convergedHashes(cluster)).toHaveProperty('size', 1)
    expect(cluster.membership?.membership.voters).toHaveLength(3)
    expect(termOf(cluster)).toBe(term)
  },
)
