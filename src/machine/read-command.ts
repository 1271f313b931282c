/** Commands of the built-in KV, read back from their bytes. */
import { commandOps, commandPrefixBytes, keyBytesMax, valueBytesMax } from './commands.js'

/** A command as it was asked for. Bytes are parts of those that were given. */
export type KvCommand =
  | { readonly op: 'put' | 'append'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly key: Uint8Array }
  | {
      readonly op: 'cas'
      readonly key: Uint8Array
      /** `undefined`: the key is expected to be absent. */
      readonly expected: Uint8Array | undefined
      readonly value: Uint8Array
    }

/** `undefined` when the machine would find the command malformed. */
export function readCommand(bytes: Uint8Array): KvCommand | undefined {
  const command = readParts(bytes)
  if (command === undefined || command.op === 'delete') return command
  const { value, expected } = { expected: undefined, ...command }
  const isTooLong = value.byteLength > valueBytesMax || (expected?.byteLength ?? 0) > valueBytesMax
  return isTooLong ? undefined : command
}

function readParts(bytes: Uint8Array): KvCommand | undefined {
  if (bytes.byteLength < commandPrefixBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const keyEnd = commandPrefixBytes + view.getUint16(1, true)
  const key = bytes.subarray(commandPrefixBytes, keyEnd)
  if (keyEnd > bytes.byteLength || key.byteLength === 0 || key.byteLength > keyBytesMax) return undefined
  const rest = bytes.subarray(keyEnd)
  switch (bytes[0]) {
    case commandOps.put:
      return { op: 'put', key, value: rest }
    case commandOps.append:
      return { op: 'append', key, value: rest }
    case commandOps.delete:
      return rest.byteLength === 0 ? { op: 'delete', key } : undefined
    case commandOps.casAbsent:
      return { op: 'cas', key, expected: undefined, value: rest }
    case commandOps.cas: {
      if (rest.byteLength < 4) return undefined
      const valueOffset = 4 + view.getUint32(keyEnd, true)
      if (valueOffset > rest.byteLength) return undefined
      return { op: 'cas', key, expected: rest.subarray(4, valueOffset), value: rest.subarray(valueOffset) }
    }
    default:
      return undefined
  }
}
