/** Watches of one member: what a client is told, by a history that the test tells. */
import { expect, test, vi } from 'vitest'
import { ScriptedClient, type ScriptedMember, watched } from './scripted-member.js'
import { until } from './support.js'

/** All that can be done without more input has been done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) await Promise.resolve()
}

/** The node answers no read until the returned function is called. */
function holding(member: ScriptedMember): () => void {
  let release = (): void => undefined
  member.held = new Promise((resolve) => {
    release = resolve
  })
  return () => release()
}

test('a watch is created at the present revision, and then told of every later one', async () => {
  const { member, client } = watched()
  member.happens('a=1')
  client.create({ key: 'a' })
  await settled()
  member.happens('a=2')
  member.happens('b=2')
  member.happens('-a')
  await settled()
  expect(client.lines).toEqual(['0@2 created', '0@5 3:a=2 5:-a'])
})

test('a put before the request is before the watch, also when the hub has not heard of it', async () => {
  const { member, client } = watched()
  client.create({ key: 'a' })
  await settled()
  const release = holding(member)
  member.happens('a=1')
  client.create({ key: 'a' })
  release()
  await settled()
  expect(client.lines).toEqual(['0@1 created', '0@2 2:a=1', '1@2 created'])
})

test('who is about to compact waits until the watches in step were told of what the node has applied', async () => {
  const { member, hub, client } = watched()
  client.create({ key: 'a' })
  await settled()
  const release = holding(member)
  member.happens('a=1')
  const ended = new AbortController()
  let isTold = false
  const told = hub.told(member.lastApplied, ended.signal).then(() => {
    isTold = true
  })
  await settled()
  expect([isTold, client.eventsOf('0')]).toEqual([false, []])
  release()
  await told
  expect(client.eventsOf('0')).toEqual(['2:a=1'])
})

test('who is about to compact does not wait for more than the node has applied, nor where nobody is in step', async () => {
  const { member, hub, client } = watched()
  const never = new AbortController().signal
  await hub.told(100, never)
  client.create({ key: 'a' })
  await settled()
  const late = new AbortController()
  const waiting = hub.told(member.lastApplied + 1, late.signal)
  await settled()
  late.abort()
  await waiting
  const left = hub.told(member.lastApplied + 1, never)
  client.send({ cancelRequest: { watchId: '0' } })
  await left
})

test('a watch from a past revision is told of what happened since, then of what happens', async () => {
  const { member, client } = watched()
  for (let at = 2; at <= 6; at++) member.happens(`a=${at}`)
  client.create({ key: 'a', startRevision: '4' })
  await settled()
  expect(client.lines).toEqual(['0@6 created', '0@6 4:a=4 5:a=5 6:a=6'])
  member.happens('a=7')
  await settled()
  expect(client.eventsOf('0')).toEqual(['4:a=4', '5:a=5', '6:a=6', '7:a=7'])
})

test('a watch from a future revision is told of nothing before it', async () => {
  const { member, client } = watched()
  client.create({ key: 'a', startRevision: '4' })
  await settled()
  for (let at = 2; at <= 5; at++) member.happens(`a=${at}`)
  await settled()
  expect(client.lines).toEqual(['0@1 created', '0@5 4:a=4 5:a=5'])
})

test('ids are the client’s, or the next free ones', async () => {
  const { client } = watched()
  for (const watchId of ['0', '2', '0', '0', '-1', '2']) client.create({ key: 'a', watchId })
  await settled()
  expect(client.lines).toEqual([
    '0@1 created',
    '2@1 created',
    '1@1 created',
    '3@1 created',
    '-1@1 created',
    '-1@1 created canceled (mvcc: duplicate watch ID provided on the WatchStream)',
  ])
})

test('an empty range is refused, and an end of one byte 0 is endless', async () => {
  const { member, client } = watched()
  client.create({ key: 'b', rangeEnd: 'b' })
  client.create({ key: 'b', rangeEnd: '\0' })
  client.create({ key: '' })
  client.create({ key: '', rangeEnd: '\0' })
  await settled()
  member.happens('a=1', 'c=1')
  await settled()
  expect(client.lines).toEqual([
    '-1@1 created canceled (mvcc: watcher range is empty)',
    '0@1 created',
    '1@1 created',
    '2@1 created',
    '2@2 2:a=1 2:c=1',
    '0@2 2:c=1',
  ])
})

test('filters leave out puts or deletes', async () => {
  const { member, client } = watched()
  client.create({ key: 'a', filters: [0] })
  client.create({ key: 'a', filters: [1] })
  client.create({ key: 'a', filters: [0, 1] })
  await settled()
  member.happens('a=1')
  member.happens('-a')
  await settled()
  expect([client.eventsOf('0'), client.eventsOf('1'), client.eventsOf('2')]).toEqual([
    ['3:-a'],
    ['2:a=1'],
    [],
  ])
})

test('key-values before a change go to the watches that want them, and the node is asked for none otherwise', async () => {
  const { member, client } = watched()
  client.create({ key: 'a' })
  await settled()
  member.happens('a=1')
  await settled()
  expect(member.asked.some(({ withPrev }) => withPrev)).toBe(false)
  client.create({ key: 'a', prevKv: true })
  await settled()
  member.happens('a=2')
  await settled()
  expect(client.lines.slice(-2)).toEqual(['0@3 3:a=2', '1@3 3:a=2<1'])
  client.send({ cancelRequest: { watchId: '1' } })
  member.compactRevision = 3
  client.create({ key: 'a', prevKv: true, startRevision: '1' })
  await settled()
  expect(client.lines.at(-1)).toBe('2@0 canceled compacted 3')
  member.happens('a=3')
  await settled()
  expect(member.asked.at(-1)?.withPrev).toBe(false)
})

test('a cancel is answered once, and a cancel of an unknown id is not', async () => {
  const { member, client } = watched()
  client.create({ key: 'a' })
  client.send({ cancelRequest: { watchId: '0' } })
  client.send({ cancelRequest: { watchId: '0' } })
  client.send({ cancelRequest: { watchId: '7' } })
  await settled()
  member.happens('a=1')
  await settled()
  expect(client.lines).toEqual(['0@1 created', '0@1 canceled'])
})

test('a watch from before the compacted revision is canceled with it, as etcd does', async () => {
  const { member, client } = watched()
  for (let at = 2; at <= 6; at++) member.happens(`a=${at}`)
  member.compactRevision = 4
  client.create({ key: 'a', startRevision: '3' })
  client.create({ key: 'a', startRevision: '4' })
  await settled()
  expect(client.linesOf('0')).toEqual(['0@6 created', '0@0 canceled compacted 4'])
  expect(client.linesOf('1')).toEqual(['1@6 created', '1@6 4:a=4 5:a=5 6:a=6'])
  client.send({ cancelRequest: { watchId: '0' } })
  await settled()
  expect(client.lines.at(-1)).toBe('0@6 canceled')
})

test('a negative revision is compacted at -1, and -1 is the present of a store that was never compacted', async () => {
  const { member, client } = watched()
  member.happens('a=1')
  client.create({ key: 'a', startRevision: '-5' })
  client.create({ key: 'a', startRevision: '-1' })
  await settled()
  member.happens('a=2')
  await settled()
  expect(client.linesOf('0')).toEqual(['0@2 created', '0@0 canceled compacted -1'])
  expect(client.linesOf('1')).toEqual(['1@2 created', '1@3 3:a=2'])
  member.compactRevision = 3
  client.create({ key: 'a', startRevision: '-1' })
  await settled()
  expect(client.lines.at(-1)).toBe('2@0 canceled compacted 3')
})

test('an idle node is not asked, and nobody listens to a node without watches', async () => {
  const { member, client } = watched()
  expect(member.listeners).toBe(1)
  client.create({ key: 'a' })
  await settled()
  const asked = member.asked.length
  for (let turn = 0; turn < 10; turn++) member.onProgress(() => undefined)()
  await settled()
  expect(member.asked.length).toBe(asked)
  client.stream.close()
  expect(member.listeners).toBe(0)
})

test('all watches in step are served by one read', async () => {
  const { member, hub, client } = watched()
  const others = Array.from({ length: 50 }, () => new ScriptedClient(hub))
  for (const each of [client, ...others]) for (let at = 0; at < 10; at++) each.create({ key: 'a' })
  await settled()
  const asked = member.asked.length
  member.happens('a=1')
  await until(() => others.every(({ told }) => told.length === 20))
  expect(member.asked.length).toBe(asked + 1)
  for (const each of [client, ...others]) expect(each.told.at(-1)?.header.revision).toBe('2')
})

test.each(['0', '1'])(
  'a stream that closes while others are told of an event is told no more (from %s)',
  async (startRevision) => {
    const { member, hub, client } = watched()
    const other = new ScriptedClient(hub)
    if (startRevision === '1') member.happens('a=1')
    for (let at = 0; at < 1000; at++) client.create({ key: 'a', startRevision })
    other.create({ key: 'a', startRevision })
    client.onTold = () => {
      if (client.told.length === 1100) other.stream.close()
    }
    await until(() => hub.figures.watchers === 1001 || client.told.length > 1100)
    if (startRevision === '0') member.happens('a=1')
    await until(() => client.told.length === 2000)
    await settled()
    expect(other.lines.filter((line) => line.includes('a=1'))).toEqual([])
    expect(hub.figures.watchers).toBe(1000)
  },
)

test.each([1, 100])(
  'of ten thousand watches on %i streams, an event reaches those of its key alone',
  async (streams) => {
    const { member, hub, client } = watched()
    const clients = [client, ...Array.from({ length: streams - 1 }, () => new ScriptedClient(hub))]
    for (let at = 0; at < 10_000; at++)
      clients[at % streams]!.create({ key: `k${at}`, ...(at % 2 === 0 && { rangeEnd: `k${at}~` }) })
    await until(() => hub.figures.watchers === 10_000)
    const asked = member.asked.length
    member.happens('k4321=1')
    await until(() => hub.figures.events > 0)
    await settled()
    const told = clients.flatMap((each) => each.told).filter(({ events }) => events.length > 0)
    // The key itself, and the ranges from k4 and from k432.
    expect(told.length).toBe(3)
    expect(member.asked.length).toBe(asked + 1)
  },
)

test('a client that does not read falls behind, holds nothing, and is told all once it reads', async () => {
  const { member, hub, client } = watched()
  const other = new ScriptedClient(hub)
  client.create({ key: 'a' })
  client.create({ key: 'b' })
  other.create({ key: 'a' })
  await settled()
  client.hasRoom = false
  for (let at = 2; at <= 9; at++) member.happens(`a=${at}`)
  await settled()
  expect(client.told.length).toBe(2)
  expect(other.eventsOf('0').length).toBe(8)
  // The watch of b had nothing to miss.
  expect(hub.figures.slowWatchers).toBe(1)
  client.hasRoom = true
  client.stream.drained()
  await settled()
  member.happens('a=10')
  await settled()
  expect(client.eventsOf('0')).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10].map((at) => `${at}:a=${at}`))
  expect(hub.figures.slowWatchers).toBe(0)
})

test('a compaction that overtakes a client which does not read cancels its watch once it reads', async () => {
  const { member, client } = watched()
  client.create({ key: 'a' })
  await settled()
  client.hasRoom = false
  for (let at = 2; at <= 9; at++) member.happens(`a=${at}`)
  await settled()
  member.compactRevision = 6
  client.hasRoom = true
  client.stream.drained()
  await settled()
  expect(client.lines).toEqual(['0@1 created', '0@0 canceled compacted 6'])
})

test('a client is not read from while it does not read, or while many of its requests wait', async () => {
  const { member, client } = watched()
  for (let at = 0; at < 256; at++) client.create({ key: 'a' })
  expect(client.isPaused).toBe(true)
  await until(() => client.told.length === 256)
  expect(client.isPaused).toBe(false)
  member.happens('a=1')
  client.hasRoom = false
  client.create({ key: 'a' })
  expect(client.isPaused).toBe(true)
  client.hasRoom = true
  client.stream.drained()
  expect(client.isPaused).toBe(false)
})

test('watches behind are brought up in pieces, each in its turn', async () => {
  const { member, hub, client } = watched()
  const other = new ScriptedClient(hub)
  const value = 'x'.repeat(100_000)
  for (let at = 2; at <= 21; at++) member.happens(`a=${at}${value}`)
  const order: string[] = []
  client.onTold = () => order.push('client')
  other.onTold = () => order.push('other')
  client.create({ key: 'a', startRevision: '2' })
  other.create({ key: 'a', startRevision: '3' })
  await settled()
  const revisions = (of: ScriptedClient): (string | undefined)[] =>
    of.eventsOf('0').map((event) => event.split(':')[0])
  expect(revisions(client)).toEqual(Array.from({ length: 20 }, (_, at) => String(at + 2)))
  expect(revisions(other)).toEqual(Array.from({ length: 19 }, (_, at) => String(at + 3)))
  // Neither waits until the other is done.
  expect(order.indexOf('other', 2)).toBeLessThan(order.lastIndexOf('client'))
  for (const told of client.told.slice(1)) expect(told.events.length).toBeLessThanOrEqual(3)
})

test('events of one revision stay together, and go apart below the limit for a watch that asks for fragments', async () => {
  const { member, client } = watched()
  client.create({ key: 'a', rangeEnd: 'b' })
  client.create({ key: 'a', rangeEnd: 'b', fragment: true })
  await settled()
  const value = 'x'.repeat(900_000)
  member.happens(`a1=${value}`, `a2=${value}`, `a3=${value}`)
  await settled()
  const told = (id: string): [number, boolean][] =>
    client.told
      .filter(({ watchId, created }) => watchId === id && !created)
      .map(({ events, fragment }) => [events.length, fragment])
  expect(told('0')).toEqual([[3, false]])
  expect(told('1')).toEqual([
    [2, true],
    [1, false],
  ])
})

test('progress is told once all watches of the stream are in step, with a revision that is no older than the request', async () => {
  const { member, client } = watched()
  client.send({ progressRequest: {} })
  await settled()
  expect(client.lines).toEqual(['-1@1'])
  for (let at = 2; at <= 9; at++) member.happens(`a=${at}${'x'.repeat(200_000)}`)
  client.create({ key: 'a', startRevision: '2' })
  client.send({ progressRequest: {} })
  await settled()
  expect(client.told.map(({ watchId, events }) => [watchId, events.length])).toEqual([
    ['-1', 0],
    ...[['0', 0], ...Array.from({ length: 8 }, () => ['0', 1])],
    ['-1', 0],
  ])
  expect(client.lines.at(-1)).toBe('-1@9')
})

test('much that happens between two reads is told in several, and progress waits for all of it', async () => {
  const { member, client } = watched()
  client.create({ key: 'a' })
  await settled()
  for (let at = 2; at <= 9; at++) member.happens(`a=${'x'.repeat(100_000)}`)
  client.send({ progressRequest: {} })
  await settled()
  const told = client.told.slice(1).map((each) => [each.watchId, each.header.revision, each.events.length])
  expect(told).toEqual([...['3', '5', '7', '9'].map((revision) => ['0', revision, 2]), ['-1', '9', 0]])
})

test('events of a revision stay together, however many watches they match', async () => {
  const { member, client } = watched()
  for (let at = 0; at < 101; at++) client.create({ key: 'a', rangeEnd: 'b' })
  await settled()
  for (let at = 0; at < 400; at++) member.happens('a1=', 'a2=', 'a3=')
  await until(() => client.told.at(-1)?.header.revision === '401' && client.told.at(-1)?.watchId === '100')
  expect(client.told.length).toBeGreaterThan(2 * 101)
  for (const { events } of client.told) expect(events.length % 3).toBe(0)
})

test('progress waits for a client that does not read', async () => {
  const { member, client } = watched()
  client.create({ key: 'a' })
  await settled()
  client.hasRoom = false
  member.happens('a=1')
  client.send({ progressRequest: {} })
  await settled()
  expect(client.lines).toEqual(['0@1 created'])
  client.hasRoom = true
  client.stream.drained()
  await settled()
  expect(client.lines.slice(1)).toEqual(['0@2 2:a=1', '-1@2'])
})

test('a watch that asks for it is told of progress when nothing was sent since progress was due last', async () => {
  vi.useFakeTimers()
  try {
    const { member, client } = watched()
    client.create({ key: 'a', progressNotify: true })
    client.create({ key: 'a' })
    await settled()
    member.happens('b=1')
    await settled()
    vi.advanceTimersByTime(11 * 60 * 1000)
    expect(client.lines.slice(2)).toEqual(['0@2'])
    member.happens('a=1')
    await settled()
    vi.advanceTimersByTime(11 * 60 * 1000)
    expect(client.lines.slice(3)).toEqual(['0@3 3:a=1', '1@3 3:a=1'])
    client.stream.close()
    vi.advanceTimersByTime(60 * 60 * 1000)
    expect(client.told.length).toBe(5)
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

/** The time of progress notifications moves only by the test; all else goes on. */
async function withTicks(act: (tick: () => void) => Promise<void>): Promise<void> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    await act(() => vi.advanceTimersByTime(11 * 60 * 1000))
  } finally {
    vi.useRealTimers()
  }
}

test('a watch is not told of progress before the events up to there', () =>
  withTicks(async (tick) => {
    const { member, client } = watched()
    for (let at = 0; at < 300; at++) client.create({ key: 'a', progressNotify: at === 299 })
    await until(() => client.told.length === 300)
    client.onTold = () => {
      if (client.told.length === 301) tick()
    }
    member.happens('a=1')
    await until(() => client.told.length === 600)
    expect(client.linesOf('299')).toEqual(['299@1 created', '299@2 2:a=1'])
  }))

test('a watch whose client has not read all is not told of progress', () =>
  withTicks(async (tick) => {
    const { member, client } = watched()
    client.create({ key: 'a', progressNotify: true })
    await settled()
    client.hasRoom = false
    member.happens('a=1')
    await settled()
    client.hasRoom = true
    tick()
    expect(client.lines).toEqual(['0@1 created'])
  }))

test('progress of a watch does not go back behind the revision at which it was created', () =>
  withTicks(async (tick) => {
    const { member, client } = watched()
    client.create({ key: 'a' })
    await settled()
    for (let at = 2; at <= 9; at++) member.happens(`a=${'x'.repeat(100_000)}`)
    client.create({ key: 'b', progressNotify: true })
    client.onTold = () => {
      // The rest of the history has yet to be read.
      if (client.told.length === 3) tick()
    }
    await settled()
    expect(client.linesOf('1')).toEqual(['1@9 created'])
  }))

test('a node that restarts behind what it told repeats nothing, and progress does not go back', async () => {
  const { member, client } = watched()
  client.create({ key: 'a' })
  await settled()
  for (let at = 2; at <= 6; at++) member.happens(`a=${at}`)
  await settled()
  member.appliedRevision = 3
  member.progress()
  await settled()
  client.send({ progressRequest: {} })
  await settled()
  member.appliedRevision = undefined
  member.progress()
  member.happens('a=7')
  await settled()
  expect(client.eventsOf('0')).toEqual([2, 3, 4, 5, 6, 7].map((at) => `${at}:a=${at}`))
  client.send({ cancelRequest: { watchId: '0' } })
  await settled()
  member.appliedRevision = 3
  client.send({ progressRequest: {} })
  await settled()
  expect(client.lines.at(-1)).toBe('-1@7')
  const revisions = client.told
    .filter(({ canceled }) => !canceled)
    .map(({ header }) => Number(header.revision))
  expect(revisions).toEqual(revisions.toSorted((one, other) => one - other))
})

test('a node that is behind a slow watch is not asked until it has applied more', async () => {
  const { member, client } = watched()
  client.create({ key: 'a' })
  await settled()
  client.hasRoom = false
  for (let at = 2; at <= 6; at++) member.happens(`a=${at}`)
  await settled()
  member.appliedRevision = 1
  member.progress()
  await settled()
  client.hasRoom = true
  client.stream.drained()
  const asked = member.asked.length
  await settled()
  expect(member.asked.length).toBe(asked)
  member.appliedRevision = undefined
  member.progress()
  await settled()
  expect(client.eventsOf('0')).toEqual([2, 3, 4, 5, 6].map((at) => `${at}:a=${at}`))
})

test('a snapshot without the history that watches in step need cancels them', async () => {
  const { member, client } = watched()
  client.create({ key: 'a' })
  client.create({ key: 'a', startRevision: '9' })
  await settled()
  member.held = new Promise((resolve) => setImmediate(resolve))
  client.create({ key: 'b' })
  for (let at = 2; at <= 6; at++) member.happens(`a=${at}`)
  member.compactRevision = 5
  await member.held
  await settled()
  for (let at = 7; at <= 9; at++) member.happens(`a=${at}`)
  await settled()
  expect(client.lines.slice(2)).toEqual(['0@0 canceled compacted 5', '2@6 created', '1@9 9:a=9'])
})

test('a node that could not answer is asked again, and nothing is lost', async () => {
  vi.useFakeTimers()
  try {
    const { member, client } = watched()
    member.failures = 2
    client.create({ key: 'a', startRevision: '2' })
    member.happens('a=1')
    await vi.advanceTimersByTimeAsync(1000)
    member.failures = 1
    member.happens('a=2')
    await vi.advanceTimersByTimeAsync(1000)
    expect(client.eventsOf('0')).toEqual(['2:a=1', '3:a=2'])
  } finally {
    vi.useRealTimers()
  }
})

test.each(['no other stream', 'another stream'])(
  'a stream that closes while a node does not answer is asked for no more (%s)',
  async (name) => {
    vi.useFakeTimers()
    try {
      const { member, hub, client } = watched()
      const other = name === 'another stream' ? new ScriptedClient(hub) : undefined
      let release = (): void => undefined
      member.held = new Promise((resolve) => {
        release = resolve
      })
      member.failures = Number.POSITIVE_INFINITY
      client.create({ key: 'a' })
      client.stream.close()
      release()
      await vi.advanceTimersByTimeAsync(10_000)
      expect(member.asked.length).toBe(1)
      expect(vi.getTimerCount()).toBe(0)
      // The next request, on any stream, is served as the first one.
      member.failures = 0
      const next = other ?? new ScriptedClient(hub)
      next.create({ key: 'a' })
      await vi.advanceTimersByTimeAsync(10_000)
      expect(next.lines).toEqual(['0@1 created'])
      expect(client.lines).toEqual([])
    } finally {
      vi.useRealTimers()
    }
  },
)

test('a stream that closes while a compaction overtakes the watches is asked for no more', async () => {
  const { member, hub, client } = watched()
  const other = new ScriptedClient(hub)
  other.create({ key: 'a' })
  await settled()
  const release = holding(member)
  client.create({ key: 'a' })
  for (let at = 2; at <= 6; at++) member.happens(`a=${at}`)
  member.compactRevision = 5
  const asked = member.asked.length
  client.stream.close()
  other.stream.close()
  release()
  await settled()
  expect(member.asked.length).toBe(asked)
  expect(client.lines).toEqual([])
})

test('watches of many ranges match as a look at each of them would', async () => {
  const { member, client } = watched()
  let seed = 7
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
  const name = (): string => Array.from({ length: 1 + random(3) }, () => 'abc'[random(3)]).join('')
  const ranges = Array.from({ length: 400 }, (_, at) => {
    const [key, rangeEnd] = [name(), name()].sort() as [string, string]
    const isRange = key !== rangeEnd
    client.create({ key, rangeEnd: isRange ? rangeEnd : '', watchId: String(at + 1) })
    return { id: String(at + 1), covers: (of: string) => (isRange ? of >= key && of < rangeEnd : of === key) }
  })
  await until(() => client.told.length === ranges.length)
  const gone = ranges.filter((_, at) => at % 3 === 0)
  for (const { id } of gone) client.send({ cancelRequest: { watchId: id } })
  await until(() => client.told.length === ranges.length + gone.length)
  const left = ranges.filter((range) => !gone.includes(range))
  for (let round = 0; round < 50; round++) {
    const key = name()
    const before = client.told.length
    member.happens(`${key}=1`)
    await settled()
    const told = client.told.slice(before).map(({ watchId }) => Number(watchId))
    expect(told.toSorted((one, other) => one - other)).toEqual(
      left.filter(({ covers }) => covers(key)).map(({ id }) => Number(id)),
    )
  }
})
