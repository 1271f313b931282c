/** A put at a member that does not hear its leader. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Calls, Cluster } from '../../src/cluster/index.js'
import { ClusterMember } from '../../src/etcd/cluster-member.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'], now: 0 })
})

afterEach(() => {
  vi.useRealTimers()
})

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** A follower whose calls, by their kinds, end when the test says so. */
function follower() {
  const reads: { answer(): void; fail(): void }[] = []
  const commands: string[] = []
  const call = ({ type }: { readonly type: string }) => {
    if (type === 'propose') commands.push(type)
    return new Promise((resolve, reject) => {
      if (type === 'read')
        reads.push({ answer: () => resolve({}), fail: () => reject(new Error('no leader')) })
    })
  }
  const cluster = {
    leaderId: 2,
    options: { requestTimeoutMs: 1000, electionTimeoutMs: 500 },
  } as unknown as Cluster
  const shared = { proposals: 0, lastIndex: 0, answered: () => undefined }
  const member = new ClusterMember({
    cluster,
    calls: { call } as Calls,
    nodeId: 1,
    counters: { get: () => 0 },
    clusterId: 1n,
    shared,
  })
  return { member, reads, commands }
}

test('a put that waits behind a read of an earlier one ends at its own deadline, and is not sent then', async () => {
  const { member, reads, commands } = follower()
  const puts = [member.propose('put', Buffer.alloc(1)).catch(String)]
  vi.advanceTimersByTime(900)
  puts.push(member.propose('put', Buffer.alloc(1)).catch(String))
  vi.advanceTimersByTime(99)
  reads[0]?.fail()
  await settled()
  expect(await puts[0]).toContain('no leader')
  expect(reads.length).toBe(2)
  vi.advanceTimersByTime(901)
  expect(await puts[1]).toContain('etcdserver: request timed out')
  reads[1]?.answer()
  await settled()
  expect(commands).toEqual([])
})

test('a put whose command the leader does not answer ends at the deadline that it had before its read', async () => {
  const { member, reads, commands } = follower()
  const put = member.propose('put', Buffer.alloc(1)).catch(String)
  vi.advanceTimersByTime(900)
  reads[0]?.answer()
  await settled()
  expect(commands).toEqual(['propose'])
  vi.advanceTimersByTime(100)
  expect(await put).toContain('etcdserver: request timed out')
})
