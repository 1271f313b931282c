/** Errors of a call whose arguments or whose answer cannot be read. */
import { RaftError, reasonOf } from '../errors/index.js'

/** The refusal of a call that threw before its commands were packed: nothing of it is sent. */
export function refusalOf(error: unknown): RaftError {
  if (error instanceof RaftError) return error
  const expected = 'strings and bytes that can be read'
  const details = { what: 'the arguments', expected, actual: `what threw (${reasonOf(error)})` }
  return new RaftError('INVALID_COMMAND', details, error)
}

/** An answer that cannot be read tells nothing: the command may have been applied, and a query changes nothing. */
export function unreadable(type: 'propose' | 'read', cause: unknown): RaftError {
  const why = `its answer cannot be read (${reasonOf(cause)})`
  return new RaftError(type === 'read' ? 'REFUSED_BY_MACHINE' : 'UNKNOWN_OUTCOME', { why }, cause)
}
