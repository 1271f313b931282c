import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Cluster, goOnWithRecovery, Recovery, startCluster } from '../../src/cluster/index.js'
import type { NodeId } from '../../src/raft/index.js'
import { convergedHashes, flushedLogs, startedCluster, temporaryFolder } from './support.js'

/** Starts sooner than threads do, and tells no time of the log, which would change the hash of the state. */
const inline = { host: 'inline', sessionTimeoutMs: 3_600_000 } as const

async function hashOf(cluster: Cluster): Promise<string> {
  const [hash = '', ...others] = await convergedHashes(cluster)
  await flushedLogs(cluster)
  expect(others).toEqual([])
  return hash
}

/** The directory of three nodes that hold the same, and the hash of their state. */
async function filled(): Promise<{ readonly dir: string; readonly hash: string }> {
  const dir = temporaryFolder()
  const cluster = await startedCluster({ dir, ...inline })
  for (let key = 0; key < 5; key++) await cluster.put(`key ${key}`, 'value')
  const hash = await hashOf(cluster)
  await cluster.close()
  return { dir, hash }
}

function lose(dir: string, ...nodeIds: readonly NodeId[]): void {
  for (const nodeId of nodeIds) rmSync(join(dir, `node-${nodeId}`), { recursive: true })
}

async function recovered(dir: string, from: NodeId) {
  const recovery = new Recovery(dir, { from })
  try {
    return await recovery.carryOut()
  } finally {
    recovery.release()
  }
}

function planOf(dir: string, from: NodeId) {
  const recovery = new Recovery(dir, { from })
  recovery.release()
  return recovery.plan
}

describe('a cluster that lost a majority of its disks', () => {
  test('[BR6] goes on as a new one with all that the survivor held', async () => {
    const { dir, hash } = await filled()
    lose(dir, 1, 3)
    const { last, aside, ...told } = await recovered(dir, 2)
    expect(told).toMatchObject({ hash, members: [4, 5, 6], heldMore: [], summary: { keys: 5 } })
    expect(readdirSync(aside).sort()).toEqual(['cluster.json', 'node-2', 'pledges.jsonl'])
    const cluster = await startedCluster({ dir, ...inline })
    expect(await hashOf(cluster)).toBe(hash)
    expect((await cluster.put('key 0', 'later')).index).toBeGreaterThan(last.index)
    expect(cluster.status()[0]?.currentTerm).toBeGreaterThan(last.term + 1)
    expect(await hashOf(cluster)).not.toBe(hash)
  })

  test('[BR5] takes no disk of a former node for one of its own', async () => {
    const { dir } = await filled()
    lose(dir, 1, 3)
    const { aside } = await recovered(dir, 2)
    lose(dir, 5)
    renameSync(join(aside, 'node-2'), join(dir, 'node-5'))
    await expect(startCluster({ dir, ...inline })).rejects.toMatchObject({ code: 'DISK_LOST' })
  })

  test('[BR6] keeps what the survivor held and nobody acknowledged', async () => {
    const dir = temporaryFolder()
    const cluster = await startedCluster({ dir, ...inline, requestTimeoutMs: 2000 })
    await cluster.put('a', 'acknowledged')
    await hashOf(cluster)
    const { leaderId: leader = 0 } = cluster
    const followers = [1, 2, 3].filter((nodeId) => nodeId !== leader)
    for (const nodeId of followers) await cluster.kill(nodeId)
    await expect(cluster.put('b', 'on one disk')).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
    await cluster.close()
    lose(dir, ...followers)
    const plan = planOf(dir, leader)
    expect(plan).toMatchObject({ committedIndex: 0, heldMore: [] })
    expect(plan.lost.map(({ nodeId }) => nodeId)).toEqual(followers)
    expect(await recovered(dir, leader)).toMatchObject({ summary: { keys: 2 }, last: plan.last })
    const again = await startedCluster({ dir, ...inline })
    expect((await again.get('b'))?.value.toString()).toBe('on one disk')
  })

  test('is told which writes are lost with the others', async () => {
    const dir = temporaryFolder()
    const cluster = await startedCluster({ dir, ...inline })
    await cluster.put('a', 'on all')
    await hashOf(cluster)
    const [away = 0] = cluster.status().flatMap(({ nodeId }) => (nodeId === cluster.leaderId ? [] : [nodeId]))
    const heldBefore = cluster.status()[away - 1]?.lastIndex
    await cluster.kill(away)
    const { index } = await cluster.put('b', 'while it was away')
    await hashOf(cluster)
    await cluster.close()
    const others = [1, 2, 3].filter((nodeId) => nodeId !== away)
    lose(dir, ...others)
    const { last, heldMore } = planOf(dir, away)
    expect(last.index).toBe(heldBefore)
    expect(heldMore).toEqual(
      others.map((nodeId) => ({ nodeId, isLost: true, last: { index, term: last.term } })),
    )
    expect(await recovered(dir, away)).toMatchObject({ summary: { keys: 1 } })
  })
})

test('[BR6] a recovered cluster can be recovered again', async () => {
  const { dir, hash } = await filled()
  lose(dir, 1, 3)
  await recovered(dir, 2)
  lose(dir, 4, 6)
  expect(await recovered(dir, 5)).toMatchObject({ hash, members: [7, 8, 9] })
  expect(readdirSync(dir).filter((name) => name.startsWith('former-')).length).toBe(2)
  expect(await hashOf(await startedCluster({ dir, ...inline }))).toBe(hash)
})

describe('a recovery', () => {
  test('[BR6] is refused as long as the disks of a majority are there, and changes nothing', async () => {
    const { dir, hash } = await filled()
    lose(dir, 1)
    expect(() => new Recovery(dir, { from: 2 })).toThrow(
      `${dir} needs no recovery: the disks of a majority are there, so start it, and let node 1 begin anew (renew)`,
    )
    const cluster = await startedCluster({ dir, renew: [1], ...inline })
    expect(await hashOf(cluster)).toBe(hash)
  })

  test('is refused from a node whose disk is lost or that is not there, by another machine, and in a directory that is in use', async () => {
    const { dir } = await filled()
    lose(dir, 1, 3)
    expect(() => new Recovery(dir, { from: 1 })).toThrow(
      /^from: a node whose disk can be used, not 1: its folder/,
    )
    expect(() => new Recovery(dir, { from: 4 })).toThrow('from: one of 1, 2, 3, not 4')
    expect(() => new Recovery(dir, { from: 2, machine: 'own.mjs' })).toThrow(
      `machine: the key-value store, not a machine of your own: ${dir} holds a key-value store; choose another directory, or leave the machine out`,
    )
    const recovery = new Recovery(dir, { from: 2 })
    expect(() => new Recovery(dir, { from: 2 })).toThrow(/is in use by/)
    recovery.release()
    expect(() => new Recovery(temporaryFolder(), { from: 2 })).toThrow(/holds no cluster/)
  })

  test('[BR7] that is given up leaves the directory as it was', async () => {
    const { dir } = await filled()
    lose(dir, 1, 3)
    const before = readdirSync(dir)
    const recovery = new Recovery(dir, { from: 2 })
    await expect(recovery.carryOut(AbortSignal.abort())).rejects.toThrow(/abort/)
    recovery.release()
    expect(readdirSync(dir)).toEqual(before)
    expect(goOnWithRecovery(dir)).toBeUndefined()
  })
})
