/**
 * Bytes as the engine knows them. A proxy, a subclass or an object that inherits from `Uint8Array` may answer
 * `instanceof` and `byteLength` as it likes, and runs code of its own meanwhile. The getters that all typed arrays
 * share tell what a copy holds, and run no foreign code.
 */
import { assert } from './types.js'

const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype)
const nameOf = getterOf(Symbol.toStringTag)
const lengthOf = getterOf('length')

/** Whether the value is a `Uint8Array`, of any realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return nameOf.call(value) === 'Uint8Array'
}

/** Bytes that a copy of these has; none when their buffer is detached. */
export function lengthOfBytes(bytes: Uint8Array): number {
  return lengthOf.call(bytes) as number
}

function getterOf(property: PropertyKey): (this: unknown) => unknown {
  const getter = Object.getOwnPropertyDescriptor(typedArray, property)?.get
  assert(getter !== undefined, 'typed arrays share their getters')
  return getter
}
