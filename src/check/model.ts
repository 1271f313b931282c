/** An operation of a history, and what a model says about operations. Both are written by the users of the checker. */

/** How an operation ended. An `unknown` one may have happened at any time after its call, or never. */
export const outcomes = ['ok', 'fail', 'unknown'] as const
export type Outcome = (typeof outcomes)[number]

/** The fields of an operation that the checker reads; a model reads the others. Operations are plain objects. */
export interface Operation {
  /** A number or a name. Two operations of one client may overlap. */
  readonly client: number | string
  /** When the operation was called: a safe integer, on one clock for the whole history. */
  readonly call: number
  /** When the operation returned, on the same clock. Only an operation whose outcome is `ok` needs it. */
  readonly return?: number | null | undefined
  readonly outcome: Outcome
}

/** A value that equals another one exactly when `===` says so. */
export type Identity = string | number | bigint | boolean | null

/** The object as it ought to behave when its operations are carried out one after the other. */
export interface Model<State, Op extends Operation> {
  /**
   * The part of the object that the operation is about. An operation has no effect on any other part, so that each part is
   * checked by itself, which is much faster. Default: the object has one part.
   */
  keyOf?(operation: Op): string
  /** The state of a part before its first operation. */
  initial(key: string): State
  /**
   * The state after the operation, or `undefined` if the operation cannot have ended as it did in this state. The given
   * state must stay as it is. Of an operation with an unknown outcome, only its effect counts: a result that it
   * carries is not looked at.
   */
  step(state: State, operation: Op): State | undefined
  /** Equal for equal states and for no others. Default: the state itself, which must not be an object then. */
  identityOf?(state: State): Identity
  /**
   * True only if the operation leaves every state as it is. The checker takes such an operation as soon as it fits, and
   * leaves it out if its outcome is unknown. Default: no operation is a read.
   */
  isRead?(operation: Op): boolean
  /**
   * True only if the operation fits every state and leaves the same one behind, whatever it was before, as a put does. The
   * checker spares itself orders in which an operation of unknown outcome is followed by one of these. Default: no operation is
   * blind.
   */
  isBlind?(operation: Op): boolean
  /** The operation in a few words, without its client and its times. Default: its fields as JSON, or `String(operation)` if they have none. */
  describe?(operation: Op): string
  /** A state in a few words. Default: its JSON, or `String(state)` if it has none. */
  describeState?(state: State): string
}
