/** Lines of a log: what they tell of a cluster, and what becomes of those that nobody takes. */
import { EventEmitter } from 'node:events'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Cluster, ClusterEvent, ClusterEvents } from '../../src/cluster/index.js'
import { Journal, type Level, levelOf } from '../../src/journal/index.js'
import { brokenCluster, leads, until, writes } from '../cluster/broken.js'
import { startedCluster } from '../cluster/support.js'

interface LineTold {
  readonly level: Level
  readonly time: number
  readonly node?: number
  readonly term?: number
  readonly event: string
  readonly sequence: number
  readonly cause?: number
  readonly reason?: string
  readonly role?: string
  readonly count?: number
  readonly msg: string
}

/** A reader of a log. While it is stuck, what it is given waits. */
class Reader extends Writable {
  text = ''
  isStuck = false
  #goOn: (() => void) | undefined

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.#goOn = () => {
      this.text += chunk
      done()
    }
    if (!this.isStuck) this.#goOn()
  }

  /** Takes what waits, and all that comes. */
  reads(): void {
    this.isStuck = false
    this.#goOn?.()
  }

  get lines(): LineTold[] {
    return this.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LineTold)
  }
}

/** Events as a cluster tells them, in order. */
function tellAll(journal: Journal, happened: readonly ClusterEvent[]): void {
  const events: ClusterEvents = new EventEmitter()
  journal.follow({ events, options: { heartbeatIntervalMs: 100 } as Cluster['options'] })
  for (const event of happened) events.emit('event', event)
}

test('a repetition has the words of what was repeated', async () => {
  const { journal, reader } = newJournal()
  const at = { nodeId: 2, atMs: 0 }
  tellAll(journal, [
    { ...at, type: 'messageDropped', from: 3, reason: 'neverAsked', sequence: 1, cause: undefined },
    { ...at, type: 'repeated', times: 5, sequence: 2, cause: 1 },
  ])
  await journal.end()
  const [first, repeated] = reader.lines
  expect(first?.msg).toMatch(/^node 2 drops a message from node 3: /)
  expect(repeated?.msg).toBe(`${first?.msg} (5 times more)`)
})

interface Kept {
  readonly journal: Journal
  readonly reader: Reader
  readonly failures: (Error | undefined)[]
}

function newJournal({ level = 'debug' as Level, isPretty = false } = {}): Kept {
  const reader = new Reader()
  const failures: (Error | undefined)[] = []
  const journal = new Journal(reader, { level, isPretty, failed: (error) => void failures.push(error) })
  return { journal, reader, failures }
}

/** A cluster of which happenings are told as the test says. */
function toldOf(journal: Journal): (event: Partial<ClusterEvent>) => void {
  let hear: (event: ClusterEvent) => void = () => undefined
  const events = {
    on: (_: 'event', listener: typeof hear) => {
      hear = listener
    },
  }
  type Followed = Parameters<Journal['follow']>[0]
  journal.follow({ events, options: { heartbeatIntervalMs: 100 } } as unknown as Followed)
  return (event) => hear({ sequence: 1, atMs: 1.4, nodeId: 1, cause: undefined, ...event } as ClusterEvent)
}

test('the lines of an election tell node, term and reason, and their causes lead to the end of the leader', async () => {
  const cluster = await startedCluster({ nodes: 3 })
  const { journal, reader } = newJournal()
  journal.follow(cluster)
  await writes(cluster, 'a')
  const leader = await leads(cluster)
  await cluster.kill(leader)
  const next = await leads(cluster, leader)
  await until(() => reader.lines.some(({ node, role }) => node === next && role === 'leader'))
  const { lines } = reader
  const won = lines.find(({ node, role }) => node === next && role === 'leader')
  const { currentTerm: term } = cluster.status().find(({ nodeId }) => nodeId === next) ?? {}
  expect(won).toMatchObject({ level: 'info', event: 'role', term, reason: 'electionWon' })
  expect(won?.msg).toMatch(new RegExp(`^node ${next} leads term ${term}: nodes .* voted for it$`))
  const way: LineTold[] = []
  for (
    let line = won;
    line !== undefined;
    line = lines.find(({ sequence }) => sequence === way.at(-1)?.cause)
  )
    way.push(line)
  expect(way.map(({ event }) => event)).toContain('killed')
  const asked = lines.findLast(({ event, node }) => event === 'voteAnswered' && node !== next)
  expect(asked).toMatchObject({ term, electionTerm: term, level: 'debug' })
  // Happenings from before somebody could listen are told too.
  expect(lines.filter(({ event }) => event === 'started').map(({ node }) => node)).toEqual(
    expect.arrayContaining([1, 2, 3]),
  )
  expect(lines.map(({ sequence }) => sequence)).toEqual(lines.map((_, at) => at + 1))
})

test.each([
  [{ type: 'failed', why: 'its disk is full' }, 'error'],
  [{ type: 'role', reason: 'quorumLost' }, 'warn'],
  [{ type: 'role', reason: 'diskStalled' }, 'warn'],
  [{ type: 'role', reason: 'electionWon' }, 'info'],
  [{ type: 'killed' }, 'warn'],
  [{ type: 'killed', isOnPurpose: true }, 'info'],
  [{ type: 'leaseLost', reason: 'unanswered' }, 'warn'],
  [{ type: 'leaseLost', reason: 'givenUp' }, 'info'],
  [{ type: 'commitLate' }, 'warn'],
  [{ type: 'threadStood' }, 'warn'],
  [{ type: 'missed' }, 'warn'],
  [{ type: 'transferEnded', isDone: false }, 'warn'],
  [{ type: 'transferEnded', isDone: true }, 'info'],
  [{ type: 'membership', isCommitted: false }, 'debug'],
  [{ type: 'membership', isCommitted: true }, 'info'],
  [{ type: 'heartbeatMissed' }, 'debug'],
  [{ type: 'voteAnswered' }, 'debug'],
] as const)('%j has the level %s', (event, level) => {
  expect(levelOf(event as unknown as ClusterEvent)).toBe(level)
})

test('happenings below the level get no line', () => {
  const { journal, reader } = newJournal({ level: 'warn' })
  const tell = toldOf(journal)
  tell({ type: 'paused' })
  tell({ type: 'resumed', afterMs: 5 })
  tell({ type: 'failed', why: 'it broke' })
  expect(reader.lines.map(({ level, event }) => [level, event])).toEqual([
    ['warn', 'paused'],
    ['error', 'failed'],
  ])
})

test('for a person a line is a sentence with its place, and foreign text moves no cursor', () => {
  const { journal, reader } = newJournal({ isPretty: true })
  toldOf(journal)({ type: 'failed', why: 'a\u001b[2Jb', sequence: 7, cause: 3 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colors are to be left out
  const plain = reader.text.replaceAll(/\u001b\[\d+m/g, '')
  expect(plain).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] ERROR: node 1 failed: a\\u001b\[2Jb \(#7, after #3\)\n$/)
})

describe('a reader that is stuck', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  /** Tells so many happenings of some size. */
  function flood(journal: Journal, count: number): void {
    const tell = toldOf(journal)
    for (let sequence = 1; sequence <= count; sequence++)
      tell({ type: 'failed', why: 'x'.repeat(1000), sequence })
  }

  test('costs bounded memory, and is told how many lines it was not given once it reads', async () => {
    const { journal, reader } = newJournal()
    reader.isStuck = true
    flood(journal, 10_000)
    expect(reader.writableLength).toBeLessThanOrEqual(4 << 20)
    const { dropped } = journal
    expect(dropped).toBeGreaterThan(5000)
    reader.reads()
    await journal.end()
    const { lines } = reader
    expect(lines.at(-1)).toMatchObject({ level: 'warn', event: 'linesDropped', count: dropped })
    expect(lines.length - 1 + dropped).toBe(10_000)
    expect(journal.dropped).toBe(dropped)
  })

  test('is not waited for at the end, and all that it did not read counts as dropped', async () => {
    const { journal, reader, failures } = newJournal()
    reader.isStuck = true
    flood(journal, 100)
    const ended = journal.end()
    await vi.advanceTimersByTimeAsync(3000)
    await ended
    expect([failures, journal.dropped, reader.text]).toEqual([[undefined], 100, ''])
  })

  test('and one that fails: each line is counted, and the failure is told once', async () => {
    const { journal, reader, failures } = newJournal()
    reader.isStuck = true
    flood(journal, 100)
    const error = new Error('the disk is full')
    reader.destroy(error)
    await new Promise((resolve) => reader.once('close', resolve))
    flood(journal, 5)
    await journal.end()
    expect([failures, journal.dropped]).toEqual([[error], 105])
  })
})

test('a cluster that writes as fast as it can is not logged for its commands', async () => {
  const { cluster } = await brokenCluster({ nodes: 3 })
  const { journal, reader } = newJournal()
  journal.follow(cluster)
  await Promise.all(Array.from({ length: 2000 }, (_, n) => cluster.put(`key ${n}`, 'v')))
  await journal.end()
  expect(reader.text.split('\n').length).toBeLessThan(100)
})
