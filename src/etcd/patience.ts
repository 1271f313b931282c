/** The patience of the server with a client that says or reads nothing. */
import type { Duplex } from 'node:stream'
import { Valve } from './valve.js'

/** The time is counted in so many parts, so that no fault between two of them goes unseen for long. */
const parts = 10

/**
 * Ends a connection that is still there after so many milliseconds, unless the returned function is called. While a fault
 * keeps the client and the server apart, the client can do nothing about that, so the time begins anew.
 */
export function endAfter(connection: Duplex, ms: number): () => void {
  const stop = patient(connection, ms, () => void connection.destroy())
  connection.once('close', stop)
  return stop
}

/** Calls `end` once no fault has kept the client apart for so many milliseconds. The connection may end before that. */
export function patient(connection: Duplex, ms: number, end: () => void): () => void {
  let passed = 0
  const timer = setInterval(() => {
    const isApart = connection instanceof Valve && !connection.isOpen && !connection.destroyed
    passed = isApart ? 0 : passed + 1
    if (passed < parts) return
    stop()
    end()
  }, ms / parts).unref()
  const stop = (): void => clearInterval(timer)
  return stop
}
