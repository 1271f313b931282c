import { expect, test } from 'vitest'
import { type Event, historyOf, Machine, type Response } from './machine-help.js'

const everything = { key: '\0', rangeEnd: '\0' }
const largestId = '9223372036854775807'

class Node extends Machine {
  grant(id: number | string, ttl: number | string = 10): unknown {
    return this.do('leaseGrant', { ID: id, TTL: ttl })
  }

  /** All keys that exist, each with the revision of its last put. */
  get keys(): string[] {
    const { kvs } = this.do('range', everything) as { kvs: { key: string; modRevision: number }[] } & Response
    return kvs.map(({ key, modRevision }) => `${key}@${modRevision}`)
  }

  get revision(): unknown {
    return (this.do('range', everything) as Response)['revision']
  }

  get leases(): unknown {
    const { leases } = this.do('leaseLeases', {}) as { leases: { ID: number }[] } & Response
    return leases.map(({ ID }) => ID)
  }
}

test('[LS1] a lease is granted once, with the id and the time to live that were asked for', () => {
  const node = new Node()
  expect(node.grant(77, 60)).toMatchObject({ ID: 77, TTL: 60, revision: 1 })
  expect(node.grant(77, 60)).toBe('leaseExists')
  expect(node.grant(-77, 1)).toMatchObject({ ID: -77, TTL: 2 })
})

test('[LS1] the id 0 stands for one that the machine makes', () => {
  expect((new Node().grant(0) as Response)['ID']).toBeGreaterThan(0)
})

test.each([
  [9_000_000_000, undefined],
  [9_000_000_001, 'leaseTtlTooLarge'],
  [largestId, 'leaseTtlTooLarge'],
])('[LS1] a time to live of %s seconds is refused with %s', (ttl, status) => {
  const answered = new Node().grant(1, ttl)
  expect(typeof answered === 'string' ? answered : undefined).toBe(status)
})

test('[LS2] a revoked lease takes its keys with it, at one revision', () => {
  const node = new Node()
  node.grant(7)
  for (const key of ['c', 'a', 'b']) node.put(key, 'v', 7)
  node.put('other', 'v')
  expect(node.do('leaseRevoke', { ID: 7 })).toMatchObject({ revision: 6 })
  expect(node.keys).toEqual(['other@5'])
  expect(node.do('leaseRevoke', { ID: 7 })).toBe('leaseNotFound')
})

test('[LS2] the keys of a large lease are deleted in the order of their bytes, and all others stay', () => {
  const node = new Node()
  node.grant(7)
  const total = 4000
  const keyAt = (at: number) => `k${String(at).padStart(4, '0')}`
  const isLeased = (at: number) => at % 3 !== 0
  // A prime stride: the keys come in no order.
  for (let put = 0; put < total; put++) {
    const at = (put * 1777) % total
    node.put(keyAt(at), 'v', isLeased(at) ? 7 : 0)
  }
  const { revision } = node.do('leaseRevoke', { ID: 7 }) as Response & { readonly revision: number }
  const ats = Array.from({ length: total }, (_, at) => at)
  const deleted = (historyOf(node, revision) as Event[]).map(({ type, key }) => `${type} ${key}`)
  expect(deleted).toEqual(ats.filter(isLeased).map((at) => `delete ${keyAt(at)}`))
  const left = (node.do('range', everything) as { kvs: { key: string }[] } & Response).kvs
  expect(left.map(({ key }) => key)).toEqual(ats.filter((at) => !isLeased(at)).map(keyAt))
  for (const at of [0, 1, 500, 1024, 3999]) {
    const answered = node.do('range', { key: keyAt(at), rangeEnd: '\0', limit: 1 })
    expect(answered).toMatchObject({ count: ats.filter((each) => each >= at && !isLeased(each)).length })
  }
})

test('[LS2] a revoked lease without keys leaves the revision as it is', () => {
  const node = new Node()
  node.grant(7)
  expect(node.do('leaseRevoke', { ID: 7 })).toMatchObject({ revision: 1 })
})

test('[LS3] a put under another lease, or under none, takes the key from its lease', () => {
  const node = new Node()
  for (const id of [7, 8]) node.grant(id)
  for (const key of ['a', 'b', 'c']) node.put(key, 'v', 7)
  node.put('a', 'v', 8)
  node.put('b', 'v')
  node.do('leaseRevoke', { ID: 7 })
  expect(node.keys).toEqual(['a@5', 'b@6'])
  node.do('leaseRevoke', { ID: 8 })
  expect(node.keys).toEqual(['b@6'])
})

test('[LS3] a deleted key is no longer under its lease, also when it is put again', () => {
  const node = new Node()
  node.grant(7)
  node.put('a', 'v', 7)
  node.delete('a')
  node.put('a', 'v')
  node.do('leaseRevoke', { ID: 7 })
  expect(node.keys).toEqual(['a@4'])
})

test('[LS8] the time to live tells what was granted, what is left, and the keys in their order when they are asked for', () => {
  const node = new Node()
  node.grant(7, 60)
  for (const key of ['b', 'a']) node.put(key, 'v', 7)
  node.passes(1)
  node.passes(20_500)
  const told = { ID: 7, TTL: 39, grantedTTL: 60 }
  expect(node.do('leaseTimeToLive', { ID: 7 })).toMatchObject({ ...told, keys: [] })
  expect(node.do('leaseTimeToLive', { ID: 7, keys: true })).toMatchObject({ ...told, keys: ['a', 'b'] })
})

test('[LS8] a lease that is not there lives for -1 seconds, and is kept alive for 0', () => {
  const node = new Node()
  const { revision } = node
  expect(node.do('leaseTimeToLive', { ID: 7 })).toMatchObject({ ID: 7, TTL: -1, grantedTTL: 0, revision })
  expect(node.do('leaseKeepAlive', { ID: 7 })).toMatchObject({ ID: 7, TTL: 0, revision })
})

test('[LS8] leases are listed, the one that ends next first', () => {
  const node = new Node()
  node.grant(7, 30)
  node.grant(-8, 10)
  node.grant(largestId, 20)
  expect(node.leases).toEqual([-8, Number(largestId), 7])
})

test('[LS4] a lease that is kept alive lives on', () => {
  const node = new Node()
  node.grant(7)
  node.put('a', 'v', 7)
  node.passes(1)
  for (let times = 0; times < 5; times++) {
    node.passes(9000)
    expect(node.do('leaseKeepAlive', { ID: 7 })).toMatchObject({ ID: 7, TTL: 10 })
  }
  node.passes(1)
  expect(node.keys).toEqual(['a@2'])
})

test('[LS6] each lease that is over ends at a revision of its own', () => {
  const node = new Node()
  for (const id of [7, 8, 9]) node.grant(id)
  node.put('a', 'v', 7)
  node.put('b', 'v', 8)
  node.put('c', 'v', 7)
  node.passes(1)
  node.passes(10_001)
  expect(node.keys).toEqual([])
  expect(node.revision).toBe(6)
  expect(node.leases).toEqual([])
})

test('[LS7] the machine waits for time while there are leases', () => {
  const node = new Node()
  expect(node.machine.leastTimeoutMs).toBe(Number.POSITIVE_INFINITY)
  node.grant(7)
  expect(node.machine.leastTimeoutMs).toBe(15_000)
})

test('[LS9] a snapshot carries the leases and their keys', () => {
  const one = new Node()
  for (const id of [7, 8]) one.grant(id)
  one.put('a', 'v', 7)
  one.put('b', 'v', 8)
  one.put('c', 'v', 7)
  one.passes(1)
  one.passes(5000)
  one.do('leaseKeepAlive', { ID: 8 })
  const other = new Node()
  other.machine.restore({ [Symbol.iterator]: () => one.machine.snapshot() })
  expect(other.hash()).toBe(one.hash())
  other.timeMs = one.timeMs
  for (const node of [one, other]) {
    node.passes(250)
    node.passes(5000)
    expect(node.keys).toEqual(['b@3'])
    node.passes(5001)
    expect(node.keys).toEqual([])
  }
  expect(other.hash()).toBe(one.hash())
})

test('[LS9] the hash covers the leases', () => {
  const [one, other] = [new Node(), new Node()]
  for (const node of [one, other]) node.grant(7)
  expect(one.hash()).toBe(other.hash())
  one.passes(1)
  expect(one.hash()).not.toBe(other.hash())
})

test.each(['leaseGrant', 'leaseRevoke', 'leaseKeepAlive'] as const)(
  '[KW2] a malformed %s changes nothing',
  (op) => {
    const node = new Node()
    node.grant(7)
    const hash = node.hash()
    expect(node.apply(op, Buffer.of(0x10)).status).toBe('malformed')
    expect(node.hash()).toBe(hash)
  },
)
