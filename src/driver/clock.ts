/** Time as the driver is handed it. */
export interface Clock {
  /** Milliseconds from any fixed beginning; never falls. */
  now(): number
  /** The same of a clock that nobody sets: it may run too fast or too slow, and neither jumps nor stands still. */
  steady(): number
  /** Calls back in a later turn, after the host has drained the ports. */
  defer(callback: () => void): void
}
