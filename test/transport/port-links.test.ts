import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import type { Message } from '../../src/raft/index.js'
import { createLink, type LinkEnd, PortLinks } from '../../src/transport/index.js'

const waitingMax = 1024

/** A node's links, with what came through them: while it drains, and as the first message of a turn. */
class Peer {
  readonly drained: Message[] = []
  readonly woken: Message[] = []
  readonly links = new PortLinks(
    (first) => this.woken.push(first),
    (message) => this.drained.push(message),
  )

  /** The terms of all messages that wait, in the order in which they are taken. */
  drain(): number[] {
    this.links.drain()
    return this.drained.splice(0).map(({ term }) => term)
  }
}

const peers: Peer[] = []

afterEach(() => {
  for (const { links } of peers.splice(0)) links.close()
})

function connected([first, second]: [LinkEnd, LinkEnd] = createLink(1, 2)): [Peer, Peer] {
  const pair: [Peer, Peer] = [new Peer(), new Peer()]
  pair[0].links.connect(first)
  pair[1].links.connect(second)
  peers.push(...pair)
  return pair
}

const vote = (term: number, to = 2): Message => ({
  type: 'requestVoteResponse',
  from: 3 - to,
  to,
  term,
  electionTerm: term,
  voteGranted: true,
})

const entries = (term: number, to = 2): Message => ({
  ...{
    type: 'appendEntries',
    mode: 'replication',
    from: 3 - to,
    to,
    term,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [],
  },
  leaderCommit: 0,
})

test('messages arrive in order, and votes before the entries that were sent ahead of them', () => {
  const [first, second] = connected()
  for (const message of [entries(1), vote(2), entries(3), vote(4)]) first.links.send(message)
  second.links.send(vote(5, 1))
  expect(second.drain()).toEqual([2, 4, 1, 3])
  expect(first.drain()).toEqual([5])
  expect([...first.drain(), ...second.drain()]).toEqual([])
})

test('the first message of a turn wakes who does not drain', async () => {
  const [first, second] = connected()
  first.links.send(vote(1))
  while (second.woken.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(second.woken).toEqual([vote(1)])
  expect(second.drain()).toEqual([])
  // It counts as taken, so that as many as ever fit behind it.
  for (let term = 2; term <= waitingMax + 1; term++) first.links.send(vote(term))
  expect(second.drain()).toHaveLength(waitingMax)
})

test.each([
  ['control', vote],
  ['bulk', entries],
])(
  '[OV2] on a %s port no more than a bounded number of messages waits, and the others are dropped',
  (_, message) => {
    const [first, second] = connected()
    const terms = (from: number, count: number) => Array.from({ length: count }, (__, at) => from + at)
    for (const term of terms(1, waitingMax + 100)) first.links.send(message(term))
    expect(second.drain()).toEqual(terms(1, waitingMax))
    for (const term of terms(5000, waitingMax)) first.links.send(message(term))
    expect(second.drain()).toEqual(terms(5000, waitingMax))
  },
)

test('[OV2] large entries that lie unread are bounded by their bytes, and those behind them are dropped', () => {
  const [first, second] = connected()
  const run = { index: 1, term: 1, kind: 1, count: 1, bytes: new Uint8Array(1 << 20) }
  const large = (term: number): Message => ({ ...entries(term), entries: [run] }) as Message
  for (let round = 0; round < 3; round++) {
    for (let term = 1; term <= 100; term++) first.links.send(large(term))
    first.links.send(vote(7))
    expect(second.drain()).toEqual([7, ...Array.from({ length: 16 }, (_, at) => at + 1)])
  }
})

test('the bound holds in each direction and on each port by itself', () => {
  const [first, second] = connected()
  for (let term = 1; term <= waitingMax; term++) first.links.send(entries(term))
  first.links.send(vote(7))
  second.links.send(entries(8, 1))
  expect(second.drain().slice(0, 2)).toEqual([7, 1])
  expect(first.drain()).toEqual([8])
})

test('the counts may pass the largest number that they hold', () => {
  const link = createLink(1, 2)
  new Int32Array(link[0].counts).fill(0x7fff_ffff)
  const [first, second] = connected(link)
  for (let term = 1; term <= waitingMax + 1; term++) first.links.send(vote(term))
  expect(second.drain()).toHaveLength(waitingMax)
  first.links.send(vote(5))
  expect(second.drain()).toEqual([5])
})

test('no message is overlooked, also when its sender stops as soon as it is posted', () => {
  const ends = createLink(1, 2)
  const [first, second] = connected(ends)
  const { control } = ends[0]
  const post = control.postMessage.bind(control)
  const drained: number[][] = []
  control.postMessage = (message: unknown) => {
    post(message)
    drained.push(second.drain())
  }
  for (const term of [1, 2]) first.links.send(vote(term))
  expect(drained).toEqual([[1], [2]])
})

test('nothing is sent to a peer that is not linked, or no longer', async () => {
  const ends = createLink(1, 2)
  const closed = once(ends[1].control, 'close')
  const [first, second] = connected(ends)
  first.links.send(vote(1, 3))
  first.links.disconnect(2)
  first.links.send(vote(2))
  await closed
  expect(second.drain()).toEqual([])
})

test('a new link to the same peer takes the place of the old one, which is closed', async () => {
  const ends = createLink(1, 2)
  const closed = ends.flatMap(({ control, bulk }) => [once(control, 'close'), once(bulk, 'close')])
  const [first, second] = connected(ends)
  for (let term = 1; term <= waitingMax; term++) first.links.send(vote(term))
  const [one, other] = createLink(1, 2)
  first.links.connect(one)
  second.links.connect(other)
  first.links.send(vote(9999))
  expect(second.drain()).toEqual([9999])
  await Promise.all(closed)
})
