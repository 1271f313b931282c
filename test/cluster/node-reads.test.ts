import { describe, expect, test, vi } from 'vitest'
import type { Cluster, ReadOptions } from '../../src/cluster/index.js'
import type { NodeId } from '../../src/raft/index.js'
import type { ClientRequest } from '../../src/transport/index.js'
import { Nodes, nodesLedBy, packed } from './nodes.js'
import { startedCluster } from './support.js'

/** Three nodes that the test plays; node 1 leads. */
async function threeNodes(timeoutMs?: number): Promise<Nodes> {
  const nodes = await nodesLedBy(1, timeoutMs)
  nodes.add(3)
  return nodes
}

/** The next request that reaches a node, and which node that is. */
async function nextAsked(nodes: Nodes): Promise<[NodeId | undefined, ClientRequest]> {
  const asked = await nodes.next()
  return [nodes.askedOf.get(asked.request), asked]
}

function refuse(nodes: Nodes, nodeId: NodeId, { request }: ClientRequest): void {
  const refusal = { request, outcome: 'refused', code: 'notLeader', leaderId: undefined } as const
  nodes.say({ settled: [refusal], results: new Uint8Array(0) }, nodeId)
}

describe('reads that choose their node', () => {
  test('[CA12] are asked of that node, linearizable or stale, and all others of the leader', async () => {
    const nodes = await threeNodes()
    const calls = [
      nodes.call('read', 'a'),
      nodes.read('b', { from: 2 }),
      nodes.read('c', { from: 'leader' }),
      nodes.read('d', { from: 3, stale: true }),
    ]
    const asked = [await nextAsked(nodes), await nextAsked(nodes), await nextAsked(nodes)]
    const kinds = asked.map(([nodeId, { type, frame }]) => [nodeId, type, frame.count])
    expect(kinds.sort()).toEqual([
      [1, 'read', 2],
      [2, 'readHere', 1],
      [3, 'staleRead', 1],
    ])
    nodes.client.close()
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'STOPPED' })
  })

  test('[CA12] are refused by name where the node does not run, or ends', async () => {
    const nodes = await threeNodes()
    await expect(nodes.read('a', { from: 9 })).rejects.toThrow(
      "from: 'leader', 'any' or a node that runs (1, 2, 3), not 9",
    )
    const call = nodes.read('a', { from: 2 })
    await nodes.next()
    nodes.client.detach(2, 'it was killed')
    await expect(call).rejects.toMatchObject({ code: 'STOPPED', message: 'node 2 is stopped: it was killed' })
  })

  test('[CA12] are refused with the nodes that failed, also where none runs', async () => {
    const nodes = await nodesLedBy(1)
    nodes.failures = 'node 2 failed: disk full'
    nodes.client.detach(2, 'node 2 failed: disk full')
    const expected = "from: 'leader', 'any' or a node that runs"
    await expect(nodes.read('a', { from: 2 })).rejects.toThrow(
      `${expected} (1), not 2: node 2 failed: disk full`,
    )
    nodes.client.detach(1, 'it was killed')
    await expect(nodes.read('a', { from: 2 })).rejects.toThrow(
      `${expected} (none does), not 2: node 2 failed: disk full`,
    )
  })

  test('[CA12] are asked of the node again while it knows no leader', async () => {
    const nodes = await threeNodes()
    const call = nodes.read('a', { from: 2 })
    for (let time = 0; time < 3; time++) {
      const [nodeId, asked] = await nextAsked(nodes)
      expect(nodeId).toBe(2)
      refuse(nodes, 2, asked)
    }
    nodes.answerRead(await nodes.next(), 'x')
    expect(await call).toBe('0 x')
  })

  test('[CA12] time out when the node does not answer', async () => {
    const nodes = await threeNodes(30)
    await expect(nodes.read('a', { from: 2 })).rejects.toMatchObject({ code: 'READ_TIMEOUT' })
  })

  test('[CA13] take the nodes in turn, where any will do', async () => {
    const nodes = await threeNodes()
    const asked: (NodeId | undefined)[] = []
    for (let turn = 0; turn < 6; turn++) {
      const calls = ['a', 'b'].map((query) => nodes.read(query, { from: 'any' }))
      const [nodeId, request] = await nextAsked(nodes)
      asked.push(nodeId)
      nodes.answerRead(request, 'x', 'y')
      expect(await Promise.all(calls), 'the calls of a turn stay together').toEqual(['0 x', '1 y'])
    }
    expect(asked).toEqual([...asked.slice(0, 3), ...asked.slice(0, 3)])
    expect(asked.slice(0, 3).sort()).toEqual([1, 2, 3])
  })

  test('[CA13] go on to another node when theirs refuses, ends, or does not answer, and leave it out', async () => {
    const failures: ((nodes: Nodes, nodeId: NodeId, asked: ClientRequest) => void)[] = [
      refuse,
      (nodes, nodeId) => nodes.client.detach(nodeId, 'it was killed'),
      () => undefined,
    ]
    for (const fails of failures) {
      const nodes = await threeNodes(2000)
      const call = nodes.read('a', { from: 'any' })
      const [first, asked] = await nextAsked(nodes)
      fails(nodes, first ?? 0, asked)
      const [second, again] = await nextAsked(nodes)
      expect(second).not.toBe(first)
      nodes.answerRead(again, 'x')
      expect(await call).toBe('0 x')
      for (const query of ['b', 'c', 'd']) {
        const later = nodes.read(query, { from: 'any' })
        const [nodeId, next] = await nextAsked(nodes)
        expect(nodeId).not.toBe(first)
        nodes.answerRead(next, 'y')
        expect(await later).toBe('0 y')
      }
    }
  })

  test('[CA13] take the first answer, also where each node takes longer than it is waited for', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    try {
      const nodes = await threeNodes(2000)
      const call = nodes.read('a', { from: 'any' })
      const asked: [number, ClientRequest][] = []
      for (let ms = 0; ms < 1800; ms += 20) {
        for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
        for (let next = nodes.tryNext(); next !== undefined; next = nodes.tryNext()) asked.push([ms, next])
        vi.advanceTimersByTime(20)
      }
      expect(asked.map(([ms]) => ms)).toEqual([0, 200, 600, 1400])
      const [first, second] = asked.map(([, request]) => request)
      if (first === undefined || second === undefined) return expect.fail()
      nodes.answerRead(second, 'x')
      expect(await call).toBe('0 x')
      nodes.answerRead(first, 'y')
      const later = nodes.read('b', { from: 'any' })
      nodes.answerRead(await nodes.next(), 'z')
      expect(await later).toBe('0 z')
    } finally {
      vi.useRealTimers()
    }
  })

  test('[CA13] ask for the rest of a part once, whichever copy it answered', async () => {
    const nodes = await threeNodes(2000)
    const calls = ['a', 'b'].map((query) => nodes.read(query, { from: 'any' }))
    const [, first] = await nextAsked(nodes)
    const [, copy] = await nextAsked(nodes)
    nodes.answerRead(first, 'x')
    const [, rest] = await nextAsked(nodes)
    expect([first.frame.count, copy.frame.count, rest.frame.count]).toEqual([2, 2, 1])
    // It answers both calls anew: one of them has its answer already.
    nodes.answerRead(copy, 'wrong', 'wrong')
    nodes.answerRead(rest, 'y')
    expect(await Promise.all(calls)).toEqual(['0 x', '1 y'])
  })

  test('[CA13] are asked of nodes that were left out when no other is there', async () => {
    const nodes = new Nodes()
    nodes.add(1)
    const call = nodes.read('a', { from: 'any' })
    for (let time = 0; time < 3; time++) refuse(nodes, 1, await nodes.next())
    nodes.answerRead(await nodes.next(), 'x')
    expect(await call).toBe('0 x')
  })

  test('[CA14] tell how stale the state is that each answer comes from', async () => {
    const nodes = await threeNodes()
    const calls = ['a', 'b'].map((query) => nodes.read(query, { from: 2, stale: true }))
    const states = [
      { index: 7, ageMs: 30 },
      { index: 9, ageMs: 10 },
    ]
    for (const staleness of states) {
      const { request } = await nodes.next()
      const results = packed(['x'])
      const settled = [{ request, outcome: 'read', count: 1, results, staleness } as const]
      nodes.say({ settled, results: new Uint8Array(0) }, 2)
    }
    expect(await Promise.all(calls)).toEqual(states.map((state, at) => ({ answer: `${at} x`, ...state })))
  })

  test('[CA9] options that do not fit are refused', async () => {
    const nodes = await threeNodes()
    const wrong = [{ from: 'all' }, { from: 0 }, { from: 1.5 }, { stale: 'yes' }] as unknown as ReadOptions[]
    for (const options of wrong) expect(() => nodes.read('a', options)).toThrow(/^(from|stale): /)
  })
})

const read = async (cluster: Cluster, options?: ReadOptions) =>
  (await cluster.get('k', options))?.value.toString()

describe.each(['threads', 'inline'] as const)('a cluster on %s', (host) => {
  test('[RD7][RD14] shows every acknowledged write at every node', async () => {
    const cluster = await startedCluster({ host })
    for (let n = 0; n < 20; n++) {
      await cluster.put('k', `${n}`)
      for (const from of [1, 2, 3, 'any', 'leader'] as const)
        expect(await read(cluster, { from })).toBe(`${n}`)
    }
    const { entries } = await cluster.range({ prefix: 'k', from: 2 })
    expect(entries.map(({ value }) => value.toString())).toEqual(['19'])
  })

  test('[RQ8][RQ9] tells how stale each node’s state is, and 0 at a leader', async () => {
    const cluster = await startedCluster({ host })
    const { index } = await cluster.put('k', 'new')
    const { leaderId = 0 } = cluster
    await expect
      .poll(() => cluster.get('k', { from: leaderId, stale: true }))
      .toMatchObject({ index, ageMs: 0 })
    for (const from of [1, 2, 3]) {
      await read(cluster, { from })
      const { answer, ...state } = await cluster.get('k', { from, stale: true })
      expect(answer?.value.toString()).toBe('new')
      expect(state.index).toBe(index)
      expect(state.ageMs).toBeLessThan(Number.POSITIVE_INFINITY)
    }
    const all = await cluster.range({ stale: true })
    expect(all.answer.entries).toHaveLength(1)
  })

  test('[RQ8] goes on to answer stale reads where no majority is left, of growing age', async () => {
    const cluster = await startedCluster({ host })
    await cluster.put('k', 'old')
    const follower = [1, 2, 3].find((id) => id !== cluster.leaderId) ?? 0
    await read(cluster, { from: follower })
    for (const id of [1, 2, 3]) if (id !== follower) await cluster.kill(id)
    const { answer, ageMs } = await cluster.get('k', { from: follower, stale: true })
    expect(answer?.value.toString()).toBe('old')
    const later = await cluster.get('k', { from: 'any', stale: true })
    expect(later.ageMs).toBeGreaterThan(ageMs)
  })

  test('[CA13] spreads reads over the nodes that are there', async () => {
    const cluster = await startedCluster({ host, requestTimeoutMs: 20_000 })
    await cluster.put('k', 'v')
    const followers = [1, 2, 3].filter((id) => id !== cluster.leaderId)
    const [first = 0, second = 0] = followers
    await cluster.kill(first)
    expect(await Promise.all(Array.from({ length: 9 }, () => read(cluster, { from: 'any' })))).toEqual(
      Array(9).fill('v'),
    )
    await cluster.restart(first)
    await cluster.isolate(second)
    for (let n = 0; n < 9; n++) expect(await read(cluster, { from: 'any' })).toBe('v')
  })
})
