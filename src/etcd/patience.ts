/** The patience of the server with a client that says or reads nothing. */
import type { Duplex } from 'node:stream'
import { Valve } from './valve.js'

/**
 * Ends a connection that is still there after so many milliseconds, unless the returned function is called. While a fault
 * keeps the client and the server apart, the client can do nothing about that, so the time begins anew.
 */
export function endAfter(connection: Duplex, ms: number): () => void {
  const timer = setInterval(() => {
    if (!(connection instanceof Valve) || connection.isOpen) connection.destroy()
  }, ms).unref()
  const stop = (): void => clearInterval(timer)
  connection.once('close', stop)
  return stop
}
