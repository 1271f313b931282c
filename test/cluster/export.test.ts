import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  type Cluster,
  type ClusterOptions,
  exportSnapshot,
  importSnapshot,
  Recovery,
  readExport,
} from '../../src/cluster/index.js'
import { mvccModule } from '../../src/mvcc/index.js'
import { convergedHashes, flushedLogs, refusalOf, startedCluster, temporaryFolder } from './support.js'

/** Starts sooner than threads do, and tells no time of the log, which would change the hash of the state. */
const inline = { host: 'inline', sessionTimeoutMs: 3_600_000 } as const

/** A folder with room for a cluster and its exports. */
interface Place {
  readonly dir: string
  readonly file: string
  readonly copy: string
}

function newPlace(): Place {
  const folder = temporaryFolder()
  return { dir: join(folder, 'cluster'), file: join(folder, 'export'), copy: join(folder, 'copy') }
}

/** Fills a cluster, and returns the hash of its state. */
async function fill(cluster: Cluster, keys = 20): Promise<string> {
  const puts = Array.from({ length: keys }, (_, key) => cluster.put(`key ${key}`, `value ${key}`))
  await Promise.all(puts)
  await cluster.delete('key 0')
  return hashOf(cluster)
}

async function hashOf(cluster: Cluster): Promise<string> {
  const [hash = '', ...others] = await convergedHashes(cluster)
  await flushedLogs(cluster)
  expect(others).toEqual([])
  return hash
}

/** The directory of a cluster that was filled and closed, and the hash of its state. */
async function filled(dir: string, options: ClusterOptions = {}): Promise<string> {
  const cluster = await startedCluster({ dir, ...inline, ...options })
  const hash = await fill(cluster)
  await cluster.close()
  return hash
}

describe('an export of a directory at rest', () => {
  test.each([
    ['from the log alone', {}],
    ['from a snapshot and the log behind it', { logBytesMax: 4096, trailingBytes: 0 }],
  ])(
    '[BR1][BR5] holds the state that was there, %s, and so does each node of a new cluster',
    async (_, options) => {
      const { dir, file, copy } = newPlace()
      const hash = await filled(dir, options)
      const exported = await exportSnapshot(dir, file)
      expect(exported).toMatchObject({ hash, machine: 'kv', summary: { keys: 19, revision: 21 }, lost: [] })
      expect(await readExport(file)).toMatchObject({ index: exported.index, hash })
      expect(await importSnapshot(file, copy, { nodes: 5 })).toMatchObject({ nodes: 5, dir: copy })
      const restored = await startedCluster({ dir: copy, ...inline })
      expect(restored.status().length).toBe(5)
      expect(await hashOf(restored)).toBe(hash)
      expect((await restored.get('key 7'))?.value.toString()).toBe('value 7')
      expect((await restored.put('key 7', 'later')).index).toBeGreaterThan(exported.index)
    },
  )

  test('is left as it was, and can be exported again', async () => {
    const { dir, file } = newPlace()
    const hash = await filled(dir)
    await exportSnapshot(dir, file)
    expect(await exportSnapshot(dir, `${file}.2`)).toMatchObject({ hash })
    expect(await hashOf(await startedCluster({ dir, ...inline }))).toBe(hash)
  })

  test('is refused while a cluster has the directory open', async () => {
    const { dir, file } = newPlace()
    await startedCluster({ dir, ...inline })
    await expect(exportSnapshot(dir, file)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
    expect(existsSync(file)).toBe(false)
  })

  test('[BR2] leaves out a disk that is lost, as long as a majority is there', async () => {
    const { dir, file } = newPlace()
    const hash = await filled(dir)
    rmSync(join(dir, 'node-1'), { recursive: true })
    const { lost, ...exported } = await exportSnapshot(dir, file)
    expect(exported).toMatchObject({ hash, nodeId: 2 })
    expect(lost).toEqual([{ nodeId: 1, why: expect.stringContaining('its folder is missing or empty') }])
  })

  test('[BR2] counts a disk of another node as lost', async () => {
    const { dir, file } = newPlace()
    await filled(dir)
    renameSync(join(dir, 'node-1'), join(dir, 'aside'))
    renameSync(join(dir, 'node-2'), join(dir, 'node-1'))
    renameSync(join(dir, 'aside'), join(dir, 'node-2'))
    await expect(exportSnapshot(dir, file)).rejects.toMatchObject({
      code: 'DIRECTORY_INCOMPATIBLE',
      message: expect.stringMatching(/lost a majority of its disks.*its folder is that of node 2/),
    })
  })

  test('[BR2] counts an older copy of a disk as lost', async () => {
    const { dir, file } = newPlace()
    await filled(dir)
    cpSync(join(dir, 'node-1'), join(dir, 'older'), { recursive: true })
    const cluster = await startedCluster({ dir, ...inline })
    await cluster.put('later', 'than the copy')
    const hash = await hashOf(cluster)
    await cluster.close()
    rmSync(join(dir, 'node-1'), { recursive: true })
    renameSync(join(dir, 'older'), join(dir, 'node-1'))
    const { lost, ...exported } = await exportSnapshot(dir, file)
    expect(exported).toMatchObject({ hash })
    expect(lost).toEqual([{ nodeId: 1, why: expect.stringContaining('its folder is an older copy') }])
  })

  test('tells the members that there were in the end, and counts no others', async () => {
    const { dir, file, copy } = newPlace()
    const cluster = await startedCluster({ dir, ...inline })
    await fill(cluster)
    await cluster.replaceNode(1)
    await cluster.addNode()
    await cluster.removeNode(2, { keep: true })
    const hash = await hashOf(cluster)
    await cluster.close()
    const { membership, ...exported } = await exportSnapshot(dir, file)
    expect(exported).toMatchObject({ hash, lost: [] })
    expect(membership).toEqual({ voters: [3, 4, 5], votersOutgoing: [], learners: [] })
    expect(await importSnapshot(file, copy)).toMatchObject({ nodes: 3, hash })
    expect(await hashOf(await startedCluster({ dir: copy, ...inline }))).toBe(hash)
  })

  test('[BR2] of one node holds what its log holds, and where a majority is lost, what its snapshot holds', async () => {
    const { dir, file } = newPlace()
    const cluster = await startedCluster({ dir, ...inline })
    await fill(cluster)
    const [snapshot] = await cluster.snapshot('leader')
    const { nodeId = 0, index } = snapshot ?? {}
    await cluster.put('behind', 'the snapshot')
    await flushedLogs(cluster)
    await cluster.close()
    expect((await exportSnapshot(dir, file, { nodeId })).index).toBeGreaterThan(index ?? 0)
    for (const other of [1, 2, 3].filter((each) => each !== nodeId))
      rmSync(join(dir, `node-${other}`), { recursive: true })
    await expect(exportSnapshot(dir, `${file}.2`)).rejects.toThrow(/lost a majority of its disks/)
    expect(await exportSnapshot(dir, `${file}.3`, { nodeId })).toMatchObject({ index, nodeId })
    await expect(exportSnapshot(dir, `${file}.4`, { nodeId: 9 })).rejects.toThrow(
      'node: one of 1, 2, 3, not 9',
    )
  })

  test("of etcd's store needs no module, at rest and when it is recovered", async () => {
    const { dir, file, copy } = newPlace()
    const cluster = await startedCluster({ dir, machine: mvccModule, ...inline })
    const hash = await fill(cluster)
    await flushedLogs(cluster)
    await cluster.close()
    expect(await exportSnapshot(dir, file)).toMatchObject({ hash })
    expect(await importSnapshot(file, copy)).toMatchObject({ nodes: 3, machineName: 'etcd' })
    expect(await hashOf(await startedCluster({ dir: copy, machine: mvccModule, ...inline }))).toBe(hash)
    for (const nodeId of [1, 3]) rmSync(join(dir, `node-${nodeId}`), { recursive: true })
    const recovery = new Recovery(dir, { from: 2 })
    await recovery.carryOut()
    recovery.release()
    expect((await exportSnapshot(dir, `${file}.2`)).index).toBeGreaterThan(0)
  })

  test('of a machine of one’s own needs its module, and is imported without it', async () => {
    const { dir, file, copy } = newPlace()
    const machine = pathToFileURL('test/machine/fixtures/counter.mjs')
    const cluster = await startedCluster({ dir, machine, ...inline })
    for (let count = 0; count < 3; count++) await cluster.propose(Uint8Array.of(count))
    const hash = await hashOf(cluster)
    await cluster.close()
    await expect(exportSnapshot(dir, file)).rejects.toThrow(
      `machine: the module of the machine for which ${dir} was made, not the key-value store`,
    )
    // A directory of an earlier version does not tell its machine, and its log does.
    writeFileSync(join(dir, 'cluster.json'), '{"raftbox":3,"nodes":3}')
    await expect(exportSnapshot(dir, file)).rejects.toThrow(/machine: that of the cluster/)
    const summary = { total: 0, sessions: 1 }
    expect(await exportSnapshot(dir, file, { machine })).toMatchObject({ hash, machine: 'own', summary })
    expect((await importSnapshot(file, copy, { nodes: 1 })).hash).toBeUndefined()
    expect(await hashOf(await startedCluster({ dir: copy, machine, ...inline }))).toBe(hash)
  })

  test('[DI7] carries the name of its machine into the directory of an import', async () => {
    const { dir, file, copy } = newPlace()
    const named = (name: string) => pathToFileURL(`test/machine/fixtures/${name}.mjs`)
    const machine = named('bank')
    const cluster = await startedCluster({ dir, machine, nodes: 1, ...inline })
    await cluster.propose(Uint8Array.of(1))
    await cluster.export(`${file}.running`)
    await cluster.close()
    await expect(exportSnapshot(dir, file, { machine: named('shop') })).rejects.toThrow(/named bank/)
    await exportSnapshot(dir, `${file}.atRest`, { machine })
    for (const how of ['running', 'atRest']) {
      const [from, into] = [`${file}.${how}`, `${copy}-${how}`]
      expect(await importSnapshot(from, into)).toMatchObject({ machine: 'own', machineName: 'bank' })
      expect((await refusalOf({ dir: into, machine: named('shop'), ...inline })).message).toContain(
        'named bank',
      )
      expect((await refusalOf({ dir: into, ...inline })).message).toContain('not the key-value store')
      await startedCluster({ dir: into, machine, ...inline })
    }
  })
})

describe('an export of a cluster that runs', () => {
  test.each(['threads', 'inline'] as const)('[BR8] holds what was acknowledged (%s)', async (host) => {
    const { file, copy } = newPlace()
    const cluster = await startedCluster({ ...inline, host })
    const hash = await fill(cluster)
    const { index, nodeId } = await cluster.export(file)
    expect(nodeId).toBe(cluster.leaderId)
    expect(await importSnapshot(file, copy)).toMatchObject({ index, nodes: 3, hash })
    expect(await hashOf(await startedCluster({ ...inline, dir: copy, host }))).toBe(hash)
  })

  test('without a disk holds it too', async () => {
    const { file } = newPlace()
    const cluster = await startedCluster({ ...inline, durability: 'none', nodes: 1 })
    const hash = await fill(cluster)
    await cluster.export(file)
    expect(await readExport(file)).toMatchObject({ hash })
  })

  test('is of one node, which takes its turns', async () => {
    const { file } = newPlace()
    const cluster = await startedCluster()
    await expect(cluster.export(file, { from: 'all' })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await cluster.pause(1)
    await expect(cluster.export(file, { from: 1 })).rejects.toThrow(
      /^target 1: the node is paused: resume it first$/,
    )
    await cluster.kill(2)
    await expect(cluster.export(file, { from: 2 })).rejects.toMatchObject({ code: 'STOPPED' })
    expect(existsSync(file)).toBe(false)
  })
})

describe('a snapshot that is asked for', () => {
  test('of a node whose disk is stalled is refused at once, and no other node takes one', async () => {
    const { file } = newPlace()
    const cluster = await startedCluster(inline)
    const hash = await fill(cluster)
    const stall = await cluster.stallDisk(1)
    const refusal = {
      code: 'INVALID_FAULT',
      message: 'target 1: the disk of the node is stalled: heal it first',
    }
    for (const target of [1, 'all'] as const)
      await expect(cluster.snapshot(target)).rejects.toMatchObject(refusal)
    await expect(cluster.export(file, { from: 1 })).rejects.toMatchObject(refusal)
    expect((await cluster.log(2))?.snapshot).toBeNull()
    await stall.heal()
    expect((await cluster.snapshot('all')).length).toBe(3)
    expect(await hashOf(cluster)).toBe(hash)
  })

  test('is on the disks, and a node that comes back late gets it from the leader', async () => {
    const cluster = await startedCluster()
    await fill(cluster)
    const [late = 0] = cluster.status().flatMap(({ nodeId }) => (nodeId === cluster.leaderId ? [] : [nodeId]))
    await cluster.kill(late)
    await cluster.put('while it was away', 'yes')
    const taken = await cluster.snapshot('all')
    expect(taken.length).toBe(2)
    for (const { nodeId, index, term, size } of taken)
      expect(await cluster.log(nodeId)).toMatchObject({
        snapshot: { index, term, size },
        firstIndex: index + 1,
      })
    const installing = new Promise((resolve) => {
      cluster.events.on('event', ({ type, nodeId }) => type === 'snapshotInstalling' && resolve(nodeId))
    })
    await cluster.restart(late)
    expect(await installing).toBe(late)
    await hashOf(cluster)
  })
})

describe('an import', () => {
  async function exported(place: Place): Promise<void> {
    await filled(place.dir, { nodes: 1 })
    await exportSnapshot(place.dir, place.file)
  }

  test('[BR4] fills an empty directory and the one that a link leads to, and no other', async () => {
    const place = newPlace()
    await exported(place)
    const empty = temporaryFolder()
    symlinkSync(empty, place.copy)
    expect(await importSnapshot(place.file, place.copy)).toMatchObject({ dir: empty, nodes: 1 })
    await (await startedCluster({ dir: place.copy, ...inline })).put('a', 'b')
    const before = readdirSync(empty)
    await expect(importSnapshot(place.file, empty)).rejects.toMatchObject({
      code: 'DIRECTORY_INCOMPATIBLE',
      message: `${empty} is not empty: name an empty or a new directory`,
    })
    await expect(importSnapshot(place.file, place.file)).rejects.toThrow(/is no directory/)
    expect(readdirSync(empty)).toEqual(before)
  })

  test('[BR3] of a damaged file, or for too many nodes, makes nothing', async () => {
    const place = newPlace()
    await exported(place)
    await expect(importSnapshot(place.file, place.copy, { nodes: 26 })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
    const bytes = readFileSync(place.file)
    bytes[bytes.byteLength - 1]! ^= 1
    writeFileSync(place.file, bytes)
    await expect(importSnapshot(place.file, place.copy)).rejects.toMatchObject({ code: 'EXPORT_UNUSABLE' })
    expect(existsSync(place.copy)).toBe(false)
  })

  test('[BR4] that was cut off is told of by the next one, which touches nothing', async () => {
    const place = newPlace()
    await exported(place)
    const cutOff = new AbortController()
    cutOff.abort()
    await expect(importSnapshot(place.file, place.copy, { signal: cutOff.signal })).rejects.toThrow(/abort/)
    expect(existsSync(`${place.copy}.import`)).toBe(false)
    // A kill leaves the folder that was being filled.
    writeFileSync(`${place.copy}.import`, '')
    await expect(importSnapshot(place.file, place.copy)).rejects.toThrow(
      `${place.copy}.import is there, which an import that was cut off has left; remove it`,
    )
    expect(existsSync(place.copy)).toBe(false)
  })

  test('[BR5] keeps disks of the former cluster apart from the new one', async () => {
    const place = newPlace()
    await exported(place)
    await importSnapshot(place.file, place.copy)
    rmSync(join(place.copy, 'node-1'), { recursive: true })
    renameSync(join(place.dir, 'node-1'), join(place.copy, 'node-1'))
    await expect(startedCluster({ dir: place.copy, ...inline })).rejects.toMatchObject({ code: 'DISK_LOST' })
  })
})
