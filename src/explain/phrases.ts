/** Pieces of sentences that several explanations share. */
import type { NodeId } from '../raft/index.js'
import type { Cause } from './causes.js'

/** `0.4 ms`, `12.3 ms`, `640 ms`, `12.3 s`. */
export function span(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms < 100 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`
}

/** `node 1`, `nodes 1 and 2`, `nodes 1, 2 and 3`. */
export function nodesOf(ids: readonly NodeId[]): string {
  const sorted = [...ids].sort((a, b) => a - b)
  const last = sorted.pop()
  if (last === undefined) return 'no node'
  return sorted.length === 0 ? `node ${last}` : `nodes ${sorted.join(', ')} and ${last}`
}

/** A moment, counted from the first one of the story. */
export function moment(atMs: number, beganMs: number): string {
  return `at ${((atMs - beganMs) / 1000).toFixed(3)} s`
}

/** Text from elsewhere, without what a terminal would obey instead of showing it, line breaks among them. */
export function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu, '\ufffd')
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** A cause as a part of a sentence: `node 1 was killed at 2.000 s (kill 1 for 5s)`. */
export function causeInWords(cause: Cause, beganMs: number): string {
  const { faultLine, sinceMs } = cause
  const since = sinceMs === undefined ? '' : ` ${moment(Math.max(sinceMs, beganMs), beganMs)}`
  const fault = faultLine === undefined ? '' : ` (${shown(faultLine)})`
  return `${happenedIn(cause, since)}${fault}`
}

function happenedIn(cause: Cause, since: string): string {
  const { type, nodeId, to, faultLine, sinceMs, untilMs, why } = cause
  const lasting = sinceMs !== undefined && untilMs !== undefined ? ` for ${span(untilMs - sinceMs)}` : ''
  const from = since === '' ? '' : `, from ${since.slice(' at '.length)} on`
  switch (type) {
    case 'clusterBegan':
      return 'the cluster had just started, and a cluster starts without a leader'
    case 'asked':
      return `node ${nodeId} was asked to start an election`
    case 'killed':
      return `node ${nodeId} was killed${since}`
    case 'failed':
      return `node ${nodeId} failed${since}: ${shown(why ?? '')}`
    case 'paused':
      return `node ${nodeId} was frozen${since}${lasting}`
    case 'link':
      return `a fault kept messages from node ${nodeId} to node ${to} back${from}`
    case 'clock':
      return `a fault made the clock of node ${nodeId} run too slow or too fast${from}`
    case 'disk':
      return faultLine === undefined
        ? `the disk of node ${nodeId} did not finish a write that began${since}`
        : `a fault held the disk of node ${nodeId}${from}`
    case 'hostBlocked':
      return `the program that holds the cluster blocked its event loop${since}${lasting}`
    case 'threadStood':
      return `the thread of node ${nodeId} stood still${since}${lasting}: it was busy, or got no processor`
    case 'unknown':
      return `nothing that is kept tells why: ${why}`
  }
}
