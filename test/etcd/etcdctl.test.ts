/** Every command of etcdctl against raftbox and against a real etcd: the same words, and the same exit code. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { importSnapshot } from '../../src/cluster/index.js'
import { type Ended, etcdctl } from './etcdctl.js'
import { has, hasEtcd, startRealEtcd } from './real-etcd.js'
import { startedEtcd } from './support.js'

const hasEtcdctl = has('etcdctl')
const againstEtcd = test.skipIf(!hasEtcdctl || !hasEtcd)

/** A raftbox and an etcd of one node each, which are given the same commands. */
class Pair {
  readonly #sides: readonly (readonly string[])[]

  private constructor(sides: readonly (readonly string[])[]) {
    this.#sides = sides
  }

  static async started(): Promise<Pair> {
    const ours = await startedEtcd({ nodes: 1 })
    const real = await startRealEtcd({ flags: ['--heartbeat-interval=100', '--election-timeout=1000'] })
    onTestFinished(() => real.close())
    return new Pair([ours.endpoints, real.endpoints])
  }

  /** Runs a command line on both. `args` of two lists are one for each side. */
  async run(line: string, input = ''): Promise<Ended> {
    return this.runEach([line, line], input)
  }

  async runEach(lines: readonly string[], input = ''): Promise<Ended> {
    const [ours, real] = await this.#ended(lines, input)
    const name = lines[0]?.replaceAll(/[0-9a-f]{14,}/g, 'ID')
    expect([name, comparable(ours!)]).toEqual([name, comparable(real!)])
    return ours!
  }

  /** A command whose output has an id, which the next ones need. */
  async ids(line: string, pattern: RegExp): Promise<string[]> {
    const both = await this.#ended([line, line], '')
    return both.map(({ out }) => pattern.exec(out)?.[1] ?? `no id in ${out}`)
  }

  #ended(lines: readonly string[], input: string): Promise<Ended[]> {
    return Promise.all(this.#sides.map((side, at) => etcdctl(side, lines[at]!.split(' '), input)))
  }
}

/** Ids, addresses, terms and times differ. */
function comparable({ code, out, error }: Ended): Ended {
  const same = (text: string): string =>
    text
      .replaceAll(/"(cluster_id|member_id|raft_term|raftTerm|leader)":\d+/g, '"$1":N')
      .replaceAll(/"(ClusterID|MemberID|RaftTerm)" : \d+/g, '"$1" : N')
      .replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')
      // etcd makes a member's id of its URLs and the second: within one second it is the id that is there already.
      .replaceAll('member ID already exist\n', 'Peer URLs already exists\n')
      .replaceAll(/took = \S+/g, 'took = TIME')
      .replaceAll(/\b[0-9a-f]{14,16}\b/g, 'ID')
      .replaceAll(/\S+\/(?:ours|real)\b/g, 'FILE')
      .replaceAll(/cluster +\w+/g, 'cluster ID')
      .replaceAll(/Member +\w+ (\w+ (?:to|in|from) cluster)/g, 'Member ID $1')
  return { code, out: same(out), error: same(error) }
}

againstEtcd('etcdctl puts, gets and deletes as with etcd', async () => {
  const pair = await Pair.started()
  for (const line of [
    'put a 1',
    'put b 2',
    'put c 3',
    'put a 10 --prev-kv',
    'put dir/1 x',
    'put dir/2 w',
    'get a',
    'get missing',
    'get a -w json',
    'get a -w fields',
    'get a -w simple --print-value-only',
    'get --prefix dir/',
    'get --prefix dir/ --keys-only',
    'get --prefix dir/ --limit=1 -w json',
    'get --prefix dir/ --order=DESCEND',
    'get --prefix dir/ --sort-by=VALUE --order=ASCEND',
    'get a d --sort-by=CREATE --order=DESCEND',
    'get a d --sort-by=MODIFY --order=DESCEND',
    'get a d --sort-by=VERSION --order=DESCEND',
    'get --from-key b',
    'get --from-key  --keys-only',
    'get --prefix  --count-only -w fields',
    'get a --rev=2',
    'get a --rev=2 -w json',
    'get a --rev=100',
    'get a --rev=1',
    'get a --consistency=s',
    'get a c',
    'put a --ignore-value',
    'put missing --ignore-value',
    'put a 5 --ignore-lease',
    'put a 5 --lease=1',
    'put  empty',
    'get ',
    'del a --prev-kv',
    'del missing',
    'del --prefix dir/ --prev-kv',
    'del b c',
    'del --from-key b',
    'get --prefix  -w json',
    'compaction 4',
    'compaction 4',
    'compaction 1000',
    'compaction 5 --physical',
    'get a --rev=3',
    'get nothing a b c',
  ])
    await pair.run(line)
})

againstEtcd('etcdctl runs transactions as with etcd', async () => {
  const pair = await Pair.started()
  await pair.run('put k v')
  const txns = [
    'mod("k") = "2"\n\nput k "w"\nget k\n\nput k "x"\n\n',
    'value("k") = "other"\n\nput k "w"\n\ndel k\nget k\n\n',
    'create("k") = "0"\n\nput k "again"\n\nget k\n\n',
    'version("k") > "0"\n\nget k\n\n\n',
    'mod("k") > "0"\n\nput k "1"\nput k "2"\n\n\n',
    '\nput j "1"\n\n\n',
    '\n\n\n',
  ]
  for (const txn of txns) await pair.run('txn', txn)
  await pair.run('txn -i', txns[0])
  await pair.run('txn -w json', txns[2])
  await pair.run('get k j -w json')
})

againstEtcd('etcdctl grants, keeps alive and revokes leases as with etcd', async () => {
  const pair = await Pair.started()
  const granted = await pair.ids('lease grant 1000', /lease (\w+) granted/)
  const on = (command: (id: string) => string) => pair.runEach(granted.map(command))
  await on((id) => `put --lease=${id} k v`)
  await on((id) => `put --lease=${id} l v`)
  await on((id) => `lease keep-alive --once ${id}`)
  await pair.run('lease list')
  await on((id) => `lease revoke ${id}`)
  await pair.run('get k')
  await on((id) => `lease timetolive ${id}`)
  await on((id) => `lease revoke ${id}`)
  await on((id) => `lease keep-alive --once ${id}`)
  await pair.run('lease grant 9000000001')
  await pair.run('lease list -w fields')
  await pair.run('lease grant 0')
  await pair.run('lease timetolive 123456789012345 -w json')
})

againstEtcd('etcdctl maintains a member as with etcd', async () => {
  const pair = await Pair.started()
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-etcdctl-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const line of [
    'put a 1',
    'put b 2',
    'endpoint health',
    'endpoint hashkv',
    'endpoint hashkv --rev=2',
    'alarm list',
    'alarm disarm',
    'defrag',
    'move-leader 123456789012345',
    'user list',
    'role list',
    'user get u',
    'role get r',
    'user delete u',
    'auth disable',
    'auth enable',
    'member remove 123456789012345',
    'member promote 123456789012345',
    'member update 123456789012345 --peer-urls=http://127.0.0.1:1',
    'member add m --peer-urls=nonsense',
  ])
    await pair.run(line)
  await pair.runEach(['ours', 'real'].map((side) => `snapshot save ${folder}/${side}`))
})

againstEtcd('etcdctl adds and removes a learner as with etcd', async () => {
  const pair = await Pair.started()
  const url = 'http://127.0.0.1:7001'
  const own = await pair.ids('member list', /^(\w+), started/)
  await pair.runEach(own.map((id) => `member update ${id} --peer-urls=http://127.0.0.1:7000`))
  const added = await pair.ids(`member add m --learner --peer-urls=${url}`, /Member +(\w+) added/)
  await pair.run(`member add m --learner --peer-urls=${url}`)
  await pair.run('member add m --learner --peer-urls=http://127.0.0.1:7002')
  await pair.runEach(added.map((id) => `member update ${id} --peer-urls=http://127.0.0.1:7000`))
  const removed = await pair.runEach(added.map((id) => `member remove ${id}`))
  expect(removed.code).toBe(0)
  await pair.runEach(own.map((id) => `member promote ${id}`))
  await pair.runEach(own.map((id) => `member remove ${id}`))
})

test.skipIf(!hasEtcdctl)('etcdctl changes the members and the leader of a cluster', async () => {
  // A busy machine elects no other leader meanwhile.
  const etcd = await startedEtcd({ nodes: 3, electionTimeoutMs: 2000 })
  const run = async (line: string, endpoints = etcd.endpoints) => {
    const { code, out, error } = await etcdctl(endpoints, line.split(' '))
    expect([line, code, error]).toEqual([line, 0, ''])
    return out
  }
  const leader = etcd.cluster.leaderId ?? 0
  const [next] = [1, 2, 3].filter((nodeId) => nodeId !== leader)
  const moved = await run(`move-leader ${next}`)
  expect(moved).toContain('Leadership transferred')
  expect(etcd.cluster.leaderId).toBe(next)
  const refused = await etcdctl([etcd.endpointOf(leader) ?? ''], ['move-leader', String(leader)])
  expect(refused).toMatchObject({ code: 128, error: expect.stringContaining('no leader endpoint given') })

  expect(await run('member add m --peer-urls=http://127.0.0.1:7001')).toContain(
    'Member                4 added',
  )
  await run('put k v', [etcd.endpointOf(4) ?? ''])
  await run('member add l --learner --peer-urls=http://127.0.0.1:7002')
  // Of a learner's address, only a status can be had.
  const voters = [1, 2, 3, 4].map((nodeId) => etcd.endpointOf(nodeId) ?? '')
  expect(await run('member list', voters)).toContain('5, started, node-5, http://127.0.0.1:7002')
  expect(await run('member promote 5', voters)).toContain('Member                5 promoted')
  await run('member remove 4', voters.slice(0, 3))
  expect(etcd.status().map(({ nodeId }) => nodeId)).toEqual([1, 2, 3, 5])
  const statuses = (await run('endpoint status')).trim().split('\n')
  expect(statuses).toHaveLength(4)
  expect(statuses.filter((line) => line.includes(', true, false, '))).toHaveLength(1)
})

test.skipIf(!hasEtcdctl)(
  'a snapshot that etcdctl has saved is a new cluster with the same keys',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'raftbox-etcdctl-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const [file, dir] = [join(folder, 'snapshot'), join(folder, 'restored')]
    const etcd = await startedEtcd({ nodes: 1 })
    for (const key of ['k', 'l']) await etcdctl(etcd.endpoints, ['put', key, 'v'])
    expect(await etcdctl(etcd.endpoints, ['snapshot', 'save', file])).toMatchObject({ code: 0 })
    await importSnapshot(file, dir)
    const restored = await startedEtcd({ dir })
    const { out } = await etcdctl(restored.endpoints, ['get', '', '--prefix', '-w', 'json'])
    const keys = JSON.parse(out).kvs.map(({ key, mod_revision }: Record<string, unknown>) => [
      key,
      mod_revision,
    ])
    expect(keys).toEqual([
      [Buffer.from('k').toString('base64'), 2],
      [Buffer.from('l').toString('base64'), 3],
    ])
  },
)
