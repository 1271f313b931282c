import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Cluster, type ClusterOptions, startCluster } from '../../src/cluster/index.js'
import { convergedHashes, nextEvent, refusalOf, startedCluster, temporaryFolder } from './support.js'

const nodePath = (dir: string, nodeId: number): string => join(dir, `node-${nodeId}`)

/** Directories of two clusters, whose three nodes hold some writes and were closed in order. Tests use copies. */
const used = mkdtempSync(join(tmpdir(), 'raftbox-test-'))

beforeAll(async () => {
  for (const name of ['one', 'another']) {
    const cluster = await startCluster({ dir: join(used, name), host: 'inline' })
    try {
      await putMany(cluster, 'before', 50)
    } finally {
      await cluster.close()
    }
  }
})

afterAll(() => rmSync(used, { recursive: true, force: true }))

function usedDirectory(name: 'one' | 'another' = 'one'): string {
  const dir = temporaryFolder()
  cpSync(join(used, name), dir, { recursive: true })
  return dir
}

/** Threads are needed only where an error comes from another thread, or where a running node fails. */
const startedInline = (options: ClusterOptions) => startedCluster({ ...options, host: 'inline' })

const putMany = (cluster: Cluster, name: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => cluster.put(`${name} ${n}`, 'v')))

/** A leader may have stepped down since it answered. */
async function leaderOf(cluster: Cluster): Promise<number> {
  if (cluster.leaderId === undefined)
    await nextEvent(cluster, (event) => event.type === 'role' && event.role === 'leader')
  return cluster.leaderId ?? leaderOf(cluster)
}

const keysOf = async (cluster: Cluster, prefix: string) => (await cluster.range({ prefix })).entries.length

async function startIsRefused(dir: string, nodeId: number, why: RegExp): Promise<void> {
  const refusal = await refusalOf({ dir, host: 'inline' })
  expect(refusal).toMatchObject({ name: 'RaftError', code: 'DISK_LOST', details: { nodeId } })
  expect(refusal.message).toMatch(why)
  expect(refusal.message).toContain("'renew'")
}

describe('[ID1] a member whose folder is not the one that it had is refused at the start', () => {
  test('when it is missing, and nothing is made in its place', async () => {
    const dir = usedDirectory()
    rmSync(nodePath(dir, 2), { recursive: true })
    await startIsRefused(dir, 2, /missing or empty/)
    expect(readdirSync(dir)).not.toContain('node-2')
  })

  test('when all are missing', async () => {
    const dir = usedDirectory()
    for (const nodeId of [1, 2, 3]) rmSync(nodePath(dir, nodeId), { recursive: true })
    const refusal = await refusalOf({ dir, host: 'inline' })
    expect(refusal).toMatchObject({ code: 'DISK_LOST', details: { nodeId: 1 } })
    expect(refusal.message).toMatch(/; node 3 has lost its disk: .* or begin in another directory: /)
  })

  test('together with all others, and with recover as the way on where they are a majority', async () => {
    const dir = usedDirectory()
    for (const nodeId of [1, 3]) rmSync(nodePath(dir, nodeId), { recursive: true })
    const way = `raftbox recover ${dir} --from 2`
    for (const renew of [[], [1]]) {
      const { code, message } = await refusalOf({ dir, renew, host: 'inline' })
      expect(code).toBe('DISK_LOST')
      expect(message).toMatch(/^node 1 has lost its disk: .*; node 3 has lost its disk: .*put the newest/)
      expect(message).toContain(way)
      expect(message).not.toContain("'renew'")
    }
    const { code, message } = await refusalOf({ dir, renew: [1, 3], host: 'inline' })
    expect(code).toBe('INVALID_OPTION')
    expect(message).toContain(way)
  })

  test('together with all others, which may then be named in one option', async () => {
    const dir = temporaryFolder()
    const cluster = await startedInline({ dir, nodes: 5 })
    await putMany(cluster, 'before', 5)
    await cluster.close()
    for (const nodeId of [2, 5]) rmSync(nodePath(dir, nodeId), { recursive: true })
    const { message } = await refusalOf({ dir, host: 'inline' })
    expect(message).toContain('--renew 2,5')
    await startedInline({ dir, renew: [2, 5] })
  })

  test('when it is empty', async () => {
    const dir = usedDirectory()
    rmSync(nodePath(dir, 2), { recursive: true })
    mkdirSync(nodePath(dir, 2))
    await startIsRefused(dir, 2, /missing or empty/)
  })

  test('when it is that of another cluster', async () => {
    const [dir, other] = [usedDirectory(), usedDirectory('another')]
    rmSync(nodePath(dir, 2), { recursive: true })
    cpSync(nodePath(other, 2), nodePath(dir, 2), { recursive: true })
    await startIsRefused(dir, 2, /another cluster/)
  })

  test('when it is that of a clone of the cluster, which went on by itself', async () => {
    const dir = usedDirectory()
    const clone = temporaryFolder()
    cpSync(dir, clone, { recursive: true })
    for (const where of [dir, clone]) {
      const cluster = await startCluster({ dir: where })
      await putMany(cluster, where === clone ? 'elsewhere' : 'here', where === clone ? 20 : 1)
      await cluster.close()
    }
    rmSync(nodePath(dir, 2), { recursive: true })
    cpSync(nodePath(clone, 2), nodePath(dir, 2), { recursive: true })
    await startIsRefused(dir, 2, /elsewhere|older copy/)
  })

  test('when it is that of another node', async () => {
    const dir = usedDirectory()
    rmSync(nodePath(dir, 2), { recursive: true })
    cpSync(nodePath(dir, 1), nodePath(dir, 2), { recursive: true })
    await startIsRefused(dir, 2, /that of node 1/)
  })

  test.each([
    ['writes', (cluster: Cluster) => putMany(cluster, 'later', 1)],
    ['an election', (cluster: Cluster) => cluster.kill('leader').then(() => cluster.put('a', 'b'))],
  ])('when it is a copy from before %s', async (_, happens) => {
    const dir = usedDirectory()
    for (const nodeId of [1, 2, 3])
      cpSync(nodePath(dir, nodeId), join(dir, `copy-${nodeId}`), { recursive: true })
    const cluster = await startedInline({ dir })
    await cluster.put('settled', 'v')
    await happens(cluster)
    // A node that was killed, or lost the election, may hold no more than its copy.
    const [changed] = cluster.status().filter(({ state }) => state === 'running')
    if (changed === undefined) throw new Error('no node runs')
    const { nodeId } = changed
    await cluster.close()
    rmSync(nodePath(dir, nodeId), { recursive: true })
    renameSync(join(dir, `copy-${nodeId}`), nodePath(dir, nodeId))
    await startIsRefused(dir, nodeId, /older copy/)
  })

  test('and goes on where it was when the folder is put back', async () => {
    const dir = usedDirectory()
    renameSync(nodePath(dir, 2), join(dir, 'away'))
    await startIsRefused(dir, 2, /missing or empty/)
    renameSync(join(dir, 'away'), nodePath(dir, 2))
    const cluster = await startedInline({ dir })
    expect(await keysOf(cluster, 'before')).toBe(50)
  })
})

describe('a member that lost its disk begins anew where that is allowed', () => {
  test('[ID2] comes to the same state as the others, and what was acknowledged is there', async () => {
    const dir = usedDirectory()
    rmSync(nodePath(dir, 2), { recursive: true })
    const cluster = await startedInline({ dir, renew: [2] })
    expect(await keysOf(cluster, 'before')).toBe(50)
    await cluster.put('after', 'v')
    expect((await convergedHashes(cluster)).size).toBe(1)
  })

  test('[EL21] one node behind and one anew elect nobody: they do not know what was acknowledged', async () => {
    const dir = temporaryFolder()
    const cluster = await startedInline({ dir })
    await cluster.put('first', 'v')
    const leaderId = await leaderOf(cluster)
    const [behind = 0, lost = 0] = [1, 2, 3].filter((nodeId) => nodeId !== leaderId)
    await cluster.kill(behind)
    await putMany(cluster, 'acknowledged', 50)
    await cluster.close()
    rmSync(nodePath(dir, lost), { recursive: true })

    const again = await startedInline({ dir, renew: [lost] })
    expect(await keysOf(again, 'acknowledged')).toBe(50)
    // It was led by the node that has all of it, since no other could win.
    const byLeader = again.status().find(({ nodeId }) => nodeId === leaderId)
    expect(byLeader).toMatchObject({ role: 'leader' })
  })

  test('[ID2] again and again, each time under another identity', async () => {
    const dir = usedDirectory()
    for (let round = 0; round < 3; round++) {
      rmSync(nodePath(dir, 2), { recursive: true })
      const cluster = await startedInline({ dir, renew: [2] })
      await putMany(cluster, `round ${round}`, 10)
      expect((await convergedHashes(cluster)).size).toBe(1)
      await cluster.close()
    }
  })

  test('on a running cluster, when it is restarted so', async () => {
    const dir = temporaryFolder()
    const cluster = await startedCluster({ dir })
    await putMany(cluster, 'before', 10)
    const killed = await cluster.kill('leader')
    rmSync(nodePath(dir, killed), { recursive: true })
    await expect(cluster.restart(killed)).rejects.toMatchObject({ code: 'DISK_LOST' })
    await cluster.restart(killed, { renew: true })
    await cluster.put('after', 'v')
    expect(await keysOf(cluster, 'before')).toBe(10)
    expect((await convergedHashes(cluster)).size).toBe(1)
  })

  test('a disk that was not lost is kept, whatever is allowed', async () => {
    const dir = usedDirectory()
    const cluster = await startedInline({ dir, renew: [1, 2, 3] })
    expect(await keysOf(cluster, 'before')).toBe(50)
    expect(readdirSync(dir).filter((name) => name.includes('lost'))).toEqual([])
  })

  test('[ID2] what is left of its folder is put aside', async () => {
    const [dir, other] = [usedDirectory(), usedDirectory('another')]
    rmSync(nodePath(dir, 2), { recursive: true })
    cpSync(nodePath(other, 2), nodePath(dir, 2), { recursive: true })
    await startedInline({ dir, renew: [2] })
    const [aside = ''] = readdirSync(nodePath(dir, 2)).filter((name) => name.startsWith('lost-'))
    expect(readdirSync(join(nodePath(dir, 2), aside))).toContain('data.mdb')
  })

  test('[ID3] is refused where no majority with a vote would be left', async () => {
    const dir = usedDirectory()
    for (const nodeId of [2, 3]) rmSync(nodePath(dir, nodeId), { recursive: true })
    const refusal = await refusalOf({ dir, host: 'inline', renew: [2, 3] })
    expect(refusal).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'renew' } })
    expect(refusal.message).toContain('at most 1 of 3 nodes')
    // Nothing was changed by the refusal: the folders can still be put back.
    expect(await refusalOf({ dir, host: 'inline' })).toMatchObject({ code: 'DISK_LOST' })
  })

  test.each([[['2']], [[0]], [[26]], ['2'], [[4]]])(
    'a renew that names no node is refused: %j',
    async (renew) => {
      const refusal = await refusalOf({ dir: usedDirectory(), host: 'inline', renew: renew as number[] })
      expect(refusal).toMatchObject({ code: 'INVALID_OPTION' })
    },
  )
})

/** A cluster whose close rejects; it is closed when the test ends, however it ends. */
async function failingCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster(options)
  onTestFinished(() => cluster.close().catch(() => undefined))
  return cluster
}

test('a disk that is a link to another place stays there when its node begins anew', async () => {
  const dir = usedDirectory()
  const elsewhere = temporaryFolder()
  rmSync(nodePath(dir, 2), { recursive: true })
  symlinkSync(elsewhere, nodePath(dir, 2))
  await (await startCluster({ dir, renew: [2] })).close()
  expect(readdirSync(elsewhere)).toContain('data.mdb')
})

test('[ID4] a running node whose folder is exchanged fails with the reason', async () => {
  const dir = temporaryFolder()
  const cluster = await failingCluster({ dir })
  await cluster.put('a', 'b')
  const failed = nextEvent(cluster, ({ type }) => type === 'failed')
  renameSync(nodePath(dir, 2), join(dir, 'away'))
  mkdirSync(nodePath(dir, 2))
  expect(await failed).toMatchObject({ nodeId: 2, why: expect.stringMatching(/was removed|was replaced/) })
})

test('[ID4] a running node whose folder is removed fails with the reason, the others go on, and close tells of it', async () => {
  const dir = temporaryFolder()
  const cluster = await failingCluster({ dir })
  await cluster.put('a', 'b')
  const failed = nextEvent(cluster, ({ type }) => type === 'failed')
  rmSync(nodePath(dir, 2), { recursive: true })
  expect(await failed).toMatchObject({ nodeId: 2, why: expect.stringContaining('was removed') })
  await cluster.put('c', 'd')
  await expect(cluster.close()).rejects.toThrow(/node 2 .* was removed/)
})

test('[ID4] the nodes of a directory that is removed fail with the reason, and close tells of it', async () => {
  const cluster = await failingCluster()
  await cluster.put('a', 'b')
  const failed = nextEvent(cluster, ({ type }) => type === 'failed')
  rmSync(cluster.dir, { recursive: true })
  expect(await failed).toMatchObject({ why: expect.stringContaining('was removed') })
  await expect(cluster.close()).rejects.toMatchObject({
    code: 'UNCLEAN_END',
    message: expect.stringContaining('was removed'),
  })
})
