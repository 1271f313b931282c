/** Foreign text on its way to a terminal: keys and values, names of files, content of files, messages of the system. */
import { isUtf8 } from 'node:buffer'

/**
 * Characters that a terminal obeys instead of showing them, and those that reorder the text around them. Line breaks
 * are among them: foreign text could otherwise begin a line that looks like one of raftbox.
 */
const obeyed = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu
const highBytes = /[\x80-\xff]/g

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Text as it is, with what a terminal would obey in the form of an escape. Bytes that are not UTF-8 show as `\xff`. */
export function printable(text: string | Uint8Array): string {
  if (typeof text === 'string') return text.replace(obeyed, escapeOf)
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
  if (isUtf8(bytes)) return printable(bytes.toString())
  // Latin-1 has a character for each byte.
  const shown = bytes.toString('latin1').replace(highBytes, (byte) => `\\x${hex(byte, 2)}`)
  return printable(shown)
}

function escapeOf(character: string): string {
  return short[character] ?? `\\u${hex(character, 4)}`
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0')
}
