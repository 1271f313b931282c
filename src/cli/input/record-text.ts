/** Types and bounds that the readers of JSON and of CSV share. */

/** How bytes become text. In Latin-1 every byte is a character, so that none is lost on its way. */
export type Charset = 'utf8' | 'latin1'

/** The names of the fields that hold key and value. */
export interface Fields {
  readonly key: string
  readonly value: string
}

/** A name as it looks in a file that is read with the charset. */
export function inCharset(name: string, charset: Charset): string {
  return Buffer.from(name).toString(charset)
}

/** A record as the charset reads it. */
export interface RecordText {
  /** Counted from 1, as editors do. */
  readonly line: number
  readonly key: string
  readonly value: string
}

/** Called with the line and what is wrong there; gives the error to throw. */
export type Malformed = (line: number, why: string) => Error

/** The longest record, with its fields that are not taken: it is held in memory as a whole. */
export const recordBytesMax = 4 << 20
