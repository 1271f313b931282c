/**
 * Each fault in virtual time does what it says, its undo undoes it, and with it standing the promises hold: the checkers
 * watch every step, and `run` and `until` throw what they find.
 */
import { describe, expect, test } from 'vitest'
import { bothWays, type Endpoint, type Fault, type Way } from '../../src/faults/index.js'
import { encode, writePut } from '../../src/machine/index.js'
import type { NodeId } from '../../src/raft/index.js'
import { type Outcome, SimulatedCluster } from '../../src/sim/index.js'
import { converge, elections, logOf, others, proposeTo, valueIn, Writers } from './support.js'

/** A cluster that is led, its leader and its followers. */
function led(options: ConstructorParameters<typeof SimulatedCluster>[0] = {}) {
  const cluster = new SimulatedCluster(options)
  const leader = cluster.awaitLeader()
  converge(cluster)
  return { cluster, leader, followers: others(cluster, leader.id) as [NodeId, NodeId, ...NodeId[]] }
}

const waysFrom = (from: Endpoint, to: readonly Endpoint[]): Way[] => to.map((each) => ({ from, to: each }))
const linksOf = (one: Endpoint, ends: readonly Endpoint[]) => ends.flatMap((end) => bothWays(one, end))

let puts = 0

/** Puts a value that no other is equal to. */
function put(cluster: SimulatedCluster, bytes = 1): Outcome {
  return cluster.put('k', `${++puts}`.padEnd(bytes, '.'))
}

/** Milliseconds until a put of so many bytes is answered. */
function putMs(cluster: SimulatedCluster, bytes = 1): number {
  const startMs = cluster.nowMs
  expect(put(cluster, bytes)).toMatchObject({ outcome: 'applied' })
  return cluster.nowMs - startMs
}

/** Nothing that is usual takes so long. */
const quickMs = 20

describe('links', () => {
  test('a cut in one direction loses what goes there, and nothing of what comes back', () => {
    const { cluster, leader, followers } = led()
    const [deaf] = followers
    const cut = cluster.cut(leader.id, deaf, { direction: 'to' })
    const before = logOf(cluster.node(deaf)).lastIndex
    const heardBefore = cluster.world.counts.cutOff
    cluster.put('k', 'v')
    cluster.run(100)
    expect(logOf(cluster.node(deaf)).lastIndex).toBe(before)
    expect(cluster.world.counts.cutOff).toBeGreaterThan(heardBefore)
    void cut.heal()
    converge(cluster)
    expect(logOf(cluster.node(deaf)).lastIndex).toBeGreaterThan(before)
    expect(cluster.faults.standing).toEqual([])
  })

  test('a delay takes as long as it says, and ends at once when it is healed', () => {
    const { cluster, leader, followers } = led()
    const delay = cluster.faults.begin({
      type: 'delay',
      ways: waysFrom(leader.id, followers),
      delayMs: 80,
      jitterMs: 0,
    })
    expect(putMs(cluster)).toBeGreaterThanOrEqual(80)
    expect(putMs(cluster)).toBeLessThan(80 + quickMs)
    const late = proposeTo(cluster, leader.id, 'k', 'late')
    cluster.run(20)
    expect(late.outcome).toBeUndefined()
    void delay.heal()
    cluster.run(quickMs)
    expect(late.outcome).toMatchObject({ outcome: 'applied' })
    expect(putMs(cluster)).toBeLessThan(quickMs)
    expect(cluster.world.counts.delayed).toBeGreaterThan(0)
  })

  test('a message that a later cut loses on its way is counted, and has a line in the trace', () => {
    const lines: string[] = []
    const { cluster, leader, followers } = led({ trace: (line) => lines.push(line) })
    const [deaf] = followers
    const ways = waysFrom(leader.id, [deaf])
    cluster.faults.begin({ type: 'delay', ways, delayMs: 1000, jitterMs: 0 })
    cluster.put('k', 'v')
    cluster.run(quickMs)
    const { counts } = cluster.world
    const [cutBefore, linesBefore] = [counts.cutOff, lines.length]
    cluster.faults.begin({ type: 'kill', nodes: [leader.id] })
    cluster.faults.begin({ type: 'cut', ways })
    cluster.run(1000)
    const lost = lines.slice(linesBefore).filter((line) => line.includes('✗ a fault of its link'))
    expect(lost.length).toBeGreaterThan(0)
    expect(counts.cutOff - cutBefore).toBe(lost.length)
  })

  test('a message that finds no room on a slow link is counted, and has a line in the trace', () => {
    const lines: string[] = []
    const { cluster, leader, followers } = led({ trace: (line) => lines.push(line) })
    const ways = waysFrom(leader.id, followers.slice(0, 1))
    cluster.faults.begin({ type: 'delay', ways, delayMs: 1e6, jitterMs: 0 })
    cluster.run(60_000)
    const lost = lines.filter((line) => line.includes('✗ a fault of its link'))
    expect(lost.length).toBeGreaterThan(0)
    expect(cluster.world.counts.overflowed).toBe(lost.length)
  })

  test('a delay that is healed leaves nothing of its effect while another one stands', () => {
    const { cluster, leader, followers } = led()
    const ways = linksOf(leader.id, followers)
    const delayOf = (delayMs: number) =>
      cluster.faults.begin({ type: 'delay', ways, delayMs, jitterMs: 0, messages: 'appendEntries' })
    const long = delayOf(30_000)
    delayOf(40)
    const late = proposeTo(cluster, leader.id, 'k', 'late')
    cluster.run(10)
    void long.heal()
    cluster.run(20)
    expect(late.outcome).toBeUndefined()
    cluster.run(10 + quickMs)
    expect(late.outcome).toMatchObject({ outcome: 'applied' })
    expect(putMs(cluster)).toBeGreaterThanOrEqual(40)
    expect(putMs(cluster)).toBeLessThan(40 + quickMs)
  })

  test('messages that a delay held back do not pass a cut that stands when they arrive', () => {
    for (const isHealed of [false, true]) {
      const { cluster, leader, followers } = led()
      const [deaf] = followers
      const ways = waysFrom(leader.id, [deaf])
      const delay = cluster.faults.begin({ type: 'delay', ways, delayMs: 30, jitterMs: 0 })
      const { lastIndex } = logOf(cluster.node(deaf))
      cluster.put('k', 'v')
      cluster.faults.begin({ type: 'cut', ways })
      if (isHealed) void delay.heal()
      cluster.run(60)
      expect(logOf(cluster.node(deaf)).lastIndex).toBe(lastIndex)
    }
  })

  test('drop of one kind of message loses that kind only', () => {
    const { cluster, leader, followers } = led()
    const ways = followers.flatMap((from) => waysFrom(from, [leader.id]))
    const drop = cluster.faults.begin({ type: 'drop', ways, share: 1, messages: 'appendEntriesResponse' })
    const put = proposeTo(cluster, leader.id, 'k', 'v')
    cluster.run(50)
    expect(put.outcome).toBeUndefined()
    expect(logOf(cluster.node(followers[0])).lastIndex).toBe(logOf(leader).lastIndex)
    void drop.heal()
    cluster.until(() => put.outcome !== undefined)
    expect(put.outcome).toMatchObject({ outcome: 'applied' })
    expect(cluster.world.counts.dropped).toBeGreaterThan(0)
  })

  test('with all messages twice every command is applied once', () => {
    const { cluster, leader, followers } = led()
    const begun = cluster.faults.begin({ type: 'duplicate', ways: linksOf(leader.id, followers), share: 1 })
    const writers = new Writers(cluster, 3)
    cluster.run(500)
    writers.stop()
    void begun.heal()
    converge(cluster)
    const { duplicated } = cluster.world.counts
    expect(duplicated).toBeGreaterThan(500)
    cluster.run(100)
    expect(writers.acknowledged).toBeGreaterThan(100)
    expect(cluster.world.checker.model.revision).toBe(cluster.world.counts.applied)
    expect(cluster.world.counts.duplicated).toBe(duplicated)
  })

  test('with messages that overtake others all goes on', () => {
    const { cluster, leader, followers } = led()
    const begun = cluster.faults.begin({ type: 'reorder', ways: linksOf(leader.id, followers), share: 0.3 })
    const writers = new Writers(cluster, 3)
    cluster.run(1000)
    expect(cluster.world.counts.overtaken).toBeGreaterThan(100)
    void begun.heal()
    const before = cluster.world.counts.overtaken
    cluster.run(200)
    writers.stop()
    converge(cluster)
    expect(cluster.world.counts.overtaken).toBe(before)
    expect(writers.acknowledged).toBeGreaterThan(100)
  })

  test('a throttle lets so many bytes pass in a second, and what waits passes at once when it is healed', () => {
    const { cluster, leader, followers } = led()
    const ways = waysFrom(leader.id, followers)
    const throttle = cluster.faults.begin({ type: 'throttle', ways, bytesPerSecond: 40_000 })
    expect(putMs(cluster, 4000)).toBeGreaterThan(100)
    const late = proposeTo(cluster, leader.id, 'k', '.'.repeat(4000))
    cluster.run(20)
    expect(late.outcome).toBeUndefined()
    void throttle.heal()
    cluster.run(quickMs)
    expect(late.outcome).toMatchObject({ outcome: 'applied' })
    expect(putMs(cluster, 4000)).toBeLessThan(quickMs)
  })

  test('a partition parts its groups, and a node of no group hears everybody', () => {
    const { cluster, leader, followers } = led({ nodes: 5 })
    const [a, b, c, bridge] = followers as unknown as [NodeId, NodeId, NodeId, NodeId]
    const partition = cluster.partition([leader.id, a], [b, c])
    cluster.put('k', 'v')
    cluster.run(100)
    const { lastIndex } = logOf(leader)
    expect(logOf(cluster.node(bridge)).lastIndex).toBe(lastIndex)
    expect(logOf(cluster.node(b)).lastIndex).toBeLessThan(lastIndex)
    void partition.heal()
    converge(cluster)
    expect(logOf(cluster.node(b)).lastIndex).toBe(logOf(leader).lastIndex)
  })

  test('a node that is isolated still hears its clients', () => {
    const { cluster, leader } = led()
    const isolated = cluster.faults.begin({ type: 'isolate', nodes: [leader.id] })
    const put = proposeTo(cluster, leader.id, 'k', 'alone')
    cluster.until(() => logOf(leader).lastIndex > logOf(leader).commitIndex)
    expect(put.outcome).toBeUndefined()
    cluster.until(() => cluster.leader !== undefined && cluster.leader.id !== leader.id)
    void isolated.heal()
    cluster.until(() => put.outcome !== undefined)
    expect(put.outcome).toMatchObject({ outcome: 'refused', code: 'replaced' })
  })
})

describe('the side of the clients', () => {
  test('a leader that its clients do not reach goes on to lead', () => {
    const { cluster, leader } = led()
    const sinceMs = cluster.nowMs
    const cut = cluster.faults.begin({ type: 'cut', ways: waysFrom('clients', [leader.id]) })
    const { lastIndex } = logOf(leader)
    expect(cluster.put('k', 'v', leader.id)).toMatchObject({ outcome: 'unknown' })
    expect(logOf(leader).lastIndex).toBe(lastIndex)
    expect(elections(cluster, sinceMs)).toBe(0)
    expect(cluster.world.counts.clientsCutOff).toBe(1)
    void cut.heal()
    expect(putMs(cluster)).toBeLessThan(quickMs)
  })

  test('an answer that is lost leaves its command applied, and unknown to its caller', () => {
    const { cluster, leader } = led()
    const cut = cluster.faults.begin({ type: 'cut', ways: waysFrom(leader.id, ['clients']) })
    expect(cluster.put('k', 'v', leader.id)).toMatchObject({ outcome: 'unknown' })
    void cut.heal()
    expect(valueIn(cluster.get('k'))).toBe('v')
  })

  test('a delay takes its time on the way there and back', () => {
    const { cluster, leader } = led()
    const ways = linksOf('clients', [leader.id])
    const delay = cluster.faults.begin({ type: 'delay', ways, delayMs: 50, jitterMs: 10 })
    const tookMs = putMs(cluster)
    expect(tookMs).toBeGreaterThanOrEqual(100)
    expect(tookMs).toBeLessThan(120 + quickMs)
    const late = proposeTo(cluster, leader.id, 'k', 'late')
    cluster.run(20)
    // The messages that are held back arrive as the fault is healed.
    void delay.heal()
    cluster.run(quickMs)
    expect(late.outcome).toMatchObject({ outcome: 'applied' })
    expect(putMs(cluster)).toBeLessThan(quickMs)
    expect(cluster.world.counts.clientsDelayed).toBe(3)
  })
})

describe('disks', () => {
  test('each flush of a slow disk takes so much longer, also where it is quick', () => {
    for (const isQuick of [false, true]) {
      const { cluster } = led({ disk: { isQuick } })
      const slow = cluster.faults.begin({ type: 'slowDisk', nodes: cluster.nodeIds, flushMs: 70 })
      expect(putMs(cluster)).toBeGreaterThanOrEqual(70)
      void slow.heal()
      cluster.run(100)
      expect(putMs(cluster)).toBeLessThan(quickMs)
      expect(cluster.world.counts.slowFlushes).toBeGreaterThan(0)
    }
  })

  test('a slow disk that is healed leaves nothing of its effect while another one stands', () => {
    const { cluster, leader } = led()
    const slow = (flushMs: number) =>
      cluster.faults.begin({ type: 'slowDisk', nodes: cluster.nodeIds, flushMs })
    const long = slow(30_000)
    slow(40)
    const late = proposeTo(cluster, leader.id, 'k', 'late')
    cluster.run(20)
    void long.heal()
    cluster.run(20)
    expect(late.outcome).toBeUndefined()
    cluster.run(20 + quickMs)
    expect(late.outcome).toMatchObject({ outcome: 'applied' })
    expect(putMs(cluster)).toBeGreaterThanOrEqual(40)
  })

  test('a flush that a slow disk delays takes no longer when other faults begin and end', () => {
    const { cluster } = led()
    cluster.faults.begin({ type: 'slowDisk', nodes: cluster.nodeIds, flushMs: 70 })
    let cuts = 0
    const cutAgain = (): void => {
      void cluster.faults.begin({ type: 'fullDisk', nodes: cluster.nodeIds, bytesLeft: 1_000_000 }).heal()
      if (++cuts < 10) cluster.world.time.after(20_000, cutAgain)
    }
    cutAgain()
    const tookMs = putMs(cluster)
    expect(cuts).toBeGreaterThan(3)
    expect(tookMs).toBeLessThan(70 + quickMs)
  })

  test('a stalled disk holds back what is written, and then flushes it', () => {
    const { cluster, leader, followers } = led()
    const stall = cluster.faults.begin({ type: 'stallDisk', nodes: followers })
    const put = proposeTo(cluster, leader.id, 'k', 'v')
    cluster.run(50)
    expect(put.outcome).toBeUndefined()
    expect(cluster.world.counts.stalledWrites).toBeGreaterThan(0)
    void stall.heal()
    cluster.until(() => put.outcome !== undefined)
    expect(put.outcome).toMatchObject({ outcome: 'applied' })
  })

  test.each([
    ['failDisk', 'failedDisks', /flush failed/],
    ['fullDisk', 'fullDisks', /disk full/],
  ] as const)('%s stops its node at a flush, and its heal brings the node back', (type, counter, why) => {
    const { cluster, followers } = led()
    const [sick] = followers
    const fault = { type, nodes: [sick], ...(type === 'fullDisk' && { bytesLeft: 3000 }) } as Fault
    const begun = cluster.faults.begin(fault)
    if (type === 'fullDisk') for (let count = 0; count < 10; count++) put(cluster, 100)
    expect(cluster.node(sick).isUp).toBe(true)
    put(cluster, 2000)
    cluster.until(() => !cluster.node(sick).isUp)
    expect(String(cluster.node(sick).error)).toMatch(why)
    expect(cluster.world.counts[counter]).toBe(1)
    cluster.run(1000)
    expect(cluster.node(sick).isUp).toBe(false)
    void begun.heal()
    expect(cluster.node(sick).isUp).toBe(true)
    put(cluster, 4000)
    converge(cluster)
    expect(cluster.node(sick).isUp).toBe(true)
  })

  test('a disk that is filling goes on to fill after its node was killed', () => {
    const { cluster, followers } = led()
    const [sick] = followers
    const begun = cluster.faults.begin({ type: 'fullDisk', nodes: [sick], bytesLeft: 3000 })
    for (let count = 0; count < 10; count++) put(cluster, 100)
    void cluster.faults.begin({ type: 'kill', nodes: [sick] }).heal()
    expect(cluster.node(sick).isUp).toBe(true)
    put(cluster, 2000)
    cluster.until(() => !cluster.node(sick).isUp)
    expect(cluster.world.counts.fullDisks).toBe(1)
    void begun.heal()
    put(cluster, 4000)
    converge(cluster)
  })

  test('of two bounds of one disk each is kept, the less before the other, whichever began first', () => {
    for (const isEarlierLess of [true, false]) {
      const { cluster, followers } = led()
      const [sick] = followers
      const begin = (bytesLeft: number) =>
        cluster.faults.begin({ type: 'fullDisk', nodes: [sick], bytesLeft })
      const [less, more] = isEarlierLess ? [begin(3000), begin(9000)] : [begin(9000), begin(3000)].reverse()
      put(cluster, 5000)
      cluster.until(() => !cluster.node(sick).isUp)
      void less?.heal()
      expect(cluster.node(sick).isUp).toBe(true)
      converge(cluster)
      put(cluster, 5000)
      cluster.until(() => !cluster.node(sick).isUp)
      expect(cluster.world.counts.fullDisks).toBe(2)
      void more?.heal()
      converge(cluster)
    }
  })

  test('a disk fails one flush for each failure: its node goes on under one that has failed it', () => {
    const { cluster, followers } = led()
    const [sick] = followers
    const failsAt = (failures: number): void => {
      put(cluster)
      cluster.until(() => !cluster.node(sick).isUp)
      expect(cluster.world.counts.failedDisks).toBe(failures)
    }
    cluster.failDisk(sick)
    const later = cluster.failDisk(sick)
    failsAt(1)
    void later.heal()
    put(cluster)
    converge(cluster)
    expect(cluster.node(sick).isUp).toBe(true)
    cluster.failDisk(sick)
    failsAt(2)
  })

  test('a disk that was full first still fails a flush afterwards', () => {
    const { cluster, followers } = led()
    const [sick] = followers
    cluster.failDisk(sick)
    const full = cluster.faults.begin({ type: 'fullDisk', nodes: [sick], bytesLeft: 0 })
    put(cluster)
    cluster.until(() => !cluster.node(sick).isUp)
    void full.heal()
    put(cluster)
    cluster.until(() => !cluster.node(sick).isUp)
    expect(cluster.world.counts).toMatchObject({ fullDisks: 1, failedDisks: 1 })
  })

  test('a failure that is healed before a flush never happens, and one that is healed just after it ends the node', () => {
    const { cluster, leader, followers } = led()
    const [sick] = followers
    void cluster.failDisk(sick).heal()
    cluster.put('k', 'v')
    converge(cluster)
    expect(cluster.world.counts.failedDisks).toBe(0)
    const begun = cluster.failDisk(sick)
    proposeTo(cluster, leader.id, 'k', 'w')
    cluster.until(() => cluster.node(sick).disk.hasFailed)
    expect(cluster.node(sick).isUp).toBe(true)
    void begun.heal()
    cluster.put('k', 'x')
    converge(cluster)
    expect(cluster.node(sick).isUp).toBe(true)
    expect(cluster.world.counts.failedDisks).toBe(1)
  })
})

describe('nodes', () => {
  /** A node whose flush takes long, with a command that is written and not flushed. */
  function halfWritten(seed: number): SimulatedCluster {
    const cluster = new SimulatedCluster({ seed, nodes: 1, disk: { flushMs: 50, flushJitterMs: 0 } })
    cluster.awaitLeader()
    cluster.send(1, 'propose', [encode(writePut, 'k', 'half')], () => undefined)
    cluster.until(() => cluster.node(1).disk.disk.unflushedCount > 0)
    return cluster
  }
  const seeds = Array.from({ length: 10 }, (_, at) => at + 1)
  const found = (end: 'kill' | 'losePower') =>
    seeds.map((seed) => {
      const cluster = halfWritten(seed)
      const begun = cluster.faults.begin({ type: end, nodes: [1] })
      expect(cluster.node(1).isUp).toBe(false)
      void begun.heal()
      expect(cluster.node(1).isUp).toBe(true)
      return valueIn(cluster.get('k'))
    })

  test('a kill keeps what was written', () => {
    expect(found('kill')).toEqual(seeds.map(() => 'half'))
  })

  test('a power loss takes what was not flushed, or some of it', () => {
    expect(new Set(found('losePower'))).toEqual(new Set(['half', '']))
  })

  test('a node that is ended comes back by itself when its time is over', () => {
    const { cluster, followers } = led()
    const [first] = followers
    cluster.faults.begin({ type: 'kill', nodes: [first] }, 300)
    cluster.run(299)
    expect(cluster.node(first).isUp).toBe(false)
    cluster.run(2)
    expect(cluster.node(first).isUp).toBe(true)
    converge(cluster)
  })

  test('a node stays down as long as one of its faults keeps it down', () => {
    const { cluster, followers } = led()
    const [victim] = followers
    const failure = cluster.failDisk(victim)
    const loss = cluster.losePower(victim)
    void failure.heal()
    expect(cluster.node(victim).isUp).toBe(false)
    void loss.heal()
    expect(cluster.node(victim).isUp).toBe(true)
    converge(cluster)
  })

  test('a restart heals the fault that kept its node down', () => {
    const { cluster, followers } = led()
    const [victim] = followers
    const loss = cluster.losePower(victim)
    cluster.restart(victim)
    expect(cluster.node(victim).isUp).toBe(true)
    expect(cluster.faults.standing).toEqual([])
    void loss.heal()
    expect(cluster.world.counts.restarts).toBe(1)
    converge(cluster)
  })

  test('of nodes that were ended together one can be restarted alone', () => {
    const { cluster } = led()
    const kill = cluster.faults.begin({ type: 'kill', nodes: [1, 2, 3] })
    cluster.restart(2)
    expect(cluster.nodes.map(({ isUp }) => isUp)).toEqual([false, true, false])
    expect(cluster.faults.standing.map(({ fault }) => fault)).toEqual([{ type: 'kill', nodes: [1, 3] }])
    void kill.heal()
    expect(cluster.nodes.every(({ isUp }) => isUp)).toBe(true)
  })

  test('nothing of a paused node runs; then all that waited comes at once', () => {
    const { cluster, leader, followers } = led()
    const sinceMs = cluster.nowMs
    const pause = cluster.pause(leader.id)
    const before = cluster.story().carried.filter(({ nodeId }) => nodeId === leader.id).length
    cluster.until(() => cluster.leader !== undefined)
    expect(followers).toContain(cluster.leader?.id)
    expect(leader.state?.role).toBe('leader')
    expect(cluster.story().carried.filter(({ nodeId }) => nodeId === leader.id)).toHaveLength(before)
    void pause.heal()
    cluster.until(() => leader.state?.role === 'follower')
    expect(cluster.world.counts.pauses).toBe(1)
    expect(elections(cluster, sinceMs)).toBe(1)
    converge(cluster)
  })

  test('a node that is started while a pause stands is paused', () => {
    const { cluster, followers } = led()
    const [victim] = followers
    const pause = cluster.pause(victim)
    void cluster.losePower(victim).heal()
    expect(cluster.node(victim).isUp).toBe(true)
    expect(cluster.node(victim).isRunning).toBe(false)
    void pause.heal()
    expect(cluster.node(victim).isRunning).toBe(true)
    converge(cluster)
  })
})

describe('clocks', () => {
  /** Milliseconds until a leader that hears nobody any more has lost its lease. */
  function leaseMs(skew: { offsetMs: number; drift: number } | undefined): number {
    const { cluster, leader } = led({ clockDrift: 0 })
    cluster.run(503)
    cluster.partition([leader.id], others(cluster, leader.id))
    const begun = skew && cluster.faults.begin({ type: 'skew', nodes: [leader.id], ...skew })
    const tookMs = cluster.until(() => !leader.isLeaseHeld)
    if (begun !== undefined) expect(cluster.world.counts.skewedReadings).toBeGreaterThan(0)
    void begun?.heal()
    return tookMs
  }

  test('a clock that is ahead ends a lease earlier, and one that is behind or slow later', () => {
    const usualMs = leaseMs(undefined)
    expect(usualMs - leaseMs({ offsetMs: 20, drift: 0 })).toBeGreaterThan(15)
    expect(leaseMs({ offsetMs: -10, drift: 0 }) - usualMs).toBeGreaterThan(5)
    expect(leaseMs({ offsetMs: 0, drift: -0.1 }) - usualMs).toBeGreaterThan(8)
  })

  test('a fast clock ticks faster, until it is healed', () => {
    const { cluster, leader, followers } = led({ clockDrift: 0, reads: 'readIndex' })
    const beats = (ms: number): number => {
      const before = cluster.world.counts.messages
      cluster.run(ms)
      return cluster.world.counts.messages - before
    }
    const usual = beats(2000)
    const begun = cluster.faults.begin({
      type: 'skew',
      nodes: [leader.id, ...followers],
      offsetMs: 0,
      drift: 1,
    })
    expect(beats(2000) / usual).toBeCloseTo(2, 1)
    void begun.heal()
    cluster.run(20)
    expect(beats(2000) / usual).toBeCloseTo(1, 1)
  })

  test('a skew that could break a lease is refused', () => {
    const { cluster, leader } = led()
    const skew = (offsetMs: number) => () =>
      cluster.faults.begin({ type: 'skew', nodes: [leader.id], offsetMs, drift: 0 })
    expect(skew(1000)).toThrow(/could break a lease/)
    expect(skew(20)).not.toThrow()
    expect(new SimulatedCluster({ reads: 'readIndex' }).clockBounds).toBeUndefined()
  })
})

test('a fault that is refused has changed nothing', () => {
  const { cluster, followers } = led()
  const [down] = followers
  const loss = cluster.losePower(down)
  const { standing } = cluster.faults
  expect(() => cluster.pause(down)).toThrow(/stopped/)
  expect(() => cluster.cut(down, down)).toThrow(/two different ends/)
  expect(cluster.faults.standing).toEqual(standing)
  void loss.heal()
  expect(cluster.node(down).isRunning).toBe(true)
})

test('what stands, begins and ends is told in the story, and causes what it causes', () => {
  const { cluster, leader } = led()
  const fromMs = cluster.nowMs
  cluster.faults.begin({ type: 'kill', nodes: [leader.id] }, 1000)
  cluster.faults.begin({ type: 'pause', nodes: others(cluster, leader.id).slice(0, 1) }, 50)
  cluster.run(1100)
  const happened = cluster.story().happened.filter(({ atMs }) => atMs >= fromMs)
  const find = (type: string) => happened.find((each) => each.type === type)
  expect(happened.map(({ sequence }) => sequence)).toEqual(
    happened.map((_, at) => (happened[0]?.sequence ?? 0) + at),
  )
  expect(find('faultBegan')).toMatchObject({
    nodeId: 0,
    fault: { type: 'kill', line: `kill ${leader.id} for 1s` },
  })
  expect(find('killed')).toMatchObject({ nodeId: leader.id, cause: find('faultBegan')?.sequence })
  expect(find('paused')).toBeDefined()
  expect(find('resumed')).toMatchObject({ afterMs: expect.closeTo(50), cause: find('paused')?.sequence })
  expect(find('faultHealed')).toMatchObject({ by: 'time' })
  const started = happened.find((each) => each.type === 'started')
  expect(started).toMatchObject({ nodeId: leader.id, atMs: fromMs + 1000 })
  const outcome: Outcome = cluster.put('k', 'v')
  expect(outcome).toMatchObject({ outcome: 'applied' })
})
