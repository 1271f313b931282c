/** The errors of calls that have no answer at their deadline, or at the close. */
import { RaftError, reasonOf } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import type { Request } from './requests.js'

/** The lack that keeps a request from being sent. */
export type WaitsFor = 'leader' | 'session' | 'room'

/** The error of a request that is not settled at its deadline. */
export function lateErrorOf(request: Request, waitsFor: WaitsFor, deadlineMs: number): RaftError {
  const { type, sentTo, whyUnknown, refusal, target } = request
  if (type === 'propose' && sentTo !== undefined)
    return new RaftError('UNKNOWN_OUTCOME', { why: `no answer within ${deadlineMs} ms` })
  if (whyUnknown !== undefined) return new RaftError('UNKNOWN_OUTCOME', { why: whyUnknown })
  if (sentTo === undefined && refusal === 'overloaded')
    return new RaftError('OVERLOADED', {
      what: `${target === undefined ? 'the leader' : 'its node'} refused the call for ${deadlineMs} ms`,
    })
  if (type !== 'propose') return new RaftError('READ_TIMEOUT', { deadlineMs })
  if (refusal === 'replaced') return new RaftError('REPLACED')
  if (waitsFor === 'room')
    return new RaftError('OVERLOADED', { what: `calls before this one had no answer for ${deadlineMs} ms` })
  return new RaftError(waitsFor === 'session' ? 'NO_SESSION' : 'NO_LEADER', { deadlineMs })
}

/** The error of a request that is not settled when the cluster is closed. */
export function closeErrorOf({ type, sentTo, whyUnknown }: Request): RaftError {
  const mayHaveHappened = type === 'propose' && (sentTo !== undefined || whyUnknown !== undefined)
  if (mayHaveHappened) return new RaftError('UNKNOWN_OUTCOME', { why: 'the cluster was closed' })
  return new RaftError('STOPPED', { what: 'the cluster' })
}

/** The error of a read that only this node was to serve. */
export function stoppedError(nodeId: NodeId): RaftError {
  return new RaftError('STOPPED', { what: `node ${nodeId}` })
}

/** The error of a close that ended everything, though something went wrong. */
export function uncleanEnd(dir: string, thrown: readonly unknown[]): RaftError {
  const causes = thrown.flatMap((error) => (error instanceof AggregateError ? error.errors : [error]))
  const why = causes.map(reasonOf).join('; ')
  return new RaftError('UNCLEAN_END', { dir, why }, new AggregateError(causes))
}
