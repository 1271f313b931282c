/** The course of every measurement, whatever is measured: clients that warm it up, and a window of time. */
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Callers } from './clients.js'
import { type Phase, PhaseClock } from './phases.js'
import type { Tally } from './tally.js'

/** The clock of a measurement. */
export interface MeasureClock {
  /** Milliseconds. */
  readonly now: () => number
  /** Rejects when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

export const realClock: MeasureClock = {
  now: () => performance.now(),
  wait: (ms, signal) => delay(ms, undefined, { signal }),
}

export interface WindowOptions {
  /** Under load, and not measured. */
  readonly warmUpSeconds: number
  readonly seconds: number
}

/** The subject of a measurement. */
export interface Subject<Reading, Figures> {
  /** Resolves with the clients once all is there that they call for. */
  prepare(): Promise<Callers>
  /** The clients are warm. The window begins once this resolves. */
  warmedUp(): Promise<unknown>
  /** Figures that are told as a difference between the end of the window and its beginning. */
  read(atMs: number): Reading
  /** The window has begun. */
  begun?(): void
  /** The window is about to end. Called once for each `begun`, also when the measurement is given up. */
  ending?(): void
  /** The clients make no more calls. */
  figuresOf(window: Window<Reading>): Promise<Figures>
}

export interface Window<Reading> {
  readonly before: Reading
  readonly after: Reading
  /** As `Measurement.unanswered`. */
  readonly unanswered: number | null
}

/** Rejects when the signal is aborted, and when the tally gives up. */
export async function measureWindow<Reading, Figures>(
  subject: Subject<Reading, Figures>,
  { warmUpSeconds, seconds }: WindowOptions,
  tally: Tally,
  clock: MeasureClock,
  signal: AbortSignal,
  tell: (phase: Phase) => void,
): Promise<Figures> {
  const ended = AbortSignal.any([signal, tally.broken])
  const phases = new PhaseClock(tally, tell)
  try {
    phases.begin('fill')
    const callers = await subject.prepare()
    ended.throwIfAborted()
    callers.run().catch((error: unknown) => tally.giveUp(error))
    phases.begin('warm-up', warmUpSeconds)
    await clock.wait(warmUpSeconds * 1000, ended)
    await subject.warmedUp()

    phases.begin('measure', seconds)
    const before = subject.read(clock.now())
    tally.open()
    callers.windowOpens?.()
    subject.begun?.()
    try {
      await clock.wait(seconds * 1000, ended)
    } finally {
      subject.ending?.()
    }
    tally.close()
    const after = subject.read(clock.now())
    const unanswered = callers.countUnanswered?.() ?? null
    tally.isStopped = true
    const figures = await subject.figuresOf({ before, after, unanswered })
    ended.throwIfAborted()
    return figures
  } catch (error) {
    // An end from outside shows as an error of whatever was under way.
    signal.throwIfAborted()
    // A broken run shows as an abort of its own: told is what broke it.
    throw tally.broken.aborted ? tally.broken.reason : error
  } finally {
    tally.isStopped = true
    phases.end()
  }
}
