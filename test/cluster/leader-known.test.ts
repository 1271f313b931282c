/** How the wait for a leader ends where no node is left that could lead. */
import { EventEmitter } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import {
  type ClusterEvent,
  type ClusterEvents,
  leaderKnown,
  type NodeStatus,
  startCluster,
} from '../../src/cluster/index.js'
import { leaderAmong } from '../../src/cluster/member.js'
import type { StandingFault } from '../../src/faults/index.js'
import { nextEvent, temporaryFolder } from './support.js'

/** A cluster of two of which node 1 has failed, and which tells what the test says. */
class PlayedCluster {
  readonly events: ClusterEvents = new EventEmitter()
  readonly close = new AbortController()
  readonly closing = this.close.signal
  leaderId: number | undefined
  faults: StandingFault[] = []
  readonly #nodes = [
    { nodeId: 1, state: 'failed', failure: 'disk full' },
    { nodeId: 2, state: 'running', failure: undefined as string | undefined },
  ]

  status(): NodeStatus[] {
    return this.#nodes as NodeStatus[]
  }

  /** Node 2 changes, and then the event is told. */
  tell(type: ClusterEvent['type'], ofNode2: object = {}): void {
    Object.assign(this.#nodes[1] as object, ofNode2)
    this.events.emit('event', { type } as ClusterEvent)
  }
}

const failed = { state: 'failed', failure: 'disk full' }
const failing: StandingFault = {
  ...{ id: 1, sinceMs: 0, untilMs: undefined },
  fault: { type: 'failDisk', nodes: [1, 2] },
}

test('[MB3] a wait for a leader ends as the last node fails, and names those that failed', async () => {
  const cluster = new PlayedCluster()
  const waiting = leaderKnown(cluster)
  cluster.tell('failed', failed)
  const details = { because: 'nodes 1 and 2 failed: disk full' }
  await expect(waiting).rejects.toMatchObject({ code: 'NO_LEADER', details })
  expect(cluster.events.listenerCount('event')).toBe(0)
})

test('[MB3] a wait for a leader ends as the last node is killed that has not failed', async () => {
  const cluster = new PlayedCluster()
  const waiting = leaderKnown(cluster)
  cluster.tell('killed', { state: 'stopped' })
  await expect(waiting).rejects.toMatchObject({ details: { because: 'node 1 failed: disk full' } })
})

test('[MB3] a wait for a leader goes on while a fault keeps the nodes down, and until its end has brought them back', async () => {
  const cluster = new PlayedCluster()
  const waiting = leaderKnown(cluster)
  cluster.faults = [failing]
  cluster.tell('failed', failed)
  cluster.faults = []
  cluster.tell('faultHealed')
  cluster.leaderId = 2
  cluster.tell('role', { state: 'running', failure: undefined })
  await waiting
})

test('[MB3] a wait for a leader that begins when all nodes have failed ends at once', async () => {
  const dir = temporaryFolder()
  const cluster = await startCluster({ dir, nodes: 1 })
  // The node whose folder is removed does not end cleanly.
  onTestFinished(() => cluster.close().catch(() => undefined))
  await leaderKnown(cluster)
  const ended = nextEvent(cluster, ({ type }) => type === 'failed')
  rmSync(join(dir, 'node-1'), { recursive: true })
  await ended
  const because = expect.stringMatching(/^node 1 failed: .* was removed/)
  await expect(leaderKnown(cluster)).rejects.toMatchObject({ code: 'NO_LEADER', details: { because } })
})

test('[CL5] a wait for a leader ends as the cluster closes, and is refused afterwards', async () => {
  const cluster = new PlayedCluster()
  const waiting = leaderKnown(cluster)
  cluster.close.abort()
  const stopped = { code: 'STOPPED', message: 'the cluster is stopped' }
  await expect(waiting).rejects.toMatchObject(stopped)
  await expect(leaderKnown(cluster)).rejects.toMatchObject(stopped)
  expect(cluster.events.listenerCount('event')).toBe(0)
})

test('[CL5] a wait that its own signal has ended resolves, also when the cluster closes', async () => {
  const cluster = new PlayedCluster()
  cluster.close.abort()
  await leaderKnown(cluster, AbortSignal.abort())
})

test('a wait for the leader of nothing is refused, and leaves no timer behind', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  for (const nothing of [undefined, null, {}, 'cluster'])
    await expect(leaderKnown(nothing as never)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  expect(vi.getTimerCount()).toBe(0)
})

const role = { follower: 0, candidate: 2, leader: 3 } as const

function played(role: number, currentTerm: number, frozenAtMs?: number) {
  const values: Record<string, number> = { role, currentTerm }
  return {
    state: 'running',
    counters: { get: (name: string) => values[name] },
    board: { frozenAtMs },
  } as never
}

test('a leader that is frozen leads until another node knows of a later term', () => {
  const frozen = played(role.leader, 3, 100)
  expect(leaderAmong([frozen, played(role.follower, 3)])).toBe(frozen)
  expect(leaderAmong([frozen, played(role.candidate, 4)])).toBeUndefined()
  const next = played(role.leader, 4)
  expect(leaderAmong([next, frozen, played(role.follower, 4)])).toBe(next)
})

test('a leader that runs leads on while a node that is cut off campaigns', () => {
  const leader = played(role.leader, 3)
  expect(leaderAmong([played(role.candidate, 9), leader])).toBe(leader)
})
