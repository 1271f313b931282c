/** The disk, or the room that a store was given on it, is used up. Whoever reads the message can mend that. */
export function diskFullError(more = '', cause?: unknown): Error {
  const message = `disk full: the log cannot be written${more === '' ? '' : `, ${more}`}`
  return new Error(message, cause === undefined ? {} : { cause })
}
