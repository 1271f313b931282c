const diskFull = 'disk full'

/** The disk, or the room that a store was given on it, is used up. Whoever reads the message can mend that. */
export function diskFullError(more = '', cause?: unknown): Error {
  const message = `${diskFull}: the log cannot be written${more === '' ? '' : `, ${more}`}`
  return new Error(message, cause === undefined ? {} : { cause })
}

export function isDiskFull({ message }: Error): boolean {
  return message.startsWith(diskFull)
}
