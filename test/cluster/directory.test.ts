import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ClusterDirectory } from '../../src/cluster/directory.js'
import { type ClusterOptions, startCluster } from '../../src/cluster/index.js'
import { mvccModule } from '../../src/mvcc/index.js'
import { openLmdbStore } from '../../src/storage/index.js'
import { persistOf } from '../../src/testing/store-model.js'
import { refusalOf, startedCluster, temporaryFolder } from './support.js'

const holder = new URL('./holder.js', import.meta.url)

/** A process that took the directory or was refused, which its answer says. */
async function holderProcess(dir: string, command: readonly string[] = []): Promise<[string, ChildProcess]> {
  const [program = '', ...words] = [...command, process.execPath, holder.pathname, dir]
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [answer] = (await once(createInterface(child.stdout), 'line')) as [string]
  return [answer, child]
}

async function holderThread(dir: string): Promise<[string, Worker]> {
  const thread = new Worker(holder, { workerData: dir })
  onTestFinished(async () => void (await thread.terminate()))
  const [answer] = (await once(thread, 'message')) as [string]
  return [answer, thread]
}

/** In a namespace of their own, as in a container, processes are numbered from 1. */
const ownNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
const hasNamespaces = spawnSync(ownNamespace[0] ?? '', [...ownNamespace.slice(1), 'true']).status === 0

describe('[DI1] a directory has one holder', () => {
  test('[DI1][DI2] in use, it is refused, and the cluster that uses it goes on', async () => {
    const dir = temporaryFolder()
    const cluster = await startedCluster({ dir })
    const refusal = await refusalOf({ dir })
    expect(refusal).toMatchObject({ code: 'DIRECTORY_IN_USE' })
    expect(refusal.message).toContain(`in use by process ${process.pid}:`)
    await cluster.put('a', 'b')
  })

  test('of many processes that start at once, whatever an earlier one left behind', async () => {
    const dir = temporaryFolder()
    writeFileSync(join(dir, 'lock'), 'process 1 on elsewhere\n')
    const answers = await Promise.all(Array.from({ length: 8 }, () => holderProcess(dir)))
    expect(answers.map(([answer]) => answer).sort()).toEqual([...Array(7).fill('DIRECTORY_IN_USE'), 'held'])
  })

  test('[DI1] until its process is killed', async () => {
    const dir = temporaryFolder()
    const [answer, child] = await holderProcess(dir)
    expect(answer).toBe('held')
    expect(() => ClusterDirectory.open(dir, { nodes: 3, machine: 'kv' })).toThrow(/in use by process/)
    child.kill('SIGKILL')
    await once(child, 'exit')
    ClusterDirectory.open(dir, { nodes: 3, machine: 'kv' }).release()
  })

  test('[DI1] until its thread is ended', async () => {
    const dir = temporaryFolder()
    const [answer, thread] = await holderThread(dir)
    expect(answer).toBe('held')
    expect((await holderThread(dir))[0]).toBe('DIRECTORY_IN_USE')
    await thread.terminate()
    ClusterDirectory.open(dir, { nodes: 3, machine: 'kv' }).release()
  })

  test.runIf(hasNamespaces)('across containers that share it', async () => {
    const dir = temporaryFolder()
    expect((await holderProcess(dir, ownNamespace))[0]).toBe('held')
    expect((await holderProcess(dir, ownNamespace))[0]).toBe('DIRECTORY_IN_USE')
    expect((await holderProcess(dir))[0]).toBe('DIRECTORY_IN_USE')
  })
})

test('[DI4] a directory whose lock was removed under its holder is refused by the nodes, and its logs stay whole', async () => {
  const dir = temporaryFolder()
  const cluster = await startedCluster({ dir })
  await cluster.put('a', 'b')
  rmSync(join(dir, 'lock'))
  expect(await refusalOf({ dir })).toMatchObject({ code: 'DIRECTORY_IN_USE' })
  await cluster.put('a', 'c')
  await cluster.close()
  const again = await startedCluster({ dir })
  expect((await again.get('a'))?.value.toString()).toBe('c')
})

describe('a first start', () => {
  test('[DI3] that was ended after any of its steps is begun again', async () => {
    for (const steps of [
      [],
      ['lock'],
      ['lock', 'pledges.jsonl'],
      ['lock', 'pledges.jsonl', 'cluster.json'],
    ]) {
      const [dir, whole] = [temporaryFolder(), temporaryFolder()]
      ClusterDirectory.open(whole, { nodes: 1, machine: 'kv' }).release()
      for (const file of steps) renameSync(join(whole, file), join(dir, file))
      const cluster = await startedCluster({ dir, nodes: 1, host: 'inline' })
      await cluster.put('a', 'b')
    }
  })

  test('[DI3] that left an empty description, as on a full disk, is begun again', async () => {
    const dir = temporaryFolder()
    writeFileSync(join(dir, 'cluster.json'), '')
    const cluster = await startedCluster({ dir, nodes: 1 })
    await cluster.put('a', 'b')
  })

  test('in a folder for temporary files that is not there is refused with how to go on', async () => {
    const before = process.env['TMPDIR']
    onTestFinished(() => {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    })
    process.env['TMPDIR'] = '/nonexistent'
    const refusal = await refusalOf({})
    expect(refusal).toMatchObject({ name: 'RaftError', code: 'DIRECTORY_UNUSABLE' })
    expect(refusal.message).toContain('set TMPDIR')
  })

  test('in a directory that is named by a URL is in that directory', async () => {
    const dir = temporaryFolder()
    const cluster = await startedCluster({ dir: pathToFileURL(dir).href, nodes: 1 })
    expect(cluster.dir).toBe(dir)
  })
})

describe('a directory', () => {
  test('[DI2] written by another version is refused and not touched', async () => {
    const dir = temporaryFolder()
    const text = JSON.stringify({ raftbox: 999, nodes: 3 })
    writeFileSync(join(dir, 'cluster.json'), text)
    expect(await refusalOf({ dir })).toMatchObject({ code: 'DIRECTORY_INCOMPATIBLE' })
    expect(readdirSync(dir)).toEqual(['cluster.json'])
    expect(readFileSync(join(dir, 'cluster.json'), 'utf8')).toBe(text)
  })

  test('of the version that remembered no members is brought up to date, and goes on from its logs', async () => {
    const dir = temporaryFolder()
    await writeAsFirstFormat(dir, 7)
    const cluster = await startedCluster({ dir })
    await cluster.put('a', 'b')
    expect(Math.min(...cluster.status().map(({ currentTerm }) => currentTerm))).toBeGreaterThan(7)
    await cluster.close()
    rmSync(join(dir, 'node-2'), { recursive: true })
    expect(await refusalOf({ dir })).toMatchObject({ code: 'DISK_LOST', details: { nodeId: 2 } })
  })

  test('of the version that remembered no members cannot renew a node: its term is not known', async () => {
    const dir = temporaryFolder()
    await writeAsFirstFormat(dir, 7)
    rmSync(join(dir, 'node-2'), { recursive: true })
    expect(await refusalOf({ dir, renew: [2] })).toMatchObject({
      code: 'INVALID_OPTION',
      details: { option: 'renew' },
    })
  })

  test('[DI2] made with other nodes is refused with the number it was made with', async () => {
    const dir = temporaryFolder()
    await (await startedCluster({ dir, nodes: 1 })).close()
    expect(await refusalOf({ dir, nodes: 3 })).toMatchObject({
      code: 'INVALID_OPTION',
      details: { option: 'nodes' },
    })
  })

  test.each<[string, ClusterOptions]>([
    ['whose priorities were refused', { priorities: { 1: 0 } }],
    ['whose renewed node was refused', { renew: [9] }],
    ['whose machine was not found', { machine: '/nowhere.mjs' }],
    ['with nodes without disks', { durability: 'none' }],
  ])('[DI3] of a first start %s takes another number of nodes', async (_, options) => {
    const dir = temporaryFolder()
    const first = await startCluster({ dir, nodes: 1, ...options }).catch(() => undefined)
    await first?.close()
    const cluster = await startedCluster({ dir, nodes: 3 })
    await cluster.put('a', 'b')
    expect(cluster.status().map(({ nodeId, member }) => [nodeId, member])).toEqual([
      [1, 'voter'],
      [2, 'voter'],
      [3, 'voter'],
    ])
  })

  test('[DI2] that holds data is refused to nodes without disks, which would begin with nothing beside it', async () => {
    const dir = temporaryFolder()
    const kept = await startedCluster({ dir, nodes: 1 })
    await kept.put('a', 'b')
    await kept.close()
    const refusal = await refusalOf({ dir, durability: 'none' })
    expect(refusal).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'durability' } })
    expect(refusal.message).toContain('use another directory, or none')
    const again = await startedCluster({ dir, nodes: 1 })
    expect((await again.get('a'))?.value.toString()).toBe('b')
  })

  test('that is a file, or below one, is refused with the remedy', async () => {
    const dir = temporaryFolder()
    writeFileSync(join(dir, 'file'), '')
    const refused = {
      code: 'DIRECTORY_UNUSABLE',
      message: expect.stringMatching(/; let this program read and write it, or choose another directory$/),
    }
    expect(await refusalOf({ dir: join(dir, 'file') })).toMatchObject(refused)
    expect(await refusalOf({ dir: join(dir, 'file', 'below') })).toMatchObject(refused)
  })

  test.each(['cluster.json', 'pledges.jsonl'])(
    'that lost its %s is refused, and not begun again',
    async (file) => {
      const dir = temporaryFolder()
      await (await startedCluster({ dir, nodes: 1 })).close()
      rmSync(join(dir, file))
      const refusal = await refusalOf({ dir, nodes: 1 })
      expect(refusal).toMatchObject({ code: 'DIRECTORY_INCOMPATIBLE' })
      expect(refusal.message).toContain(file)
    },
  )

  test('whose memory of its members is damaged is refused', async () => {
    const dir = temporaryFolder()
    await (await startedCluster({ dir, nodes: 1 })).close()
    writeFileSync(join(dir, 'pledges.jsonl'), Buffer.alloc(512))
    expect(await refusalOf({ dir })).toMatchObject({ code: 'DIRECTORY_UNUSABLE' })
  })

  /** Zeros in the place of the first pages of all files of a node. */
  function damageLogIn(node: string): void {
    for (const file of readdirSync(node)) {
      const bytes = readFileSync(join(node, file))
      writeFileSync(join(node, file), bytes.fill(0, 0, Math.min(bytes.length, 16_384)))
    }
  }

  test('[DI2] whose log is damaged is refused with the node and the reason, and released', async () => {
    const dir = temporaryFolder()
    const cluster = await startedCluster({ dir, nodes: 1 })
    await cluster.put('a', 'b')
    await cluster.close()
    damageLogIn(join(dir, 'node-1'))
    expect(await refusalOf({ dir })).toMatchObject({ code: 'STORAGE_FAILED', details: { nodeId: 1 } })
    ClusterDirectory.open(dir, { nodes: 1, machine: 'kv' }).release()
  })

  test('[DI2] whose log is damaged goes on as the refusal says', async () => {
    const dir = temporaryFolder()
    const first = await startedCluster({ dir })
    await first.put('a', 'b')
    await first.close()
    const node = join(dir, 'node-2')
    damageLogIn(node)
    const why = expect.stringContaining("move the folder away and name the node in the option 'renew'")
    expect(await refusalOf({ dir })).toMatchObject({ code: 'STORAGE_FAILED', details: { nodeId: 2, why } })
    renameSync(node, join(temporaryFolder(), 'damaged'))
    const second = await startedCluster({ dir, renew: [2] })
    expect((await second.get('a', { from: 2 }))?.value.toString()).toBe('b')
  })
})

describe('[DI7] the machine of a directory', () => {
  const counter = pathToFileURL('test/machine/fixtures/counter.mjs')
  const named = (name: string) => pathToFileURL(`test/machine/fixtures/${name}.mjs`)
  const inline = { nodes: 1, host: 'inline' } as const

  /** All that is in the directory, but for the lock. */
  const contentsOf = (dir: string) =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile() && !file.name.startsWith('lock'))
      .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'base64')])

  async function directoryOf(machine: URL | undefined): Promise<string> {
    const dir = temporaryFolder()
    const cluster = await startedCluster({ dir, ...inline, ...(machine && { machine }) })
    await cluster.propose(Buffer.from('1'))
    await cluster.close()
    return dir
  }

  test.each([
    [
      'the key-value store',
      undefined,
      counter,
      'machine: the key-value store, not a machine of your own: DIR holds a key-value store; choose another directory, or leave the machine out',
    ],
    [
      'the key-value store',
      undefined,
      mvccModule,
      "machine: the key-value store, not etcd's store: DIR holds a key-value store; choose another directory for etcd's API",
    ],
    [
      'a machine of one’s own',
      counter,
      undefined,
      'machine: the module of the machine for which DIR was made, not the key-value store',
    ],
    [
      'a machine with a name',
      named('bank'),
      named('shop'),
      `machine: the machine named bank, for which the directory was made, not ${named('shop')}, whose machine is named shop`,
    ],
  ])('is %s, so another is refused and nothing is changed', async (_, own, other, message) => {
    const dir = await directoryOf(own)
    const before = contentsOf(dir)
    const refusal = await refusalOf({ dir, ...inline, ...(other && { machine: other }) })
    expect(refusal).toMatchObject({ code: 'INVALID_OPTION', message: message.replace('DIR', dir) })
    expect(contentsOf(dir)).toEqual(before)
    await startedCluster({ dir, ...inline, ...(own && { machine: own }) })
  })

  test('may get a name later, and then keeps it', async () => {
    const dir = await directoryOf(counter)
    await (await startedCluster({ dir, ...inline, machine: named('bank') })).close()
    expect((await refusalOf({ dir, ...inline, machine: counter })).message).toContain('has no name')
  })

  test('is not known to a directory of an earlier version, which opens', async () => {
    const dir = await directoryOf(counter)
    for (const raftbox of [2, 3]) {
      writeFileSync(join(dir, 'cluster.json'), JSON.stringify({ raftbox, nodes: 1 }))
      await (await startedCluster({ dir, ...inline, machine: counter })).close()
      expect(JSON.parse(readFileSync(join(dir, 'cluster.json'), 'utf8'))).toEqual({ raftbox: 3, nodes: 1 })
    }
  })

  test('is the next one where the first was never begun with', async () => {
    const dir = temporaryFolder()
    await refusalOf({ dir, ...inline, machine: 'absent.mjs' })
    await (await startedCluster({ dir, ...inline })).close()
    expect((await refusalOf({ dir, ...inline, machine: counter })).message).toContain('key-value store')
  })
})

/** What a version that remembered no members would have left: logs without identities, and a description. */
async function writeAsFirstFormat(dir: string, currentTerm: number): Promise<void> {
  const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [] }
  for (const nodeId of membership.voters) {
    const { store } = openLmdbStore({ dir: join(dir, `node-${nodeId}`), nodeId, membership })
    store.write(persistOf({ hardState: { currentTerm, votedFor: undefined } }), () => undefined)
    await store.close()
  }
  writeFileSync(join(dir, 'cluster.json'), '{"raftbox":1,"nodes":3}')
}
