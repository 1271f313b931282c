import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Board, InlineNode, realParts } from '../../src/node/index.js'
import { defaultLimits, type Message } from '../../src/raft/index.js'
import {
  allocateStory,
  allocateVitals,
  Counters,
  MembershipMemory,
  NodeLatencies,
  Sequence,
} from '../../src/telemetry/index.js'
import { createClientWay, createLink, PortLinks } from '../../src/transport/index.js'

const tickMs = 10

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

/** Node 1, whose ticks come when the test says so, and node 2, which is the test. */
async function startedNode() {
  const node = new InlineNode(1, realParts)
  const [{ port: client }, nodeEnd] = createClientWay()
  const [own, theirs] = createLink(1, 2)
  const heard: Message[] = []
  const links = new PortLinks(
    (message) => heard.push(message),
    (message) => heard.push(message),
  )
  links.connect(theirs)
  const started = await node.start(
    {
      nodeId: 1,
      membership: { voters: [1, 2, 3], votersOutgoing: [], learners: [] },
      durability: 'none',
      dir: '',
      pledges: '',
      diskBytesMax: 1 << 20,
      tickMs,
      reads: 'readIndex',
      priority: 1,
      limits: defaultLimits,
      bounds: { logBytesMax: 1 << 20, trailingBytes: 0 },
      machine: undefined,
      machineName: undefined,
      recording: undefined,
      seed: 7,
      campaigns: false,
      counters: Counters.allocate(),
      membershipMemory: new MembershipMemory().memory,
      vitals: allocateVitals(),
      latencies: new NodeLatencies().memory,
      story: allocateStory(Sequence.allocate()),
      board: new Board().memory,
    },
    nodeEnd,
    [own],
  )
  expect(started.ok).toBe(true)
  return {
    send: (message: Message) => links.send(message),
    /** Ticks without a turn of the event loop, so that no port wakes the node. */
    tick(times: number): Message['type'][] {
      vi.advanceTimersByTime(times * tickMs)
      links.drain()
      return heard.splice(0).map(({ type }) => type)
    },
    async end() {
      await node.end()
      links.close()
      client.close()
    },
  }
}

test('[TN1] a heartbeat that lies in the port puts off the election that the next tick would begin', async () => {
  const lonely = await startedNode()
  let ticks = 1
  while (!lonely.tick(1).includes('preVote') && ticks < 100) ticks++
  await lonely.end()
  expect(ticks).toBeLessThan(100)

  const led = await startedNode()
  expect(led.tick(ticks - 1)).toEqual([])
  const term = 1
  const heartbeat = { type: 'appendEntries', mode: 'heartbeat', from: 2, to: 1, term, round: 1 } as const
  led.send({ ...heartbeat, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 })
  // A follower also asks its leader how far the log is committed.
  expect(led.tick(1).sort()).toEqual(['appendEntriesResponse', 'readIndex'])
  await led.end()
})
