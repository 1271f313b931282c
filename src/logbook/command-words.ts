/** A command in words. */
import { type KvCommand, readCommand, type SessionHeader } from '../machine/index.js'
import { mvccCommandOps } from '../mvcc/index.js'
import { counted, decimal, printable } from '../terminal/index.js'

/** Bytes of a key or a value that are shown, and bytes of a command that is shown as bytes. */
const shownBytesMax = 40

/** etcd's machine has commands of its own beside those of the key-value store. */
const etcdNames = new Map<number | undefined, string>(
  Object.entries(mvccCommandOps).map(([name, op]) => [op, name]),
)

export function commandInWords(bytes: Uint8Array, isKeyValue: boolean): string {
  if (!isKeyValue) return hexOf(bytes)
  const command = readCommand(bytes)
  if (command !== undefined) return wordsOf(command)
  const name = etcdNames.get(bytes[0])
  return name === undefined ? `malformed: ${hexOf(bytes)}` : `etcd's ${name} ${hexOf(bytes.subarray(1))}`
}

export function headerInWords(header: SessionHeader): string {
  switch (header.op) {
    case 'register':
      return `(a client begins a session of ${decimal(header.timeoutMs)} ms)`
    case 'clock':
      return `(the log's time is ${decimal(header.timeMs)} ms)`
    case 'call':
      return `(call ${decimal(header.sequence)} of session ${decimal(header.session)}: ${counted(header.count, 'command')})`
  }
}

function wordsOf(command: KvCommand): string {
  const key = shortened(command.key)
  if (command.op === 'delete') return `delete ${key}`
  if (command.op !== 'cas') return `${command.op} ${key} ${shortened(command.value)}`
  const expected = command.expected === undefined ? 'absent' : shortened(command.expected)
  return `cas ${key} from ${expected} to ${shortened(command.value)}`
}

function shortened(bytes: Uint8Array): string {
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

function hexOf(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, shownBytesMax)).toString('hex')
  const rest = bytes.byteLength - shownBytesMax
  return rest <= 0 ? shown : `${shown}… (${counted(rest, 'byte')} more)`
}
