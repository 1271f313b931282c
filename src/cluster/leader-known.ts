/** Waiting for somebody to lead. */
import { checkMethods, checkSignal, RaftError } from '../errors/index.js'
import { keepsDown } from '../faults/index.js'
import type { Cluster } from './cluster.js'
import type { ClusterEvent } from './events.js'
import { failuresAmong } from './member.js'

const leaderWithinMs = 10_000

type Looked = Pick<Cluster, 'closing' | 'events' | 'faults' | 'leaderId' | 'status'>

/**
 * Resolves once a node leads, or when it has taken so long that the calls themselves had better tell. Rejects with
 * `NO_LEADER` as soon as no node is left that could lead: none runs, and one of them has failed. Rejects with `STOPPED` as
 * soon as the cluster closes.
 */
export async function leaderKnown(cluster: Looked, signal?: AbortSignal): Promise<void> {
  checkMethods('cluster', cluster, 'a cluster', ['status'])
  checkSignal(signal)
  const beganMs = performance.now()
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      clearTimeout(timer)
      cluster.events.off('event', hear)
      cluster.closing.removeEventListener('abort', closed)
      signal?.removeEventListener('abort', done)
    }
    const done = (): void => {
      settled()
      resolve()
    }
    const closed = (): void => {
      settled()
      reject(new RaftError('STOPPED', { what: 'the cluster' }))
    }
    const look = (): void => {
      if (cluster.leaderId !== undefined) return done()
      const because = whyNobodyIsLeft(cluster)
      if (because === undefined) return
      settled()
      reject(new RaftError('NO_LEADER', { deadlineMs: Math.ceil(performance.now() - beganMs), because }))
    }
    const hear = ({ type }: ClusterEvent): void => {
      // A fault is told as healed before the nodes that it kept down are brought back.
      if (type !== 'faultHealed') look()
    }
    const timer = setTimeout(done, leaderWithinMs)
    cluster.events.on('event', hear)
    cluster.closing.addEventListener('abort', closed)
    signal?.addEventListener('abort', done)
    if (signal?.aborted === true) done()
    else if (cluster.closing.aborted) closed()
    else look()
  })
}

/** The nodes that failed, and why, where none runs and no fault will bring one back at its end. */
function whyNobodyIsLeft(cluster: Looked): string | undefined {
  const nodes = cluster.status()
  if (nodes.some(({ state }) => state === 'running' || state === 'paused')) return undefined
  return cluster.faults.some(({ fault }) => keepsDown(fault)) ? undefined : failuresAmong(nodes)
}
