import { expect, test } from 'vitest'
import { OneMachine } from './one-machine.js'

test('a lease is granted once, with the id and the time to live that were asked for', () => {
  const node = new OneMachine()
  expect(node.grant(77, 60)).toMatchObject({ status: 'ok', revision: 1, message: { ID: '77', TTL: '60' } })
  expect(node.grant(77, 60).status).toBe('leaseExists')
  expect(node.grant(-77, 1).message).toMatchObject({ ID: '-77', TTL: '2' })
})

test('the id 0 stands for one that the machine makes', () => {
  const { message } = new OneMachine().grant(0)
  expect(BigInt(message.ID)).toBeGreaterThan(0n)
})

test.each([
  [9_000_000_000, 'ok'],
  [9_000_000_001, 'leaseTtlTooLarge'],
  ['9223372036854775807', 'leaseTtlTooLarge'],
])('a time to live of %s seconds is %s', (ttl, status) => {
  expect(new OneMachine().do('leaseGrant', { ID: '1', TTL: ttl }).status).toBe(status)
})

test('a put under a lease that is not there is refused', () => {
  const node = new OneMachine()
  expect(node.put('a', 7)).toMatchObject({ status: 'leaseNotFound', revision: 1 })
})

test('a revoked lease takes its keys with it, at one revision and in their order', () => {
  const node = new OneMachine()
  node.grant(7)
  for (const key of ['c', 'a', 'b']) node.put(key, 7)
  node.put('other')
  expect(node.do('leaseRevoke', { ID: '7' })).toMatchObject({ status: 'ok', revision: 6 })
  expect(node.keys).toEqual(['other@5'])
  expect(node.do('leaseRevoke', { ID: '7' })).toMatchObject({ status: 'leaseNotFound', revision: 6 })
})

test('a revoked lease without keys leaves the revision as it is', () => {
  const node = new OneMachine()
  node.grant(7)
  expect(node.do('leaseRevoke', { ID: '7' })).toMatchObject({ status: 'ok', revision: 1 })
})

test('a put under another lease, or under none, takes the key from its lease', () => {
  const node = new OneMachine()
  for (const id of [7, 8]) node.grant(id)
  for (const key of ['a', 'b', 'c']) node.put(key, 7)
  node.put('a', 8)
  node.put('b')
  node.do('leaseRevoke', { ID: '7' })
  expect(node.keys).toEqual(['a@5', 'b@6'])
  node.do('leaseRevoke', { ID: '8' })
  expect(node.keys).toEqual(['b@6'])
})

test('a deleted key is no longer under its lease, also when it is put again', () => {
  const node = new OneMachine()
  node.grant(7)
  node.put('a', 7)
  node.do('deleteRange', { key: Buffer.from('a') })
  node.put('a')
  node.do('leaseRevoke', { ID: '7' })
  expect(node.keys).toEqual(['a@4'])
})

test('the time to live tells what was granted, what is left, and the keys in their order when they are asked for', () => {
  const node = new OneMachine()
  node.grant(7, 60)
  for (const key of ['b', 'a']) node.put(key, 7)
  node.passes(1)
  node.passes(20_500)
  const ask = (keys: boolean) => node.ask('leaseTimeToLive', { ID: '7', keys }).message
  expect(ask(false)).toMatchObject({ ID: '7', TTL: '39', grantedTTL: '60', keys: [] })
  expect(ask(true).keys.map(String)).toEqual(['a', 'b'])
})

test('a lease that is not there lives for -1 seconds, and is kept alive for 0', () => {
  const node = new OneMachine()
  const { status, message } = node.ask('leaseTimeToLive', { ID: '7', keys: true })
  expect([status, message.ID, message.TTL, message.grantedTTL]).toEqual(['ok', '7', '-1', '0'])
  expect(node.do('leaseKeepAlive', { ID: '7' })).toMatchObject({
    status: 'ok',
    message: { ID: '7', TTL: '0' },
  })
})

test('a lease that is kept alive lives on', () => {
  const node = new OneMachine()
  node.grant(7)
  node.put('a', 7)
  node.passes(1)
  for (let times = 0; times < 5; times++) {
    node.passes(9000)
    expect(node.do('leaseKeepAlive', { ID: '7' }).message).toMatchObject({ ID: '7', TTL: '10' })
  }
  node.passes(1)
  expect(node.keys).toEqual(['a@2'])
})

test('each lease that is over ends at a revision of its own', () => {
  const node = new OneMachine()
  for (const id of [7, 8, 9]) node.grant(id)
  for (const [key, id] of [
    ['a', 7],
    ['b', 8],
    ['c', 7],
  ] as const)
    node.put(key, id)
  node.passes(1)
  node.passes(10_001)
  expect(node.keys).toEqual([])
  expect(node.revision).toBe(6)
  expect(node.ask('leaseLeases', {}).message.leases).toEqual([])
})

test('leases are listed, the one that ends next first', () => {
  const node = new OneMachine()
  for (const [id, ttl] of [
    [7, 30],
    [-8, 10],
    ['9223372036854775807', 20],
  ] as const)
    node.do('leaseGrant', { ID: String(id), TTL: String(ttl) })
  const ids = node.ask('leaseLeases', {}).message.leases.map(({ ID }: never) => ID)
  expect(ids).toEqual(['-8', '9223372036854775807', '7'])
})

test('the machine waits for time while there are leases', () => {
  const node = new OneMachine()
  expect(node.machine.leastTimeoutMs).toBe(Number.POSITIVE_INFINITY)
  node.grant(7)
  expect(node.machine.leastTimeoutMs).toBe(15_000)
})

test('a snapshot carries the leases and their keys', () => {
  const one = new OneMachine()
  for (const id of [7, 8]) one.grant(id)
  for (const [key, id] of [
    ['a', 7],
    ['b', 8],
    ['c', 7],
  ] as const)
    one.put(key, id)
  one.passes(1)
  one.passes(5000)
  one.do('leaseKeepAlive', { ID: '8' })
  const other = one.restored()
  expect(other.machine.hash()).toBe(one.machine.hash())
  for (const node of [one, other]) {
    node.passes(250)
    node.passes(5000)
    expect(node.keys).toEqual(['b@3'])
    node.passes(5001)
    expect(node.keys).toEqual([])
  }
  expect(other.machine.hash()).toBe(one.machine.hash())
})

test('the hash covers the leases', () => {
  const [one, other] = [new OneMachine(), new OneMachine()]
  for (const node of [one, other]) node.grant(7)
  expect(one.machine.hash()).toBe(other.machine.hash())
  one.passes(1)
  expect(one.machine.hash()).not.toBe(other.machine.hash())
})

test.each(['leaseGrant', 'leaseRevoke', 'leaseKeepAlive'] as const)(
  'a malformed %s changes nothing',
  (op) => {
    const node = new OneMachine()
    expect(node.doBytes(op, Buffer.of(0x10)).status).toBe('malformed')
  },
)
