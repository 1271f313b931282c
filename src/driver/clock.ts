/** Time as the driver is handed it. */
export interface Clock {
  /** Milliseconds from any fixed beginning; never falls. */
  now(): number
  /** Calls back in a later turn, after the host has drained the ports. */
  defer(callback: () => void): void
}
