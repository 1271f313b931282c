/** The pace at which a follower that is far behind is brought up to date: slow enough to leave the machine to the clients' commands. */
import type { Progress } from './progress.js'
import type { RaftState } from './state.js'

/**
 * A rest is so many times as long as the last answer took, and no longer than a heartbeat interval. The factor is large,
 * since a follower answers before it applies what it was sent.
 */
const restFactor = 8
/** While the log grows by one byte, the follower gets at least so many: it comes nearer under any load. */
const nearingFactor = 2

/**
 * A follower is behind from half a window of unsent entries on, until one message holds what remains. A follower that
 * keeps up is never so far behind. The answer is remembered, since the bound depends on the answer before.
 */
export function isBehind({ log, limits }: RaftState, progress: Progress): boolean {
  const { inflightBytesMax, appendBytesMax } = limits
  const bound = progress.isBehind ? appendBytesMax : inflightBytesMax / 2
  progress.isBehind = log.weightAfter(progress.nextIndex - 1) > bound
  return progress.isBehind
}

/** Notes that old entries or a chunk leave at `now`, in ticks of the leader's clock, where the driver hands one. */
export function beginsWork(
  { log }: RaftState,
  progress: Progress,
  bytes: number,
  now: number | undefined,
): void {
  progress.work = {
    bytes,
    commitIndex: log.commitIndex,
    weight: log.weight,
    sentAt: now,
    answeredAt: undefined,
  }
}

/**
 * True while the follower, which has answered, rests from its last message. There is no rest without other work: when no
 * entry was appended since the message left, or none was committed, since the commits may wait for this very follower.
 * Clients that all wait for one commit leave moments in which no entry waits. The rest outlasts these.
 */
export function isResting({ log, limits }: RaftState, { work }: Progress, now: number | undefined): boolean {
  if (work?.sentAt === undefined || now === undefined) return false
  const grown = log.weight - work.weight
  if (grown === 0 || log.commitIndex === work.commitIndex) return false
  if (grown * nearingFactor >= work.bytes) return false
  work.answeredAt ??= now
  const restTicks = Math.min(restFactor * (work.answeredAt - work.sentAt), limits.heartbeatTicks)
  return now < work.answeredAt + restTicks
}
