/** Patroni keeps its primary while raftbox loses its leader, and finds another one when the primary goes. */
import { expect, test } from 'vitest'
import { startEtcd } from '../../../src/etcd/index.js'
import { until } from '../support.js'
import { hasPatroni, Patroni, type PatroniMember } from './support/patroni.js'

/** The primary as a node tells it, once it runs and all the others follow it. */
async function settled(patroni: Patroni, teller: string, count: number): Promise<PatroniMember | undefined> {
  const members = await patroni.members(teller)
  const running = members.filter(({ state }) => state === 'running' || state === 'streaming')
  return running.length === count ? running.find(({ role }) => role === 'leader') : undefined
}

test.skipIf(!hasPatroni)('a primary is elected, renewed and replaced', { timeout: 90_000 }, async () => {
  await using etcd = await startEtcd({ nodes: 3 })
  const names = ['one', 'two']
  await using patroni = await Patroni.start(names, etcd.endpoints)
  const primary = await until(() => settled(patroni, 'one', 2))

  await etcd.kill('leader')
  const killedAt = Date.now() / 1000
  // A node of Patroni asks once a second: both have asked several times since.
  for (const name of names) await until(async () => (await patroni.lastSeen(name)) > killedAt + 5)
  expect(await settled(patroni, 'one', 2)).toEqual(primary)

  await patroni.stop(primary.name)
  const [other = ''] = names.filter((name) => name !== primary.name)
  const next = await until(async () => {
    const told = await settled(patroni, other, 1)
    // PostgreSQL begins a timeline of its own once it may write.
    return told?.timeline === 2 ? told : undefined
  })
  expect(next.name).toBe(other)
})
