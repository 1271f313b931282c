/** The npm package etcd3, as it is, on a cluster that is broken meanwhile. */
import { Etcd3, type IOptions, type Lease } from 'etcd3'
import { expect, onTestFinished, test } from 'vitest'
import type { Etcd } from '../../src/etcd/index.js'
import { startedEtcd, until } from './support.js'

function clientOf({ endpoints }: Etcd, options: Partial<IOptions> = {}): Etcd3 {
  const client = new Etcd3({ hosts: [...endpoints], ...options })
  onTestFinished(() => client.close())
  return client
}

/** Tries until it is done: the package tells of each broken connection. */
async function retried<Result>(act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await act()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

test('etcd3 puts, gets, deletes and makes transactions', async () => {
  const client = clientOf(await startedEtcd({ nodes: 3 }))
  await client.put('a').value('1')
  await client.put('b').value('2')
  expect(await client.get('a').string()).toBe('1')
  expect(await client.getAll().prefix('').strings()).toEqual({ a: '1', b: '2' })
  expect(await client.getAll().prefix('').count()).toBe(2)
  const toggle = (): Promise<{ succeeded: boolean }> =>
    client
      .if('a', 'Value', '==', '1')
      .then(client.put('a').value('then'))
      .else(client.put('a').value('else'), client.delete().key('b'))
      .commit()
  expect((await toggle()).succeeded).toBe(true)
  expect(await client.get('a').string()).toBe('then')
  expect((await toggle()).succeeded).toBe(false)
  expect(await client.getAll().prefix('').strings()).toEqual({ a: 'else' })
  await client.delete().all()
  expect(await client.get('a').string()).toBeNull()
  await client.stm().transact(async (tx) => tx.put('c').value(`${await tx.get('c').string()}!`))
  expect(await client.get('c').string()).toBe('null!')
})

test('a watch of etcd3 goes on at another member when its own is killed, and misses nothing', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const writer = clientOf(etcd)
  const client = clientOf(etcd)
  const watcher = await client.watch().prefix('k').create()
  const seen: string[] = []
  let disconnects = 0
  watcher.on('put', (kv) => seen.push(`${kv.key}=${kv.value}`))
  watcher.on('delete', (kv) => seen.push(`-${kv.key}`))
  watcher.on('disconnected', () => disconnects++)
  const written: string[] = []
  const write = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const value = String(written.length)
      // A write whose outcome is unknown may have happened: the value is its name.
      await retried(() => writer.put('k').value(value).exec())
      written.push(`k=${value}`)
    }
  }
  const seesAll = (): Promise<unknown> => until(() => seen.at(-1) === written.at(-1))
  await write(20)
  await seesAll()
  for (const nodeId of [1, 2, 3]) {
    await etcd.kill(nodeId)
    await write(20)
    await etcd.restart(nodeId)
    await seesAll()
  }
  expect(disconnects).toBeGreaterThan(0)
  // A retried write may be there twice.
  expect([...new Set(seen)]).toEqual(written)
  await retried(() => writer.delete().key('k').exec())
  await until(() => seen.at(-1) === '-k')
  await watcher.cancel()
})

test('a lease of etcd3 is kept over a change of leader, and one that is revoked is lost', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const client = clientOf(etcd)
  const lease: Lease = client.lease(4)
  let renewals = 0
  let isLost = false
  lease.on('keepaliveSucceeded', () => renewals++)
  lease.on('lost', () => {
    isLost = true
  })
  await lease.put('k').value('1')
  await until(() => renewals > 0)
  await etcd.kill('leader', { forMs: 500 })
  const before = renewals
  await until(() => renewals > before + 2)
  expect(isLost).toBe(false)
  expect(await retried(() => client.get('k').string())).toBe('1')
  await retried(async () => client.leaseClient.leaseRevoke({ ID: await lease.grant() }))
  await until(() => isLost)
  expect(await retried(() => client.get('k').string())).toBeNull()
})

test('a lock of etcd3 is held by one, and given to the next', async () => {
  const client = clientOf(await startedEtcd({ nodes: 3 }))
  const first = client.lock('l').ttl(10)
  await first.acquire()
  await expect(client.lock('l').ttl(10).acquire()).rejects.toThrow()
  await first.release()
  const order: string[] = []
  await client.lock('l').do(async () => {
    order.push('held')
  })
  expect(order).toEqual(['held'])
})

test('an election of etcd3 has one leader, and another once that one resigns', async () => {
  const client = clientOf(await startedEtcd({ nodes: 3 }))
  const election = client.election('e', 10)
  const observer = await election.observe()
  const changes: (string | undefined)[] = []
  observer.on('change', (value) => changes.push(value))
  const one = election.campaign('one')
  await one.wait()
  await until(() => observer.leader() === 'one')
  const two = election.campaign('two')
  const elected = two.wait()
  await one.proclaim('one again')
  await until(() => observer.leader() === 'one again')
  await one.resign()
  await elected
  await until(() => observer.leader() === 'two')
  expect(changes.filter((value) => value !== undefined)).toEqual(['one', 'one again', 'two'])
  await two.resign()
  await observer.cancel()
})
