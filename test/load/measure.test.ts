/** Each figure of a measurement, of a cluster and on a clock of which the test says what happens. */
import { EventEmitter } from 'node:events'
import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Cluster, type ClusterEvent, type ClusterEvents, RaftError } from '../../src/cluster/index.js'
import { type Measured, type MeasureOptions, measureCluster } from '../../src/load/measure.js'
import type { Phase } from '../../src/load/phases.js'
import type { MeasureClock } from '../../src/load/window.js'
import { LatencyHistogram } from '../../src/telemetry/index.js'
import { nextEvent, startedCluster } from '../cluster/support.js'

const options: MeasureOptions = {
  nodes: 3,
  clients: 2,
  size: 64,
  batch: 4,
  warmUpSeconds: 2,
  seconds: 5,
  durability: 'flush',
  threads: 'on',
  reads: 'lease',
  readsFrom: 'leader',
  records: 0,
}

const clock: MeasureClock = {
  now: () => Date.now(),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    now: 0,
  })
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** When the first put is answered, which the warm-up waits for; the window begins `warmUpSeconds` later. */
const firstAnswerMs = 20
const windowMs = firstAnswerMs + options.warmUpSeconds * 1000

/** A cluster that answers as the test says, and counts what the test lets happen. */
class ScriptedCluster {
  readonly events: ClusterEvents = new EventEmitter()
  readonly options = { reads: 'readIndex' }
  readonly nodes = [1, 2, 3].map((nodeId) => ({
    nodeId,
    elections: nodeId,
    flushes: 100 * nodeId,
    bytesFlushed: 10_000,
    messagesSent: 500,
    heartbeatsReceived: 40,
    heartbeatsMissed: 5,
  }))
  readonly #answer: () => Promise<unknown>
  #lateness = new LatencyHistogram()

  constructor(answer: () => Promise<unknown>) {
    this.#answer = answer
  }

  put = () => this.#answer()
  propose = () => this.#answer()
  status = () => this.nodes.map((node) => ({ ...node }))

  async takeHeartbeatLateness() {
    const taken = this.#lateness
    this.#lateness = new LatencyHistogram()
    return taken
  }

  campaign(nodeId: number): void {
    this.nodes[nodeId - 1]!.elections++
    this.events.emit('event', { type: 'role', role: 'candidate', nodeId } as unknown as ClusterEvent)
  }

  work(amount: number): void {
    for (const node of this.nodes) {
      node.flushes += amount
      node.bytesFlushed += 1000 * amount
      node.messagesSent += 2 * amount
      node.heartbeatsMissed += amount / 100
    }
  }

  heartbeats(count: number, lateMs: number): void {
    this.nodes[1]!.heartbeatsReceived += count
    for (let seen = 0; seen < count; seen++) this.#lateness.record(lateMs * 1000, 1)
  }
}

/** Runs a measurement to its end; each part of the script happens so many milliseconds after the start. */
async function measured(
  cluster: ScriptedCluster,
  script: readonly (readonly [atMs: number, happens: () => void])[],
  changes: Partial<MeasureOptions> = {},
): Promise<Measured & { readonly told: readonly Phase[] }> {
  for (const [atMs, happens] of script) setTimeout(happens, atMs)
  const told: Phase[] = []
  const never = new AbortController().signal
  const all = { ...options, ...changes }
  const tell = (phase: Phase) => void told.push(phase)
  const result = measureCluster(cluster as unknown as Cluster, clock, all, never, tell)
  // A little longer than the window of a slower first answer.
  await vi.advanceTimersByTimeAsync(windowMs + options.seconds * 1000 + 100)
  return { ...(await result), told }
}

const answerAfter = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
/** 20 ms each until shortly before the window, and 7 ms from then on. */
const slowAtFirst = () => answerAfter(Date.now() < windowMs - 20 ? firstAnswerMs : 7)
/** Histograms keep three digits. */
const about = (ms: number): unknown => expect.closeTo(ms, 1)

test('calls and commands are those of the window, and none of the warm-up', async () => {
  const { summary, latencies, timeline, told } = await measured(new ScriptedCluster(slowAtFirst), [])
  // Answers come at 2021, 2028, … 7019 ms, to two clients.
  const calls = 715 * 2
  expect(summary).toMatchObject({
    commits: calls * 4,
    commitsPerSecond: (calls * 4) / 5,
    callsPerSecond: calls / 5,
    p50ms: about(7),
    p99ms: about(7),
    p999ms: about(7),
    maxMs: about(7),
    operations: { put: { count: calls, p50ms: about(7), maxMs: about(7) } },
    seconds: 5,
    unanswered: null,
    notApplied: 0,
    unknown: 0,
  })
  expect(latencies.get('put')?.count).toBe(calls)
  expect(timeline.map(({ second }) => second)).toEqual([0, 1, 2, 3, 4])
  expect(timeline.reduce((sum, { commitsPerSecond }) => sum + commitsPerSecond, 0)).toBe(calls * 4)
  for (const { p99ms } of timeline) expect(p99ms).toEqual(about(7))
  expect(told.map(({ name, secondsLeft }) => `${name} ${secondsLeft}`)).toEqual([
    'warm-up 1',
    'warm-up 0',
    'measure 4',
    'measure 3',
    'measure 2',
    'measure 1',
    'measure 0',
  ])
  // Two clients of 20 ms with four commands a call.
  expect(told[1]).toMatchObject({ commandsPerSecond: 400, callsPerSecond: 100 })
})

test('percentiles tell the slow calls from the others', async () => {
  let calls = 0
  // One call in 50 takes 30 ms, one in 400 takes 90 ms, and one of all takes 200 ms.
  const cluster = new ScriptedCluster(() => {
    calls++
    if (calls === 3001) return answerAfter(200)
    return answerAfter(calls % 400 === 0 ? 90 : calls % 50 === 0 ? 30 : 2)
  })
  const { summary } = await measured(cluster, [])
  expect(summary).toMatchObject({
    p50ms: about(2),
    p99ms: about(30),
    p999ms: about(90),
    maxMs: expect.closeTo(200, 0),
  })
})

test('counters are told as what the window added, over all nodes', async () => {
  const cluster = new ScriptedCluster(slowAtFirst)
  const { summary, timeline } = await measured(cluster, [
    [500, () => cluster.campaign(1)],
    [600, () => cluster.work(10_000)],
    [windowMs + 1500, () => cluster.campaign(2)],
    [windowMs + 2000.5, () => cluster.work(5720)],
    [windowMs + 3200, () => cluster.campaign(3)],
    [windowMs + 3300, () => cluster.campaign(1)],
  ])
  expect(summary).toMatchObject({
    elections: 3,
    flushesPerCommit: 3,
    messagesPerCommit: 6,
    bytesFlushed: 3 * 5_720_000,
  })
  expect(summary.heartbeatsMissed).toBeCloseTo(3 * 57.2)
  expect(timeline.map(({ elections }) => elections)).toEqual([0, 1, 0, 2, 0])
})

test('heartbeats are those of the window, and the lateness of one in a thousand is told', async () => {
  const cluster = new ScriptedCluster(slowAtFirst)
  const { summary, lateness } = await measured(cluster, [
    [500, () => cluster.heartbeats(700, 900)],
    [windowMs + 1000, () => cluster.heartbeats(995, 3)],
    [windowMs + 2000, () => cluster.heartbeats(5, 40)],
  ])
  expect(summary).toMatchObject({ heartbeats: 1000, heartbeatLateP999ms: about(40) })
  expect(lateness.percentile(50) / 1000).toEqual(about(3))
  expect((await measured(new ScriptedCluster(slowAtFirst), [])).summary.heartbeatLateP999ms).toBeNull()
})

test('calls that failed in the window are told by what is known of them, and are no commits', async () => {
  let code: 'NO_LEADER' | 'UNKNOWN_OUTCOME' | undefined
  const cluster = new ScriptedCluster(() => {
    const failing = code
    code = undefined
    return failing === undefined ? slowAtFirst() : Promise.reject(new RaftError(failing))
  })
  const fail = (next: typeof code) => () => {
    code = next
  }
  const { summary } = await measured(cluster, [
    [500, fail('NO_LEADER')],
    [1000, fail('UNKNOWN_OUTCOME')],
    [windowMs + 500, fail('NO_LEADER')],
    [windowMs + 1000, fail('UNKNOWN_OUTCOME')],
    [windowMs + 1500, fail('UNKNOWN_OUTCOME')],
  ])
  expect(summary).toMatchObject({ notApplied: 1, unknown: 2 })
  expect(summary.commits).toBe(summary.operations.put!.count * 4)
})

test('in an open loop, calls that were due and not answered are told', async () => {
  const changes = { rate: 100, arrivals: 'even', clients: 1000, batch: 1 } as const
  const cluster = new ScriptedCluster(() => answerAfter(35))
  const { summary } = await measured(cluster, [], changes)
  // Every 10 ms one is due, and the last 35 ms of them are on their way.
  expect(summary).toMatchObject({ rate: 100, p50ms: about(35), unanswered: 4 })
  // One is due at either end of the window.
  expect(summary.commits + 4).toBe(5 * 100 + 1)
})

test('without a commit there is nothing that each of them took', async () => {
  let calls = 0
  const cluster = new ScriptedCluster(() => answerAfter(++calls === 1 ? firstAnswerMs : 60_000))
  const { summary } = await measured(cluster, [])
  expect(summary).toMatchObject({ commits: 0, flushesPerCommit: null, messagesPerCommit: null })
})

test('a measurement carries its settings and how busy the machine was', async () => {
  vi.spyOn(process, 'cpuUsage')
    .mockReturnValueOnce({ user: 1_000_000, system: 500_000 })
    .mockReturnValueOnce({ user: 6_000_000, system: 3_000_000 })
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation((now, before) => ({
    idle: 0,
    active: 0,
    utilization: now === undefined ? 1 : before === undefined ? 0.9 : 0.25,
  }))
  const { summary } = await measured(new ScriptedCluster(slowAtFirst), [])
  expect(summary).toMatchObject({ coresBusy: 1.5, clientThreadBusy: 0.25, node: process.version })
  const { nodes, clients, size, batch, durability, threads } = options
  // Reads are confirmed as the cluster does it, and not as it was asked.
  expect(summary).toMatchObject({ nodes, clients, size, batch, durability, threads, reads: 'readIndex' })
  expect(summary).toMatchObject({ workload: null, records: null, rate: null })
})

test('an election within the window is told by the card, the counter and the time line alike', async () => {
  vi.useRealTimers()
  const cluster = await startedCluster({ nodes: 3, durability: 'flush' })
  const sum = () => cluster.status().reduce((total, { elections }) => total + elections, 0)
  const counted: number[] = []
  let waits = 0
  const scripted: MeasureClock = {
    now: () => performance.now(),
    wait: async () => {
      waits++
      // The first is the warm-up.
      if (waits === 1) return
      counted.push(sum())
      const elected = nextEvent(cluster, (event) => event.type === 'role' && event.role === 'leader')
      await cluster.kill('leader')
      await elected
      counted.push(sum())
    },
  }
  const never = new AbortController().signal
  const { summary, timeline } = await measureCluster(cluster, scripted, options, never, () => undefined)
  const [before = 0, after = 0] = counted
  expect(summary.elections).toBeGreaterThan(0)
  expect(summary.elections).toBe(after - before)
  expect(timeline.reduce((total, { elections }) => total + elections, 0)).toBe(summary.elections)
})

test('a time line ends with its window, also when a node fails within it', async () => {
  const cluster = new ScriptedCluster(slowAtFirst)
  const breaking: MeasureClock = {
    now: clock.now,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        setTimeout(resolve, ms)
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  }
  const never = new AbortController().signal
  const result = measureCluster(cluster as unknown as Cluster, breaking, options, never, () => undefined)
  const failed = expect(result).rejects.toThrow('node 1 failed: its disk is gone')
  await vi.advanceTimersByTimeAsync(windowMs + 500)
  const listening = cluster.events.listenerCount('event')
  const failure = { type: 'failed', nodeId: 1, why: 'its disk is gone' }
  cluster.events.emit('event', failure as unknown as ClusterEvent)
  await failed
  expect(cluster.events.listenerCount('event')).toBe(listening - 1)
})
