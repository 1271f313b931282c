/** The effect of faults of links on the packets that arrive at a node. */
import { describe, expect, test } from 'vitest'
import {
  bothWays,
  type Endpoint,
  type LinkFault,
  LinkFaults,
  type Packet,
  packetOf,
  throttledBytesMax,
} from '../../src/faults/index.js'
import { type Message, Random } from '../../src/raft/index.js'

const nodeIds = [1, 2, 3]
const ways = [{ from: 1, to: 2 }]
const heartbeat: Message = {
  type: 'appendEntries',
  mode: 'heartbeat',
  from: 1,
  to: 2,
  term: 1,
  leaderId: 1,
  prevLogIndex: 0,
  prevLogTerm: 0,
  leaderCommit: 0,
  round: 1,
} as Message
const vote: Message = { type: 'requestVote', from: 1, to: 2, term: 1, lastLogIndex: 0, lastLogTerm: 0 }
const packet = (from: Endpoint = 1, byteLength = 100): Packet => ({ from, message: vote, byteLength })

const standingOf = (...faults: LinkFault[]) =>
  faults.map((fault, id) => ({ id, fault, sinceMs: 0, untilMs: undefined }))

/** The faults of links at node 2, and their effects. */
function faultsAt2(...faults: LinkFault[]) {
  const hits: string[] = []
  const links = new LinkFaults(2, nodeIds, new Random(1), (what, from) => hits.push(`${what} ${from}`))
  links.set(standingOf(...faults))
  return { links, hits }
}

/** After how many milliseconds a packet arrives, once for each time that it does: none at all when it is lost. */
function arrivalsOf(links: LinkFaults, sent: Packet, nowMs: number): number[] {
  const passage = links.passageOf(sent, nowMs)
  return Array.from({ length: passage.copies }, () => links.arrivesAtMs(passage) - nowMs)
}

/** How many of 1000 packets arrive each number of times. */
function countsOf(links: LinkFaults): number[] {
  const counts = [0, 0, 0]
  for (let sent = 0; sent < 1000; sent++) {
    const times = arrivalsOf(links, packet(), sent).length
    counts[times] = (counts[times] ?? 0) + 1
  }
  return counts
}

test('a cut loses all that comes on its way, and nothing that comes on another', () => {
  const { links, hits } = faultsAt2({ type: 'cut', ways })
  expect(links.areStanding).toBe(true)
  expect(arrivalsOf(links, packet(), 0)).toEqual([])
  expect(arrivalsOf(links, packet(3), 0)).toEqual([0])
  expect(hits).toEqual(['cut 1'])
})

test.each<[string, LinkFault, Endpoint[]]>([
  ['the other way', { type: 'cut', ways: [{ from: 2, to: 1 }] }, []],
  ['both ways', { type: 'cut', ways: bothWays(2, 3) }, [3]],
  ['the clients', { type: 'cut', ways: bothWays('clients', 2) }, ['clients']],
  ['a partition', { type: 'partition', groups: [[1, 3], [2]] }, [1, 3]],
  ['a partition that leaves nodes out', { type: 'partition', groups: [[1], [2]] }, [1]],
  ['a partition of others', { type: 'partition', groups: [[1], [3]] }, []],
  ['the node isolated', { type: 'isolate', nodes: [2] }, [1, 3]],
  ['another isolated', { type: 'isolate', nodes: [3] }, [3]],
])('%s: a cut is of exactly the ways that it names', (_, fault, lost) => {
  const { links } = faultsAt2(fault)
  const from: Endpoint[] = [1, 3, 'clients']
  expect(from.filter((each) => arrivalsOf(links, packet(each), 0).length === 0)).toEqual(lost)
  expect(links.areStanding).toBe(lost.length > 0)
})

test('drop loses its share, and duplicate repeats its share', () => {
  const [lost = 0, once = 0] = countsOf(faultsAt2({ type: 'drop', ways, share: 0.3 }).links)
  expect(lost).toBeGreaterThan(250)
  expect(lost).toBeLessThan(350)
  expect(lost + once).toBe(1000)
  const [none, single = 0, twice = 0] = countsOf(faultsAt2({ type: 'duplicate', ways, share: 0.3 }).links)
  expect(none).toBe(0)
  expect(twice).toBeGreaterThan(250)
  expect(single + twice).toBe(1000)
  expect(countsOf(faultsAt2({ type: 'drop', ways, share: 1 }).links)).toEqual([1000, 0, 0])
})

test('a packet that is lost counts once, for what lost it', () => {
  const throttle: LinkFault = { type: 'throttle', ways, bytesPerSecond: 1000 }
  const full = faultsAt2({ type: 'duplicate', ways, share: 1 }, throttle)
  expect([1, 2].map(() => arrivalsOf(full.links, packet(1, throttledBytesMax), 0).length)).toEqual([2, 0])
  expect(full.hits).toEqual(['duplicate 1', 'throttle 1', 'overflow 1'])
  const dropped = faultsAt2(throttle, { type: 'drop', ways, share: 1 })
  expect(arrivalsOf(dropped.links, packet(), 0)).toEqual([])
  expect(dropped.hits).toEqual(['drop 1'])
})

test('a fault of one kind of message hits no other', () => {
  const { links } = faultsAt2({ type: 'cut', ways, messages: 'heartbeat' })
  expect(arrivalsOf(links, packetOf(heartbeat), 0)).toEqual([])
  expect(arrivalsOf(links, packetOf(vote), 0)).toEqual([0])
  const entries = faultsAt2({ type: 'cut', ways, messages: 'appendEntries' }).links
  expect(arrivalsOf(entries, packetOf(heartbeat), 0)).toEqual([])
  expect(arrivalsOf(entries, { from: 1, message: undefined, byteLength: 1 }, 0)).toEqual([0])
})

describe('delay', () => {
  const jittery: LinkFault = { type: 'delay', ways, delayMs: 80, jitterMs: 20 }

  test('takes at least as long as it says, at most the jitter more, and keeps the order of a port', () => {
    const { links } = faultsAt2(jittery)
    let latestMs = 0
    for (let sentMs = 0; sentMs < 100; sentMs++) {
      const [delayMs = 0] = arrivalsOf(links, packet(), sentMs)
      expect(delayMs).toBeGreaterThanOrEqual(80)
      expect(delayMs).toBeLessThanOrEqual(100)
      expect(sentMs + delayMs).toBeGreaterThanOrEqual(latestMs)
      latestMs = sentMs + delayMs
    }
  })

  test('adds up with another, and holds nothing back once it is healed', () => {
    const fixed: LinkFault = { type: 'delay', ways, delayMs: 50, jitterMs: 0 }
    const { links } = faultsAt2(fixed, fixed)
    expect(arrivalsOf(links, packet(), 0)).toEqual([100])
    links.set([])
    expect(links.areStanding).toBe(false)
    expect(arrivalsOf(links, packet(), 1)).toEqual([0])
  })
})

describe('when one of several faults is healed', () => {
  const long: LinkFault = { type: 'delay', ways, delayMs: 20_000, jitterMs: 0 }
  const short: LinkFault = { type: 'delay', ways, delayMs: 50, jitterMs: 0 }
  const slow: LinkFault = { type: 'throttle', ways, bytesPerSecond: 1000 }
  const slower: LinkFault = { type: 'throttle', ways, bytesPerSecond: 100 }
  const reorder: LinkFault = { type: 'reorder', ways, share: 1 }
  const entriesOnly: LinkFault = { ...long, messages: 'appendEntries' }

  /** When packets arrive that are sent at 0 and at 10 ms, and one that is sent at 20 ms, after the first fault was healed. */
  function arrivalsAround(sent: Packet, ...faults: LinkFault[]): number[][] {
    const { links } = faultsAt2(...faults)
    const passages = [links.passageOf(sent, 0), links.passageOf(sent, 10)]
    const times = () => passages.map((passage) => links.arrivesAtMs(passage))
    const before = times()
    links.set(standingOf(...faults).slice(1))
    const after = times()
    return [before, [...after, links.arrivesAtMs(links.passageOf(packet(), 20))]]
  }

  test.each<[string, LinkFault, LinkFault, number[], number[]]>([
    ['a delay beside a delay', long, short, [20_050, 20_060], [50, 60, 70]],
    ['a delay of one kind beside a delay', entriesOnly, short, [20_050, 20_060], [50, 60, 70]],
    ['a delay beside a throttle', long, slow, [20_100, 20_200], [100, 200, 300]],
    ['a throttle beside a delay', slower, short, [1050, 2050], [50, 60, 70]],
    ['a throttle beside a throttle', slower, slow, [1000, 2000], [100, 200, 300]],
    ['a delay beside a reorder', long, reorder, [20_020, 20_030], [20, 30, 40]],
    ['a reorder beside a delay', reorder, short, [70, 80], [50, 60, 70]],
  ])(
    '%s leaves nothing of its effect, and those that stand keep theirs',
    (_, healed, left, before, after) => {
      expect(arrivalsAround({ ...packet(), message: heartbeat }, healed, left)).toEqual([before, after])
    },
  )

  test('the order of a port is kept among what is on its way', () => {
    const { links } = faultsAt2(long, { ...short, jitterMs: 50 })
    const passages = Array.from({ length: 50 }, (_, sentMs) => links.passageOf(packet(), sentMs))
    for (const passage of passages) links.arrivesAtMs(passage)
    links.set(standingOf(long, { ...short, jitterMs: 50 }).slice(1))
    const times = passages.map((passage) => links.arrivesAtMs(passage))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(Math.max(...times)).toBeLessThan(50 + 50 + 50)
  })
})

test('reorder lets those that were sent later arrive earlier', () => {
  const { links } = faultsAt2({ type: 'reorder', ways, share: 0.5 })
  const arrivals = Array.from(
    { length: 100 },
    (_, sentMs) => sentMs + (arrivalsOf(links, packet(), sentMs)[0] ?? 0),
  )
  const overtaken = arrivals.filter((atMs, at) => (arrivals[at + 1] ?? Number.POSITIVE_INFINITY) < atMs)
  expect(overtaken.length).toBeGreaterThan(10)
})

describe('throttle', () => {
  const slow: LinkFault = { type: 'throttle', ways, bytesPerSecond: 1000 }

  test('lets so many bytes pass in a second', () => {
    const { links } = faultsAt2(slow)
    expect([1, 2, 3].map(() => arrivalsOf(links, packet(1, 500), 0)[0])).toEqual([500, 1000, 1500])
    expect(arrivalsOf(links, packet(1, 500), 10_000)).toEqual([500])
  })

  test('loses what waits beyond its bound, and lets a packet pass that is larger than the bound', () => {
    const { links } = faultsAt2(slow)
    expect(arrivalsOf(links, packet(1, 8 << 20), 0)).toHaveLength(1)
    expect(arrivalsOf(links, packet(1, 500), 0)).toEqual([])
  })

  test('begins anew once it was healed', () => {
    const { links } = faultsAt2(slow)
    arrivalsOf(links, packet(1, 1_000_000), 0)
    links.set([])
    expect(arrivalsOf(links, packet(1, 500), 1)).toEqual([0])
    links.set(standingOf(slow))
    expect(arrivalsOf(links, packet(1, 500), 2)).toEqual([500])
  })

  describe('beside another on its way', () => {
    const slower: LinkFault = { ...slow, bytesPerSecond: 500 }
    const twice: LinkFault[] = [slow, slow]

    test('takes no longer than the slower of them would alone', () => {
      const { links } = faultsAt2(...twice)
      expect([1, 2, 3].map(() => arrivalsOf(links, packet(1, 500), 0)[0])).toEqual([500, 1000, 1500])
      const apart = faultsAt2(slow, slower).links
      expect([1, 2, 3].map(() => arrivalsOf(apart, packet(1, 500), 0)[0])).toEqual([1000, 2000, 3000])
    })

    test('loses only what one of them would lose alone', () => {
      const { links } = faultsAt2(...twice)
      const sent = Array.from({ length: 40 }, () => arrivalsOf(links, packet(1, throttledBytesMax / 32), 0))
      expect(sent.filter((arrivals) => arrivals.length === 1)).toHaveLength(32)
    })

    test('counts nothing that the other one loses', () => {
      const { links } = faultsAt2({ ...slow, bytesPerSecond: 1 }, { ...slow, bytesPerSecond: 1_000_000 })
      arrivalsOf(links, packet(1, throttledBytesMax), 0)
      for (let sent = 0; sent < 10; sent++)
        expect(arrivalsOf(links, packet(1, throttledBytesMax), 0)).toEqual([])
      links.set(standingOf(slow, { ...slow, bytesPerSecond: 1_000_000 }).slice(1))
      expect(arrivalsOf(links, packet(1, 1000), throttledBytesMax / 1000)).toEqual([1])
    })

    test('goes on at its own rate when the other one is healed', () => {
      const { links } = faultsAt2(slow, slower)
      arrivalsOf(links, packet(1, 500), 0)
      links.set(standingOf(slow, slower).slice(0, 1))
      // The first packet has passed the faster one after 500 ms.
      expect(arrivalsOf(links, packet(1, 500), 1000)).toEqual([500])
    })
  })
})
