/** Copies of the protocol's state, and of parts of it. */

/**
 * A deep copy: lists, maps, and objects with their classes. Frozen objects are shared, and so are bytes, which nobody
 * changes once they are in a log or a message.
 */
export function copyOf<T>(value: T): T
export function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (Object.isFrozen(value)) return value
  if (Array.isArray(value)) return value.map((item) => copyOf(item))
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, copyOf(item)]))
  const copy = Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>
  for (const [key, item] of Object.entries(value)) copy[key] = copyOf(item)
  return copy
}

/** A deep copy that nobody can change: of plain data alone. */
export function frozenCopy<T>(value: T): T
export function frozenCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map((item) => frozenCopy(item)))
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([key, item]) => [key, frozenCopy(item)])),
  )
}
