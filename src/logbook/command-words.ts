/** A command in words. */
import { type KvCommand, readCommand, type SessionHeader } from '../machine/index.js'
import { counted, decimal } from '../terminal/index.js'
import { etcdInWords } from './etcd-words.js'
import { hexOf, shortened } from './shortened.js'

export function commandInWords(bytes: Uint8Array, isKeyValue: boolean): string {
  if (!isKeyValue) return hexOf(bytes)
  const command = readCommand(bytes)
  if (command !== undefined) return wordsOf(command)
  // etcd's machine has commands of its own beside those of the key-value store.
  return etcdInWords(bytes) ?? `malformed: ${hexOf(bytes)}`
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
