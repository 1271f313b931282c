/** Errors of a call whose arguments or whose answer cannot be read. */
import { RaftError, reasonOf } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import type { RequestType } from '../transport/index.js'

/** The refusal of a call that threw before its commands were packed: nothing of it is sent. */
export function refusalOf(error: unknown): RaftError {
  if (error instanceof RaftError) return error
  const expected = 'strings and bytes that can be read'
  const details = { what: 'the arguments', expected, actual: `what threw (${reasonOf(error)})` }
  return new RaftError('INVALID_COMMAND', details, error)
}

/** An answer that cannot be read tells nothing: the command may have been applied, and a query changes nothing. */
export function unreadable(type: RequestType, cause: unknown): RaftError {
  const why = `its answer cannot be read (${reasonOf(cause)})`
  return new RaftError(type === 'propose' ? 'UNKNOWN_OUTCOME' : 'REFUSED_BY_MACHINE', { why }, cause)
}

/** `because`: what the refusal comes from, if that is known. */
export function invalid(
  what: string,
  expected: string,
  actual: string | number,
  because?: string,
): RaftError {
  return new RaftError('INVALID_COMMAND', { what, expected, actual, because })
}

/** The nodes that a caller may name. */
export function oneOfNodes(nodeIds: readonly NodeId[]): string {
  return nodeIds.length === 1 ? `${nodeIds[0]}, the only node` : `one of ${nodeIds.join(', ')}`
}

/** Makes a call of arguments that may run code of the caller: all of it runs before the call is packed. */
export function taking<Outcome>(call: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(refusalOf(error))
  }
}
