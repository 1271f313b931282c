import { expect, onTestFinished, test, vi } from 'vitest'
import type { Cluster } from '../../src/cluster/index.js'
import { type Frame, type NodeFrame, Observer } from '../../src/observer/index.js'
import { startedCluster } from '../cluster/support.js'

function observed(cluster: Cluster): Observer {
  const observer = new Observer(cluster)
  onTestFinished(() => observer.close())
  return observer
}

/** The next frame that fits. */
function frameThat(observer: Observer, fits: (frame: Frame) => boolean): Promise<Frame> {
  return new Promise((resolve) => {
    const end = observer.watch((frame) => {
      if (!fits(frame)) return
      end()
      resolve(frame)
    })
  })
}

const leaderOf = ({ nodes }: Frame): NodeFrame | undefined =>
  nodes.find(({ role, state }) => role === 'leader' && state === 'running')

test('a frame shows the leader with its lease and its followers, and their timers', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  const observer = observed(cluster)
  await cluster.put('a', '1')
  const frame = await frameThat(observer, (each) => {
    const leader = leaderOf(each)
    return leader?.isLeaseHeld === true && leader.progress.every(({ matchIndex }) => matchIndex >= 2)
  })
  const leader = leaderOf(frame)
  const followers = frame.nodes.filter((node) => node !== leader)
  expect(frame.leaderId).toBe(leader?.nodeId)
  expect(leader).toMatchObject({
    electionLeftMs: undefined,
    terms: [{ firstIndex: 1, term: leader?.currentTerm }],
  })
  expect(leader?.progress.map(({ nodeId }) => nodeId).sort()).toEqual(followers.map(({ nodeId }) => nodeId))
  for (const { electionLeftMs, electionTimeoutMs } of followers) {
    expect(electionLeftMs).toBeGreaterThanOrEqual(0)
    expect(electionLeftMs).toBeLessThanOrEqual(electionTimeoutMs)
    expect(electionTimeoutMs).toBeGreaterThanOrEqual(observer.head.electionTimeoutMs)
  }
})

test('heartbeats are seen to leave and to arrive', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  const observer = observed(cluster)
  const left = new Map<number, number>()
  await frameThat(observer, ({ messages, arrivals }) => {
    for (const { id, type, sentAtMs } of messages) if (type === 'heartbeat') left.set(id, sentAtMs)
    return arrivals.some(({ id, atMs }) => atMs >= (left.get(id) ?? Number.POSITIVE_INFINITY))
  })
})

test('calls, faults and the state of each node are seen as they are', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  const observer = observed(cluster)
  await frameThat(observer, ({ leaderId }) => leaderId !== undefined)
  await cluster.put('a', '1')
  const { calls, nodes } = await frameThat(observer, ({ calls }) => calls.count > 0)
  // The session of the client was committed as well.
  expect(nodes.find(({ role }) => role === 'leader')).toMatchObject({ commandsApplied: 1 })
  expect(calls).toMatchObject({ count: 1, failed: 0 })
  expect(calls.p99us).toBeGreaterThan(0)
  await cluster.pause(2)
  await cluster.kill(3)
  await cluster.cut(1, 2, { forMs: 60_000 })
  const frame = await frameThat(
    observer,
    ({ nodes }) => nodes[1]?.state === 'paused' && nodes[2]?.state === 'stopped',
  )
  expect(frame.nodes[1]).toMatchObject({ electionLeftMs: undefined, votes: [], progress: [] })
  expect(frame.faults.map(({ line }) => line)).toEqual(['pause 2', 'kill 3', 'cut 1-2 for 60s'])
  const [, , cut] = frame.faults
  expect((cut?.untilMs ?? 0) - (cut?.sinceMs ?? 0)).toBe(60_000)
})

test('frames come for as long as somebody watches, each number once', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  const observer = observed(cluster)
  const numbers: number[] = []
  const end = observer.watch(({ number }) => numbers.push(number))
  await frameThat(observer, () => numbers.length >= 4)
  end()
  const watched = numbers.length
  await frameThat(observer, () => true)
  expect(numbers).toHaveLength(watched)
  expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at))
  expect(observer.frames.map(({ number }) => number)).toEqual(observer.frames.map((_, at) => at + 1))
})

test('an observer that was closed looks no more, whoever watches it', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let looks = 0
  const cluster = {
    ...{ options: { heartbeatIntervalMs: 50, electionTimeoutMs: 500 }, dir: '', faults: [] },
    messages: () => ({ take: () => ({ carried: [], rowsLost: 0, leftOut: { sent: 0, received: 0 } }) }),
    status: () => [],
    story: () => ({ happened: [], passed: [], carried: [] }),
    look() {
      looks++
      return { nodes: [], calls: { failed: new Map() } }
    },
  } as unknown as Cluster
  const observer = new Observer(cluster)
  observer.watch(() => undefined)
  vi.advanceTimersByTime(1000)
  expect(looks).toBeGreaterThan(5)
  observer.close()
  const before = looks
  observer.watch(() => undefined)
  vi.advanceTimersByTime(10_000)
  expect(looks).toBe(before)
  expect(observer.frames.length).toBe(before)
})

test('an observer keeps no process alive', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  observed(cluster).watch(() => undefined)
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout')
  const before = timers.length
  observed(cluster).watch(() => undefined)
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before)
})
