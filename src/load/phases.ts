/** The progress of a measurement, told once a second. */
import { decimal } from '../terminal/index.js'
import type { Tally } from './tally.js'

export interface Phase {
  readonly name: 'start' | 'fill' | 'warm-up' | 'measure'
  readonly secondsLeft: number
  /** In the last second. */
  readonly commandsPerSecond: number
  readonly callsPerSecond: number
}

export function phaseLine({ name, secondsLeft, commandsPerSecond, callsPerSecond }: Phase): string {
  if (name === 'start') return 'starting'
  const rate = `${decimal(commandsPerSecond)} commits/s, ${decimal(callsPerSecond)} calls/s`
  return name === 'fill' ? 'putting the records' : `${name}, ${secondsLeft} s to go: ${rate}`
}

/** Tells once a second what goes on. */
export class PhaseClock {
  readonly #tally: Tally
  readonly #tell: (phase: Phase) => void
  readonly #timer: NodeJS.Timeout
  #name: Phase['name'] = 'start'
  #endsAtMs = 0
  #commands = 0
  #calls = 0

  constructor(tally: Tally, tell: (phase: Phase) => void) {
    this.#tally = tally
    this.#tell = tell
    this.#timer = setInterval(() => this.#tick(), 1000)
  }

  begin(name: Phase['name'], seconds = 0): void {
    this.#name = name
    this.#endsAtMs = this.#tally.now() + seconds * 1000
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const { commandsSoFar, callsSoFar } = this.#tally
    this.#tell({
      name: this.#name,
      secondsLeft: Math.max(0, Math.round((this.#endsAtMs - this.#tally.now()) / 1000)),
      commandsPerSecond: commandsSoFar - this.#commands,
      callsPerSecond: callsSoFar - this.#calls,
    })
    this.#commands = commandsSoFar
    this.#calls = callsSoFar
  }
}
