/** Time as the driver is handed it. */
export interface Clock {
  /** Milliseconds from any fixed beginning; never falls. */
  now(): number
  /** Calls back in a later turn, after the ports have been looked at. */
  defer(callback: () => void): void
}
