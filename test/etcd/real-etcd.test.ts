/** The oracle itself: servers that serve, and leave nothing. */
import { readdirSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { temporaryFolder } from '../cli/raftbox.js'
import { has, hasEtcd, startRealEtcd } from './real-etcd.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

async function membersOf(endpoint: string): Promise<unknown> {
  const answer = await fetch(`http://${endpoint}/v3/cluster/member/list`, { method: 'POST', body: '{}' })
  return ((await answer.json()) as { members: { name: string }[] }).members.map(({ name }) => name).sort()
}

test('a program that is not in PATH is not there', () => {
  expect([has('node'), has('no-such-program')]).toEqual([true, false])
})

test.skipIf(!hasEtcd)('three members serve, and nothing is left when they end', async () => {
  const folder = temporaryFolder()
  vi.stubEnv('TMPDIR', folder)
  const etcd = await startRealEtcd({ members: 3 })
  for (const endpoint of etcd.endpoints)
    expect(await membersOf(endpoint)).toEqual(['node-1', 'node-2', 'node-3'])
  await etcd.close()
  expect(readdirSync(folder)).toEqual([])
  for (const endpoint of etcd.endpoints) await expect(fetch(`http://${endpoint}/health`)).rejects.toThrow()
})

test.skipIf(!hasEtcd)('a server that refuses its flags is told, and leaves nothing', async () => {
  const folder = temporaryFolder()
  vi.stubEnv('TMPDIR', folder)
  await expect(startRealEtcd({ flags: ['--no-such-flag'] })).rejects.toThrow('etcd ended')
  expect(readdirSync(folder)).toEqual([])
})
