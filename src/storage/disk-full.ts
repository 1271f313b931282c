/** The disk, or the room that a store was given on it, is used up. Whoever reads the message can mend that. */
export function diskFullError(cause?: unknown): Error {
  return new Error('disk full: the log cannot be written', cause === undefined ? {} : { cause })
}
