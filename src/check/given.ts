/** The options that a caller gives to a check beside its history: those of the wrong kind are refused before the search. */
import { quoted, RaftError } from '../errors/index.js'

/** Throws a `RaftError` for a bound that is no number from 0 on. `undefined` counts as left out. */
export function checkBound(option: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return
  throw new RaftError('INVALID_OPTION', { option, expected: 'a number from 0 on', actual: quoted(value) })
}

/** Throws a `RaftError` for a clock that cannot be asked. `undefined` counts as left out. */
export function checkClock(isTimeUp: unknown): void {
  if (isTimeUp === undefined || typeof isTimeUp === 'function') return
  const actual = quoted(isTimeUp)
  throw new RaftError('INVALID_OPTION', { option: 'isTimeUp', expected: 'a function', actual })
}
