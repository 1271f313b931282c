/** The errors of calls that have no answer at their deadline, or at the close. */
import { RaftError, reasonOf } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import type { Request } from './requests.js'

/** The leader, as far as is known, and the nodes that failed, in words. Both are looked up as they are read. */
export interface Leadership {
  readonly leaderId: NodeId | undefined
  readonly failures: string | undefined
}

/** The doubt about a call of which only this is known. At the call's deadline it is told with the call's whole time. */
export const noAnswer = 'no answer came'

/** The lack that keeps a request from being sent. */
interface Lack {
  readonly of: 'leader' | 'session' | 'room'
  /** Why nobody leads, as far as that is known. */
  readonly because: string | undefined
}

export function lackOf(leadership: Leadership, isRegistering: boolean): Lack {
  const hasLeader = leadership.leaderId !== undefined
  return {
    of: isRegistering ? 'session' : hasLeader ? 'room' : 'leader',
    because: hasLeader ? undefined : leadership.failures,
  }
}

/** The error of a request that is not settled at its deadline. */
export function lateErrorOf(request: Request, { of, because }: Lack, deadlineMs: number): RaftError {
  const { type, sentTo, whyUnknown, refusal, target } = request
  const isAtNode = type === 'propose' && sentTo !== undefined
  if (isAtNode || whyUnknown === noAnswer)
    return new RaftError('UNKNOWN_OUTCOME', { why: `no answer within ${deadlineMs} ms`, because })
  if (whyUnknown !== undefined) return new RaftError('UNKNOWN_OUTCOME', { why: whyUnknown })
  if (sentTo === undefined && refusal === 'overloaded')
    return new RaftError('OVERLOADED', {
      what: `${target === undefined ? 'the leader' : 'its node'} refused the call for ${deadlineMs} ms`,
    })
  if (type !== 'propose') return new RaftError('READ_TIMEOUT', { deadlineMs, because })
  if (refusal === 'replaced') return new RaftError('REPLACED')
  if (of === 'room')
    return new RaftError('OVERLOADED', { what: `calls before this one had no answer for ${deadlineMs} ms` })
  return new RaftError(of === 'session' ? 'NO_SESSION' : 'NO_LEADER', { deadlineMs, because })
}

/** The error of a request that is not settled when the cluster is closed. */
export function closeErrorOf({ type, sentTo, whyUnknown }: Request): RaftError {
  const mayHaveHappened = type === 'propose' && (sentTo !== undefined || whyUnknown !== undefined)
  if (mayHaveHappened) return new RaftError('UNKNOWN_OUTCOME', { why: 'the cluster was closed' })
  return new RaftError('STOPPED', { what: 'the cluster' })
}

/** The error of a read that only this node was to serve. `because`: how the node ended. */
export function stoppedError(nodeId: NodeId, because: string): RaftError {
  return new RaftError('STOPPED', { what: `node ${nodeId}`, because })
}

/** The error of a close that ended everything, though something went wrong. */
export function uncleanEnd(dir: string, thrown: readonly unknown[]): RaftError {
  const causes = thrown.flatMap((error) => (error instanceof AggregateError ? error.errors : [error]))
  const why = causes.map(reasonOf).join('; ')
  return new RaftError('UNCLEAN_END', { dir, why }, new AggregateError(causes))
}
