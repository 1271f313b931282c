/**
 * Procedures that ask a cluster, wait for the answer and go on. Procedures are generators and no promises: in virtual time
 * no reaction to a promise runs before time passes, and a procedure goes on at the moment of its answer.
 */
import { failure, RaftError, type Result } from '../errors/index.js'

type Asking = (answered: (answer: unknown) => void) => void

/** Throws a `RaftError` where it fails. */
export type Procedure<Outcome> = Generator<Asking, Outcome, unknown>

/** The answer that `asking` is given. */
export function* answerTo<Answer>(asking: (answered: (answer: Answer) => void) => void): Procedure<Answer> {
  return (yield asking) as Answer
}

/** Runs a procedure to its end, which `ended` is told. */
export function carryOut<Outcome>(
  procedure: Procedure<Outcome>,
  ended: (result: Result<Outcome>) => void,
): void {
  const goOn = (answer: unknown): void => {
    const next = nextOf(procedure, answer)
    if ('ok' in next) ended(next)
    else if (next.done === true) ended({ ok: true, value: next.value })
    else next.value(goOn)
  }
  goOn(undefined)
}

function nextOf<Outcome>(procedure: Procedure<Outcome>, answer: unknown) {
  try {
    return procedure.next(answer)
  } catch (error) {
    if (!(error instanceof RaftError)) throw error
    return failure(error.code, error.details)
  }
}
