/** The story of a cluster on threads: in one order, with causes. */
import { expect, onTestFinished, test } from 'vitest'
import type { Cluster } from '../../src/cluster/index.js'
import { type Happened, stages } from '../../src/telemetry/index.js'
import { convergedHashes, nextEvent, startedCluster } from './support.js'

/** A happening, its cause, the cause of that, and so on. */
function chainOf(happened: readonly Happened[], last: Happened | undefined): Happened[] {
  const bySequence = new Map(happened.map((each) => [each.sequence, each]))
  const chain: Happened[] = []
  for (let each = last; each !== undefined; each = bySequence.get(each.cause ?? 0)) chain.push(each)
  return chain
}

async function newLeader(cluster: Cluster): Promise<Happened> {
  return nextEvent(cluster, (event) => event.type === 'role' && event.role === 'leader')
}

test('[HP2] an election on threads can be followed back to the kill that led to it', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  await cluster.put('a', '1')
  const elected = newLeader(cluster)
  const killed = await cluster.kill('leader')
  const leader = await elected
  const chain = chainOf(cluster.story().happened, leader)
  const begins = chain.findIndex(({ type }) => type === 'killed')
  expect(chain.slice(0, begins + 1).map((each) => (each.type === 'role' ? each.role : each.type))).toEqual([
    ...['leader', 'voteAnswered', 'candidate', 'voteAnswered', 'preCandidate', 'heartbeatMissed', 'killed'],
  ])
  expect(chain[begins]).toMatchObject({ nodeId: killed })
  expect(chain[1], 'the other node that is left voted').not.toMatchObject({ nodeId: leader.nodeId })
})

test('[EV5] listeners hear all that the story tells, once, in the order of sequence numbers', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  const heard: Happened[] = []
  cluster.events.on('event', (event) => heard.push(event))
  await cluster.put('a', '1')
  const elected = newLeader(cluster)
  const killed = await cluster.kill('leader')
  await elected
  await cluster.restart(killed)
  await convergedHashes(cluster)
  const { happened } = cluster.story()
  await new Promise(setImmediate)
  expect(heard.slice(0, happened.length)).toEqual(happened)
  expect(happened.map(({ sequence }) => sequence)).toEqual(happened.map((_, at) => at + 1))
  for (const { sequence, cause } of happened) expect(cause ?? 0).toBeLessThan(sequence)
})

test('[EV6] a listener that comes right after the start hears that each node started', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  const started = new Set<number>()
  await nextEvent(cluster, ({ type, nodeId }) => type === 'started' && started.add(nodeId).size === 3)
  const starts = cluster.story().happened.filter(({ type }) => type === 'started')
  const membership = { voters: [1, 2, 3], votersOutgoing: [], learners: [] }
  const configuration = { index: 0, membership }
  expect(starts).toMatchObject([{ configuration }, { configuration }, { configuration }])
})

test('[EV7] what a node told is there after its thread has ended, and after the close', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  await cluster.put('a', '1')
  const killed = await cluster.kill('leader')
  const led = ({ happened }: ReturnType<Cluster['story']>) =>
    happened.some((each) => each.type === 'role' && each.role === 'leader' && each.nodeId === killed)
  expect(led(cluster.story())).toBe(true)
  await cluster.close()
  expect(led(cluster.story())).toBe(true)
  expect(cluster.story().passed.some(({ nodeId }) => nodeId === killed)).toBe(true)
})

test('[WM1] one command passes its stages on three nodes, in order', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  await cluster.put('a', '1')
  const { index } = await cluster.put('b', '2')
  const [leaderId = 0] = [cluster.leaderId]
  const followers = [1, 2, 3].filter((nodeId) => nodeId !== leaderId)
  /** When a node had passed the stage with this command; `undefined` while it has not. */
  const at = (nodeId: number, stage: string, peer?: number): number | undefined =>
    cluster
      .story()
      .passed.find(
        (each) =>
          each.nodeId === nodeId &&
          each.stage === stage &&
          each.index >= index &&
          (peer === undefined || each.peer === peer),
      )?.atMs
  const ways = followers.map((follower) => () => [
    ...[at(leaderId, 'appended'), at(leaderId, 'sent', follower), at(follower, 'received', leaderId)],
    ...[at(follower, 'flushed'), at(leaderId, 'acknowledged', follower)],
  ])
  const ends = followers.map((follower) => () => [at(follower, 'committed'), at(follower, 'applied')])
  const own = () => ['appended', 'committed', 'applied', 'answered'].map((stage) => at(leaderId, stage))
  for (const way of [...ways, ...ends, own]) {
    while (way().includes(undefined)) await new Promise(setImmediate)
    expect(way()).toEqual(way().sort((a = 0, b = 0) => a - b))
  }
  const firstAck = Math.min(...followers.map((follower) => at(leaderId, 'acknowledged', follower) ?? 0))
  expect(at(leaderId, 'committed')).toBeGreaterThanOrEqual(firstAck)
  expect(new Set(cluster.story().passed.map(({ stage }) => stage))).toEqual(new Set(stages))
})

test('[WM2] each message that was received was sent before, with the same type, term and mark', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  let { carried } = cluster.story()
  // Quick puts are over before the first heartbeat.
  while (!carried.some(({ type, direction }) => type === 'heartbeat' && direction === 'received')) {
    await cluster.put('a', 'b')
    carried = cluster.story().carried
  }
  const keyOf = ({ type, term, mark, isYes }: (typeof carried)[number], from: number, to: number) =>
    `${from} ${to} ${type} ${term} ${mark} ${isYes}`
  const received = carried.filter(({ direction }) => direction === 'received')
  const types = new Set(received.map(({ type }) => type))
  for (const type of [
    'preVote',
    'requestVoteResponse',
    'heartbeat',
    'appendEntries',
    'appendEntriesResponse',
  ])
    expect(types).toContain(type)
  /** When each message was sent first, since votes are asked for again. */
  const sendings = () =>
    new Map(
      cluster
        .story()
        .carried.filter(({ direction }) => direction === 'sent')
        .map((each) => [keyOf(each, each.nodeId, each.peer), each.atMs] as const)
        .reverse(),
    )
  let sent = sendings()
  // The memory of a sender may have been read before that of a receiver.
  while (received.some((each) => !sent.has(keyOf(each, each.peer, each.nodeId)))) {
    await new Promise(setImmediate)
    sent = sendings()
  }
  for (const each of received)
    expect(sent.get(keyOf(each, each.peer, each.nodeId))).toBeLessThanOrEqual(each.atMs)
})

test('[WN3] a program that blocks its event loop is told of it as an event, and warned once', async () => {
  const warned: string[] = []
  const listener = ({ name, message }: Error) => {
    if (name === 'RaftboxWarning' && message.includes('event loop')) warned.push(message)
  }
  process.on('warning', listener)
  onTestFinished(() => void process.off('warning', listener))
  const cluster = await startedCluster({ heartbeatIntervalMs: 20 })
  for (let times = 0; times < 2; times++) {
    const blocked = nextEvent(cluster, (event) => event.type === 'hostBlocked' && event.forMs > 100)
    const untilMs = performance.now() + 200
    while (performance.now() < untilMs);
    expect(await blocked).toMatchObject({ nodeId: 0 })
  }
  expect(warned.length).toBe(1)
})

test('[WN1] a cluster of two warns its program as it starts', async () => {
  const warning = new Promise<Error>((resolve) => {
    const listener = (given: Error) => {
      if (given.message.startsWith('two nodes')) resolve(given)
    }
    process.on('warning', listener)
    onTestFinished(() => void process.off('warning', listener))
  })
  await startedCluster({ nodes: 2 })
  expect(await warning).toMatchObject({ name: 'RaftboxWarning' })
})
