/** Members of a cluster on threads that come and go while it runs. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Changing } from '../../src/cluster/changing.js'
import { Cluster } from '../../src/cluster/cluster.js'
import { ClusterDirectory } from '../../src/cluster/directory.js'
import { startCluster } from '../../src/cluster/index.js'
import { creatorOf } from '../../src/cluster/lives.js'
import type { Members } from '../../src/cluster/members.js'
import { resolveOptions } from '../../src/cluster/options.js'
import { convergedHashes, Load, refusalOf, startedCluster, temporaryFolder } from './support.js'

const kindsOf = (cluster: Cluster) =>
  Object.fromEntries(cluster.status().map(({ nodeId, member }) => [nodeId, member]))

const votersOf = (cluster: Cluster) => cluster.membership?.membership.voters

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A cluster with an election timeout that a busy machine does not reach. */
const calm = { heartbeatIntervalMs: 50, electionTimeoutMs: 600 }

/** For a handing over, which a leader gives up after an election timeout: a disk under load may take longer than `calm` has. */
const patient = { heartbeatIntervalMs: 50, electionTimeoutMs: 3000 }

describe.each(['threads', 'inline'] as const)('on host %s', (host) => {
  test('[MB8] a node that is added holds all that the others hold, and votes', async () => {
    const cluster = await startedCluster({ ...calm, host })
    await cluster.put('a', 'b')
    expect(await cluster.addNode()).toBe(4)
    expect(votersOf(cluster)).toEqual([1, 2, 3, 4])
    expect(kindsOf(cluster)).toEqual({ 1: 'voter', 2: 'voter', 3: 'voter', 4: 'voter' })
    expect((await convergedHashes(cluster)).size).toBe(1)
    expect(cluster.status().at(-1)?.commandsApplied).toBe(1)
  })

  test('[MB9] a node that is removed has ended, and its id is not given again', async () => {
    const dir = temporaryFolder()
    const cluster = await startedCluster({ ...calm, host, dir })
    expect(await cluster.removeNode(3)).toEqual([3])
    expect(votersOf(cluster)).toEqual([1, 2])
    expect(existsSync(join(dir, 'node-3'))).toBe(false)
    expect(await cluster.addNode()).toBe(4)
    expect(votersOf(cluster)).toEqual([1, 2, 4])
    await cluster.put('a', 'b')
    expect((await convergedHashes(cluster)).size).toBe(1)
  })
})

test('[MB8] a cluster grows and shrinks under load, and loses nothing', async () => {
  const cluster = await startedCluster(calm)
  const load = new Load(cluster, 4)
  await load.reaches(20)
  expect([await cluster.addNode(), await cluster.addNode()]).toEqual([4, 5])
  await cluster.removeNode([1, 2])
  await load.stop()
  expect(votersOf(cluster)).toEqual([3, 4, 5])
  for (const [key, value] of load.acknowledged) expect((await cluster.get(key))?.value.toString()).toBe(value)
  expect((await convergedHashes(cluster)).size).toBe(1)
  expect(load.unknown.size).toBe(0)
})

test('[MB9] the leader is removed five times in a row', async () => {
  const dir = temporaryFolder()
  const cluster = await startedCluster({ ...calm, dir })
  for (let round = 0; round < 5; round++) {
    await cluster.put('round', `${round}`)
    const { leaderId } = cluster
    await cluster.addNode()
    expect(await cluster.removeNode('leader')).toEqual([leaderId])
    expect(cluster.leaderId).not.toBe(leaderId)
  }
  expect(votersOf(cluster)).toHaveLength(3)
  // The stories of the four nodes that were removed last are kept.
  expect(cluster.story().nodeIds).toHaveLength(3 + 4)
  expect(readdirSync(dir).filter((name) => name.startsWith('node-'))).toHaveLength(3)
  expect((await cluster.get('round'))?.value.toString()).toBe('4')
})

test('[MB10] a node that lost its disk is replaced while the others run, and clients write', async () => {
  const dir = temporaryFolder()
  const cluster = await startedCluster({ ...calm, dir })
  const load = new Load(cluster, 4)
  await load.reaches(20)
  const lost = cluster.leaderId === 2 ? 3 : 2
  await cluster.kill(lost)
  rmSync(join(dir, `node-${lost}`), { recursive: true })
  const refusal = await cluster.restart(lost).catch((error: Error) => error)
  expect(refusal).toMatchObject({
    code: 'DISK_LOST',
    message: expect.stringContaining(`replaceNode(${lost})`),
  })
  expect(await cluster.replaceNode(lost)).toBe(4)
  await load.stop()
  expect(votersOf(cluster)).toEqual([1, 2, 3, 4].filter((nodeId) => nodeId !== lost))
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('[MB11] a learner is promoted and demoted, and the status tells its part', async () => {
  const cluster = await startedCluster(calm)
  await cluster.addNode({ learner: true })
  expect(kindsOf(cluster)).toEqual({ 1: 'voter', 2: 'voter', 3: 'voter', 4: 'learner' })
  await cluster.promote(4)
  expect(kindsOf(cluster)[4]).toBe('voter')
  await cluster.demote(1)
  expect(kindsOf(cluster)[1]).toBe('learner')
  const changed = await cluster.changeMembership([
    { type: 'promote', nodeId: 1 },
    { type: 'demote', nodeId: 3 },
    { type: 'demote', nodeId: 4 },
  ])
  expect(changed.membership).toEqual({ voters: [1, 2], votersOutgoing: [], learners: [3, 4] })
})

test('[MB11] a minority is one of the voters of now, and learners are none', async () => {
  const cluster = await startedCluster({ ...calm, nodes: 2 })
  await cluster.addNode({ learner: true })
  await expect(cluster.kill('minority')).rejects.toMatchObject({ code: 'INVALID_FAULT' })
  await cluster.promote(3)
  expect([1, 2, 3]).toContain(await cluster.kill('minority'))
})

test('leadership is handed over to the node that is named, or to the best', async () => {
  const cluster = await startedCluster(patient)
  await cluster.put('a', 'b')
  const first = cluster.leaderId ?? 0
  const [to = 0] = [1, 2, 3].filter((nodeId) => nodeId !== first)
  expect(await cluster.transfer(to)).toBe(to)
  expect(cluster.leaderId).toBe(to)
  expect(await cluster.transfer()).not.toBe(to)
  await cluster.put('a', 'c')
})

test('[MC8] a leader that is stopped hands over first: nobody waits for an election timeout, and it can come back', async () => {
  const cluster = await startedCluster(patient)
  await cluster.put('a', 'b')
  const { leaderId: first = 0 } = cluster
  expect(await cluster.stop('leader')).toEqual([first])
  expect(cluster.leaderId).not.toBe(first)
  await cluster.put('a', 'c')
  const { happened } = cluster.story()
  const candidacies = happened.filter((each) => each.type === 'role' && each.role === 'candidate')
  expect(candidacies.at(-1)).toMatchObject({ nodeId: cluster.leaderId, reason: 'transfer', from: first })
  expect(happened.filter(({ nodeId }) => nodeId === first).at(-1)).toMatchObject({
    type: 'killed',
    isOnPurpose: true,
  })
  expect(cluster.faults).toEqual([])
  await cluster.restart(first)
  expect((await convergedHashes(cluster)).size).toBe(1)
})

test('[MC8] all nodes are stopped at once, and none hands over', async () => {
  const cluster = await startedCluster(calm)
  await cluster.put('a', 'b')
  expect(await cluster.stop('all')).toEqual([1, 2, 3])
  expect(cluster.status().map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped'])
  expect(cluster.story().happened.some(({ type }) => type === 'transferBegan')).toBe(false)
})

test('leadership is handed over to a node that answers, and not to one that is cut off', async () => {
  const cluster = await startedCluster(patient)
  await cluster.put('a', 'b')
  const [cutOff = 0, other] = [1, 2, 3].filter((nodeId) => nodeId !== cluster.leaderId)
  await cluster.isolate(cutOff)
  await cluster.put('a', 'c')
  expect(await cluster.transfer()).toBe(other)
})

describe('[MB12] a standing fault', () => {
  test('hits a node that is added, where it hits all, and ends with the node that it hit', async () => {
    const cluster = await startedCluster(calm)
    await cluster.put('a', 'b')
    const follower = cluster.leaderId === 1 ? 2 : 1
    await cluster.isolate(follower)
    const added = await cluster.addNode()
    await cluster.transfer(added)
    const between = (direction: string, nodeId: number, peer: number) =>
      cluster
        .story()
        .carried.filter(
          (each) => each.direction === direction && each.nodeId === nodeId && each.peer === peer,
        )
    await until(() => between('sent', added, follower).length >= 5)
    expect(between('received', follower, added)).toEqual([])
    await cluster.removeNode(follower)
    expect(cluster.faults).toEqual([])
  })
})

describe('a change that cannot be made', () => {
  test.each<[string, (cluster: Cluster) => Promise<unknown>, string]>([
    ['of the last voter', (cluster) => cluster.removeNode(1), 'a cluster keeps at least one voter'],
    ['of a voter to a voter', (cluster) => cluster.promote(1), 'node 1 is a voter already'],
    [
      'that adds a member again',
      (cluster) => cluster.changeMembership([{ type: 'addLearner', nodeId: 2 }]),
      'node 2 is a member already',
    ],
    [
      'that adds a node that nobody started',
      (cluster) => cluster.changeMembership([{ type: 'addLearner', nodeId: 9 }]),
      'there is no node 9',
    ],
    [
      'to a leader that is a learner',
      (cluster) => cluster.transfer(2),
      'node 2 is no voter, and only voters lead',
    ],
    ['to the node that leads', (cluster) => cluster.transfer(1), 'node 1 leads already'],
    ['of the lead where nobody else votes', (cluster) => cluster.transfer(), 'nobody else is a voter'],
    [
      'of an id that is no number',
      (cluster) => cluster.changeMembership([{ type: 'promote', nodeId: '2' as never }]),
      'a node\'s id is a whole number above 0, not "2"',
    ],
    [
      'of an id that has no words',
      (cluster) => cluster.changeMembership([{ type: 'demote', nodeId: Symbol('two') as never }]),
      "a node's id is a whole number above 0, not Symbol(two)",
    ],
    ['of no node at all', (cluster) => cluster.changeMembership([]), 'at least one node'],
  ])('%s is refused at once, with the reason, and changes nothing', async (_, call, why) => {
    const cluster = await startedCluster({ ...calm, nodes: 1, durability: 'none' })
    await cluster.addNode({ learner: true })
    const before = cluster.membership
    const refusal = await call(cluster).catch((error: Error) => error)
    expect(refusal).toMatchObject({ code: 'INVALID_CHANGE', message: expect.stringContaining(why) })
    expect(cluster.membership).toEqual(before)
    expect(cluster.status()).toHaveLength(2)
  })

  test('beyond the most nodes is refused with what to do', async () => {
    const cluster = await startedCluster({ ...calm, nodes: 25, host: 'inline', durability: 'none' })
    const refusal = await cluster.addNode().catch((error: Error) => error)
    expect(refusal).toMatchObject({ message: 'nodes: at most 25 (remove one first), not 26' })
  })

  test('of a node that is not there is refused with those that are', async () => {
    const cluster = await startedCluster({ ...calm, nodes: 1, durability: 'none' })
    const refusal = await cluster.removeNode(7).catch((error: Error) => error)
    expect(refusal).toMatchObject({ message: expect.stringContaining('there is node 1, and the roles') })
  })

  test('without a majority is told as not done at its deadline, and changes nothing', async () => {
    const cluster = await startedCluster({ ...calm, nodes: 3 })
    await cluster.put('a', 'b')
    await cluster.isolate('leader')
    const refusal = await cluster
      .kill(cluster.leaderId === 1 ? 2 : 1)
      .then(() => cluster.addNode({ withinMs: 3000 }).catch((error: Error) => error))
    expect(refusal).toMatchObject({ code: expect.stringMatching(/^(NOT_CHANGED|UNKNOWN_OUTCOME)$/) })
  })
})

describe('[DI5] a start in a directory whose members have changed', () => {
  test('brings back those that there are, with their parts, and gives new ids', async () => {
    const dir = temporaryFolder()
    const cluster = await startCluster({ ...calm, dir })
    await cluster.addNode()
    await cluster.addNode({ learner: true })
    await cluster.removeNode(1)
    await cluster.put('a', 'b')
    await cluster.close()
    const again = await startedCluster({ ...calm, dir })
    expect((await again.get('a'))?.value.toString()).toBe('b')
    expect(kindsOf(again)).toEqual({ 2: 'voter', 3: 'voter', 4: 'voter', 5: 'learner' })
    expect(await again.addNode({ learner: true })).toBe(6)
  })

  test('goes on with a change that was under way', async () => {
    const dir = temporaryFolder()
    const cluster = await startCluster({ ...calm, dir })
    await cluster.addNode({ learner: true })
    await cluster.addNode({ learner: true })
    const changing = cluster
      .changeMembership([
        { type: 'promote', nodeId: 4 },
        { type: 'promote', nodeId: 5 },
      ])
      .catch((error: Error) => error)
    await cluster.close()
    await changing
    const again = await startedCluster({ ...calm, dir })
    await again.put('a', 'b')
    expect([3, 5]).toContain(votersOf(again)?.length)
    expect(again.membership?.membership.votersOutgoing).toEqual([])
  })

  test('ends a node whose adding came no further than to a place in the directory', async () => {
    const dir = temporaryFolder()
    await (await startCluster({ ...calm, dir })).close()
    const directory = ClusterDirectory.open(dir, { nodes: undefined, machine: 'kv' })
    expect(directory.add()).toBe(4)
    directory.release()
    const again = await startedCluster({ ...calm, dir })
    await until(() => again.status().length === 3)
    expect(kindsOf(again)).toEqual({ 1: 'voter', 2: 'voter', 3: 'voter' })
    expect(await again.addNode({ learner: true })).toBe(5)
  })

  test('ends such a node also where the others have agreed before the last of all has started', async () => {
    const dir = temporaryFolder()
    const before = await startCluster({ ...calm, dir })
    await until(() => before.status().every(({ commitIndex }) => commitIndex > 0))
    const lastIndex = Math.max(...before.status().map((node) => node.lastIndex))
    await before.close()
    const directory = ClusterDirectory.open(dir, { nodes: undefined, machine: 'kv' })
    const late = directory.add()
    const options = resolveOptions({ ...calm, dir })
    const create = creatorOf(options)
    const again: Cluster = new Cluster(directory, options, (nodeId, exited) => {
      const node = create(nodeId, exited)
      if (nodeId !== late) return node
      const haveAgreed = () =>
        again.status().every(({ nodeId: id, commitIndex }) => id === late || commitIndex > lastIndex)
      const start: typeof node.start = (...parts) => until(haveAgreed).then(() => begin(...parts))
      const begin = node.start.bind(node)
      return Object.assign(node, { start })
    })
    onTestFinished(() => again.close())
    await again.start()
    await until(() => again.status().length === 3)
    expect(again.leaderId).not.toBe(late)
  })

  test('is looked at no further once the cluster is closed, and leaves no timer behind', () => {
    const closed = { isClosed: true } as Members
    let calls = 0
    new Changing(closed, resolveOptions({}), () => expect.fail()).later(1000, () => void calls++)
    expect(calls).toBe(1)
  })

  test('[DI6] of the version whose members never changed opens, and takes changes', async () => {
    const dir = temporaryFolder()
    const cluster = await startCluster({ ...calm, dir })
    await cluster.put('a', 'b')
    await cluster.close()
    writeFileSync(join(dir, 'cluster.json'), '{"raftbox":2,"nodes":3}\n')
    const again = await startedCluster({ ...calm, dir })
    expect((await again.get('a'))?.value.toString()).toBe('b')
    expect(await again.addNode()).toBe(4)
    expect(JSON.parse(readFileSync(join(dir, 'cluster.json'), 'utf8'))).toEqual({ raftbox: 3, nodes: 3 })
  })

  test('[ID3] counts voters, and no learners, among the nodes that may begin anew', async () => {
    const dir = temporaryFolder()
    const cluster = await startCluster({ ...calm, dir })
    await cluster.addNode({ learner: true })
    await cluster.addNode({ learner: true })
    await cluster.put('a', 'b')
    await cluster.close()
    for (const nodeId of [1, 2, 4, 5]) rmSync(join(dir, `node-${nodeId}`), { recursive: true })
    const refusal = await refusalOf({ ...calm, dir, renew: [1, 2, 4, 5] })
    expect(refusal.message).toContain('renew: at most 1 of 3 nodes without a vote')
  })

  test('begins anew with the learners that lost their disks, however many', async () => {
    const dir = temporaryFolder()
    const cluster = await startCluster({ ...calm, dir, nodes: 1 })
    await cluster.addNode({ learner: true })
    await cluster.addNode({ learner: true })
    await cluster.put('a', 'b')
    await cluster.close()
    for (const nodeId of [2, 3]) rmSync(join(dir, `node-${nodeId}`), { recursive: true })
    const again = await startedCluster({ ...calm, dir, renew: [2, 3] })
    await again.put('a', 'c')
    expect((await convergedHashes(again)).size).toBe(1)
    expect(kindsOf(again)).toEqual({ 1: 'voter', 2: 'learner', 3: 'learner' })
  })

  test('[DI6] opens by the number that it was made with, and by that of its members, and by no other', async () => {
    const dir = temporaryFolder()
    const cluster = await startCluster({ ...calm, dir, nodes: 2 })
    await cluster.addNode()
    await cluster.close()
    const refusal = await refusalOf({ dir, nodes: 5 })
    expect(refusal.message).toContain(
      `nodes: 2, as ${dir} was made with, or left out: its members are 1, 2, 3`,
    )
    for (const nodes of [2, 3]) await (await startCluster({ ...calm, dir, nodes })).close()
  })
})
