/** How the calls of a client are made: what each packs, and how it reads its answers. */
import { RaftError } from '../errors/index.js'
import { assert, type NodeId } from '../raft/index.js'
import type { Answers } from './answers.js'
import { unreadable } from './refusals.js'
import type { CallFrame } from './requests.js'

/** The nodes that may serve a read: `any` spreads reads over all that answer, learners too. */
export type ReadFrom = 'leader' | 'any' | NodeId

/** Where a read is to be served, if it is not a linearizable one at the leader. */
export interface ReadAt {
  readonly from: ReadFrom
  readonly isStale: boolean
}

/** How a call reads its answers, of which it has one for each of its commands or queries. */
export interface Reading<Outcome> {
  readonly type: 'propose' | 'read'
  /** Where it is read. Left out: at the leader. */
  readonly at?: ReadAt
  readonly count: number
  /**
   * Bytes that the answer to a command may have, if they are more than a few: results of commands cannot be had in
   * parts, so a frame holds no more such commands than one message can answer.
   */
  readonly answerBytes: number
  readonly read: (answers: Answers) => Outcome
}

/** The base of clients of a machine, such as a `Cluster`. */
export interface Calls {
  /**
   * Makes one call of the turn. `write` packs its commands into a frame, and `reading` makes the call's outcome of
   * their answers. A call that cannot be written rejects, and has changed nothing, however far `write` came.
   */
  call<Outcome, Parts extends unknown[]>(
    reading: Reading<Outcome>,
    write: (into: CallFrame, ...parts: Parts) => void,
    ...parts: Parts
  ): Promise<Outcome>
}

/** A reading by `read`, which takes the `count` answers of its call and is held to them. */
export function reading<Outcome>(
  type: 'propose' | 'read',
  count: number,
  read: (answers: Answers) => Outcome,
  answerBytes = 0,
): Reading<Outcome> {
  const readOwn = (answers: Answers): Outcome => {
    answers.begin(count)
    try {
      const outcome = read(answers)
      assert(answers.isRead, 'a call reads all of its answers')
      return outcome
    } catch (error) {
      throw readError(type, error)
    }
  }
  return { type, count, answerBytes, read: readOwn }
}

/** A reading by `read` of the only answer of a call, which lies from `start` to `end`: most calls have one. */
export function readingOfOne<Outcome>(
  type: 'propose' | 'read',
  read: (answers: Answers) => Outcome,
  answerBytes = 0,
): Reading<Outcome> {
  const readOwn = (answers: Answers): Outcome => {
    answers.beginOne()
    try {
      return read(answers)
    } catch (error) {
      throw readError(type, error)
    }
  }
  return { type, count: 1, answerBytes, read: readOwn }
}

function readError(type: 'propose' | 'read', error: unknown): RaftError {
  return error instanceof RaftError ? error : unreadable(type, error)
}
