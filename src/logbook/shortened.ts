/** Bytes as people can read them, shortened. */
import { counted, printable } from '../terminal/index.js'

/** Bytes of a key or a value that are shown, and bytes of a command that is shown as bytes. */
const shownBytesMax = 40

export function shortened(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return "''"
  const rest = bytes.byteLength - shownBytesMax
  return rest <= 0
    ? printable(bytes)
    : `${printable(wholeCharacters(bytes))}… (${counted(rest, 'byte')} more)`
}

/** The first bytes, without a part of a character of UTF-8 at their end. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let end = shownBytesMax
  while (end > shownBytesMax - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

export function hexOf(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, shownBytesMax)).toString('hex')
  const rest = bytes.byteLength - shownBytesMax
  return rest <= 0 ? shown : `${shown}… (${counted(rest, 'byte')} more)`
}
