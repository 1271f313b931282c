import { expect, test } from 'vitest'
import { encode, writePut } from '../../src/machine/index.js'
import type { NodeId } from '../../src/raft/index.js'
import { type Outcome, SimulatedCluster } from '../../src/sim/index.js'

/** Election timeouts are drawn between this and its double. */
function electionTimeoutMs(cluster: SimulatedCluster): number {
  return cluster.limits.electionTimeoutTicks * cluster.tickMs
}

function othersThan(cluster: SimulatedCluster, ...ids: readonly NodeId[]): NodeId[] {
  return cluster.nodes.map(({ id }) => id).filter((id) => !ids.includes(id))
}

/** How often a node became leader. */
function leadersMade(cluster: SimulatedCluster): number {
  return cluster.events.filter(({ event }) => event.type === 'role' && event.role === 'leader').length
}

function textOf(outcome: Outcome): string | undefined {
  if (outcome.outcome !== 'read') return outcome.outcome
  const [answer] = outcome.answers
  if (answer === undefined || !('record' in answer)) return undefined
  return Buffer.from(answer.record.value).toString()
}

/** Reasons for which a node stopped to lead. */
function stepDowns(cluster: SimulatedCluster, id: NodeId): string[] {
  const reasons: string[] = []
  let isLeading = false
  for (const { nodeId, event } of cluster.events) {
    if (nodeId !== id || event.type !== 'role') continue
    if (isLeading && event.role !== 'leader') reasons.push(event.reason)
    isLeading = event.role === 'leader'
  }
  return reasons
}

const seeds = Array.from({ length: 10 }, (_, at) => at + 1)

test.each(seeds)(
  '[EL1] a leader that dies is followed by another, which has all that was acknowledged (seed %i)',
  (seed) => {
    const cluster = new SimulatedCluster({ seed })
    expect(cluster.put('a', 'one').outcome).toBe('applied')
    const dead = cluster.awaitLeader().id
    cluster.losePower(dead)
    cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== dead)
    expect(textOf(cluster.get('a'))).toBe('one')
    cluster.restart(dead)
    expect(cluster.put('a', 'two').outcome).toBe('applied')
    cluster.run(1000)
    expect(new Set(cluster.nodes.map((node) => node.hash())).size).toBe(1)
  },
)

test.each(seeds)('[EL1] without failures one leader stays, whatever the seed (seed %i)', (seed) => {
  const cluster = new SimulatedCluster({ seed, nodes: 5 })
  cluster.awaitLeader()
  const before = leadersMade(cluster)
  cluster.run(20 * electionTimeoutMs(cluster))
  expect(leadersMade(cluster)).toBe(before)
})

test.each(seeds)(
  'a minority commits nothing, a majority goes on, and all agree in the end (seed %i)',
  (seed) => {
    const cluster = new SimulatedCluster({ seed, nodes: 5 })
    const old = cluster.awaitLeader().id
    const [friend, ...majority] = othersThan(cluster, old) as [NodeId, ...NodeId[]]
    cluster.partition([old, friend], majority)
    let minority: Outcome | undefined
    cluster.send(old, 'propose', [encode(writePut, 'pending', 'never answered')], (outcome) => {
      minority = outcome
    })
    cluster.until(() => majority.includes(cluster.leader?.id ?? 0))
    expect(cluster.put('a', 'majority').outcome).toBe('applied')
    expect(minority?.outcome).not.toBe('applied')
    cluster.healLinks()
    expect(textOf(cluster.get('a'))).toBe('majority')
    cluster.until(() => minority !== undefined)
    expect(minority?.outcome).not.toBe('applied')
    cluster.run(1000)
    expect(new Set(cluster.nodes.map((node) => node.hash())).size).toBe(1)
  },
)

test.each(seeds)('a leader that is cut off serves no stale read (seed %i)', (seed) => {
  const cluster = new SimulatedCluster({ seed })
  cluster.put('a', 'old')
  const old = cluster.awaitLeader().id
  cluster.partition([old], othersThan(cluster, old))
  cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== old)
  expect(cluster.put('a', 'new').outcome).toBe('applied')
  const read = textOf(cluster.get('a', old))
  expect(read).not.toBe('old')
  cluster.healLinks()
  expect(textOf(cluster.get('a'))).toBe('new')
})

test('a leader that was stopped for a while and goes on serves no stale read', () => {
  const cluster = new SimulatedCluster()
  cluster.put('a', 'old')
  const old = cluster.awaitLeader().id
  const pause = cluster.pause(old)
  cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== old)
  expect(cluster.put('a', 'new').outcome).toBe('applied')
  const answers: (string | undefined)[] = []
  void pause.heal()
  expect(cluster.node(old).state?.role).toBe('leader')
  answers.push(textOf(cluster.get('a', old)))
  expect(answers).not.toContain('old')
})

test.each(['to', 'from'] as const)(
  'a leader that %s everyone else is cut off in one direction loses its lead',
  (direction) => {
    const cluster = new SimulatedCluster()
    const old = cluster.awaitLeader().id
    for (const other of othersThan(cluster, old)) cluster.cut(old, other, { direction })
    cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== old)
    expect(cluster.put('a', 'b').outcome).toBe('applied')
  },
)

test('a follower that hears nobody does not disturb the others', () => {
  const cluster = new SimulatedCluster()
  const leader = cluster.awaitLeader().id
  const deaf = othersThan(cluster, leader)[0] ?? 0
  const term = cluster.leader?.state?.currentTerm
  for (const other of othersThan(cluster, deaf)) cluster.cut(other, deaf, { direction: 'to' })
  cluster.run(20 * electionTimeoutMs(cluster))
  expect(cluster.leader?.id).toBe(leader)
  expect(cluster.leader?.state?.currentTerm).toBe(term)
})

test.each(seeds)(
  'one cut link between two nodes that both hear a third costs one change of leader at most (seed %i)',
  (seed) => {
    const cluster = new SimulatedCluster({ seed })
    const leader = cluster.awaitLeader().id
    const before = leadersMade(cluster)
    cluster.cut(leader, othersThan(cluster, leader)[0] ?? 0)
    cluster.run(20 * electionTimeoutMs(cluster))
    expect(leadersMade(cluster) - before).toBeLessThanOrEqual(1)
    expect(cluster.put('a', 'b').outcome).toBe('applied')
  },
)

test('[CQ1] a leader of five that keeps one link steps down for want of a quorum, and the others go on', () => {
  const cluster = new SimulatedCluster({ nodes: 5 })
  const old = cluster.awaitLeader().id
  for (const other of othersThan(cluster, old).slice(1)) cluster.cut(old, other)
  cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== old)
  cluster.until(() => stepDowns(cluster, old).length > 0)
  // Over that one link it may hear of its successor before it misses its quorum.
  expect(['quorumLost', 'higherTerm']).toContain(stepDowns(cluster, old)[0])
  expect(cluster.put('a', 'b').outcome).toBe('applied')
})

test('[CQ1] a leader that hears nobody steps down for want of a quorum', () => {
  const cluster = new SimulatedCluster()
  const old = cluster.awaitLeader().id
  cluster.partition([old], othersThan(cluster, old))
  cluster.until(() => stepDowns(cluster, old).length > 0)
  expect(stepDowns(cluster, old)).toEqual(['quorumLost'])
})

test('two sides that only one node hears get one leader', () => {
  const cluster = new SimulatedCluster({ nodes: 5 })
  cluster.awaitLeader()
  for (const one of [1, 2]) for (const other of [4, 5]) cluster.cut(one, other)
  cluster.run(10 * electionTimeoutMs(cluster))
  const before = leadersMade(cluster)
  expect(cluster.put('a', 'b').outcome).toBe('applied')
  cluster.run(20 * electionTimeoutMs(cluster))
  expect(leadersMade(cluster) - before).toBeLessThanOrEqual(1)
})

test('a leader whose disk stalls steps down with the reason, and another goes on', () => {
  const cluster = new SimulatedCluster()
  const old = cluster.awaitLeader().id
  const stall = cluster.stallDisk(old)
  cluster.send(old, 'propose', [encode(writePut, 'pending', 'never answered')], () => undefined)
  cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== old)
  expect(stepDowns(cluster, old)[0]).toBe('diskStalled')
  expect(cluster.put('a', 'b').outcome).toBe('applied')
  void stall.heal()
  cluster.run(1000)
  expect(new Set(cluster.nodes.map((node) => node.hash())).size).toBe(1)
})

test('a slow disk of a follower costs no heartbeat and no election', () => {
  const cluster = new SimulatedCluster()
  const leader = cluster.awaitLeader().id
  const before = leadersMade(cluster)
  const [follower = 0] = othersThan(cluster, leader)
  const flushMs = 3 * electionTimeoutMs(cluster)
  cluster.faults.begin({ type: 'slowDisk', nodes: [follower], flushMs })
  for (let n = 0; n < 50; n++) expect(cluster.put(`k${n}`, 'v').outcome).toBe('applied')
  cluster.run(10 * electionTimeoutMs(cluster))
  expect(leadersMade(cluster)).toBe(before)
  expect(cluster.leader?.id).toBe(leader)
})

test('[DU2] a node whose flush fails stops, and does not acknowledge what it could not write', () => {
  const cluster = new SimulatedCluster()
  const leader = cluster.awaitLeader().id
  const sick = othersThan(cluster, leader)[0] ?? 0
  cluster.failDisk(sick)
  expect(cluster.put('a', 'b').outcome).toBe('applied')
  cluster.until(() => !cluster.node(sick).isRunning)
  expect(cluster.put('a', 'c').outcome).toBe('applied')
})

test.each(seeds)('the power goes everywhere at once, and nothing acknowledged is lost (seed %i)', (seed) => {
  const cluster = new SimulatedCluster({ seed })
  const acknowledged: string[] = []
  for (let n = 0; n < 20; n++) if (cluster.put(`k${n}`, 'v').outcome === 'applied') acknowledged.push(`k${n}`)
  cluster.send(
    cluster.awaitLeader().id,
    'propose',
    [encode(writePut, 'pending', 'never answered')],
    () => undefined,
  )
  for (const { id } of cluster.nodes) cluster.losePower(id)
  for (const { id } of cluster.nodes) cluster.restart(id)
  for (const key of acknowledged) expect(textOf(cluster.get(key))).toBe('v')
})

test.each(seeds)(
  '[SN1] a node that was away for longer than the log reaches back gets a snapshot, also when it dies meanwhile (seed %i)',
  (seed) => {
    const cluster = new SimulatedCluster({
      seed,
      bounds: { logBytesMax: 8192, trailingBytes: 1024 },
      limits: { snapshotChunkBytes: 200 },
    })
    const leader = cluster.awaitLeader().id
    const away = othersThan(cluster, leader)[0] ?? 0
    cluster.losePower(away)
    for (let n = 0; n < 120; n++) expect(cluster.put(`k${n % 40}`, `value ${n}`).outcome).toBe('applied')
    const installing = (from: number) =>
      cluster.events
        .slice(from)
        .some(({ nodeId, event }) => nodeId === away && event.type === 'snapshotInstalling')
    const before = cluster.events.length
    cluster.restart(away)
    cluster.until(() => installing(before))
    cluster.losePower(away)
    cluster.run(50)
    cluster.restart(away)
    const end = cluster.awaitLeader().state?.log.lastIndex
    cluster.until(() => cluster.node(away).state?.log.lastApplied === end)
    expect(cluster.node(away).hash()).toBe(cluster.node(leader).hash())
    expect(cluster.node(away).state?.log.firstIndex).toBeGreaterThan(1)
  },
)

test('the log stays within its bound however much is written', () => {
  const cluster = new SimulatedCluster({ bounds: { logBytesMax: 16_384, trailingBytes: 4096 } })
  for (let n = 0; n < 1000; n++) cluster.put(`k${n % 10}`, `${n} `.repeat(25))
  for (const { state } of cluster.nodes) {
    expect(state?.log.weightAfter(state.log.base.index)).toBeLessThan(3 * 16_384)
  }
})

test('a deposed leader tells truthfully what became of its commands', () => {
  const cluster = new SimulatedCluster()
  const old = cluster.awaitLeader().id
  cluster.partition([old], othersThan(cluster, old))
  const outcomes: Outcome[] = []
  for (let n = 0; n < 5; n++)
    cluster.send(
      old,
      'propose',
      [encode(writePut, 'pending', `${n}`)],
      (outcome) => outcomes.push(outcome),
      60_000,
    )
  cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== old)
  for (let n = 0; n < 10; n++) cluster.put(`k${n}`, 'v')
  cluster.healLinks()
  cluster.until(() => outcomes.length === 5)
  expect(outcomes.map((outcome) => outcome.outcome === 'refused' && outcome.code)).toEqual(
    Array(5).fill('replaced'),
  )
})
