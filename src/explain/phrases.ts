/** Pieces of sentences that several explanations share. */
import type { Cause } from './causes.js'

/** `0.4 ms`, `12.3 ms`, `640 ms`, `12.3 s`. */
export function span(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms < 100 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`
}

/** A moment, counted from the first one of the story: `2.000 s`. */
export function moment(atMs: number, beganMs: number): string {
  return `${((atMs - beganMs) / 1000).toFixed(3)} s`
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
  const since = sinceMs === undefined ? undefined : moment(Math.max(sinceMs, beganMs), beganMs)
  const fault = faultLine === undefined ? '' : ` (${shown(faultLine)})`
  return `${happenedIn(cause, since)}${fault}`
}

function happenedIn(cause: Cause, since: string | undefined): string {
  const { type, nodeId, to, faultLine, why } = cause
  const at = since === undefined ? '' : ` at ${since}`
  const from = since === undefined ? '' : `, from ${since} on`
  switch (type) {
    case 'clusterBegan':
      return 'the cluster had just started, and a cluster starts without a leader'
    case 'transfer':
      return `node ${nodeId} handed over to node ${to}`
    case 'removed':
      return `node ${nodeId} stopped leading${at}, since it has no vote any more`
    case 'laterTerm':
      return `node ${nodeId} stopped leading${at}, since node ${to} knew of a later term`
    case 'asked':
      return `node ${nodeId} was asked to start an election`
    case 'killed':
      return `node ${nodeId} was killed${at}`
    case 'failed':
      return `node ${nodeId} failed${at}: ${shown(why ?? '')}`
    case 'paused':
      return `node ${nodeId} was frozen${lastingOf(cause, since)}`
    case 'link':
      return `a fault kept messages from node ${nodeId} to node ${to} back${from}`
    case 'clock':
      return `a fault made the clock of node ${nodeId} run too slow or too fast${from}`
    case 'disk':
      return faultLine === undefined
        ? `the disk of node ${nodeId} did not finish a write that began${at}`
        : `a fault held the disk of node ${nodeId}${from}`
    case 'hostBlocked':
      return `the program that holds the cluster stood still${lastingOf(cause, since)}: it was busy, or got no processor`
    case 'threadStood':
      return `the thread of node ${nodeId} stood still${lastingOf(cause, since)}: it was busy, or got no processor`
    case 'unknown':
      return `it is not known why, since ${why}`
  }
}

/** When a standstill was, and how long it was. */
function lastingOf({ sinceMs, untilMs, forMs }: Cause, since: string | undefined): string {
  if (since === undefined) return ''
  if (sinceMs === undefined || untilMs === undefined || forMs === undefined) return ` at ${since}`
  // Stretches that follow each other without a pause are one.
  if (forMs >= untilMs - sinceMs - 1) return ` at ${since} for ${span(forMs)}`
  return ` again and again from ${since} on, for ${span(forMs)} in all`
}
