/** The tour as a state machine over frames: pure, so that it can be walked without a page. */
import type { Frame } from '../observer/index.js'
import type { LogIndex } from '../raft/index.js'
import { type Cast, type Scene, type TourStep, tourKey, tourSteps, votersRunning } from './tour-steps.js'

export interface Tour {
  /** The step, counted from 0. */
  readonly at: number
  /** The frame at which the step began. */
  readonly first: Frame
  /** The last frame. */
  readonly now: Frame
  readonly cast: Cast
  /** The nodes that play a part in the step are found. Until then, they are looked for in each frame. */
  readonly isCast: boolean
  /** The event that the step waits for has come. Stays true until the next step. */
  readonly isSeen: boolean
  /** Lines of the tour that were carried out. */
  readonly begun: readonly string[]
  readonly answered: Scene['answered']
}

const nobody: Cast = { killed: undefined, cut: undefined }

/** The reason for which the tour cannot begin. `undefined`: it can. */
export function whyNoTour(frame: Frame): string | undefined {
  if (votersRunning(frame).length >= 3) return undefined
  return 'the tour kills one node and needs a majority of the others: it begins when three voters run'
}

export function beginTour(frame: Frame): Tour {
  const [isCast, isSeen] = [false, false]
  return atStep({ at: 0, first: frame, now: frame, cast: nobody, isCast, isSeen, begun: [], answered: {} }, 0)
}

export function stepOf({ at }: Tour): TourStep {
  return tourSteps[at] as TourStep
}

export function sceneOf({ first, now, cast, begun, answered }: Tour): Scene {
  return { first, now, cast, begun, answered }
}

/** The cluster has come to another frame. */
export function withFrame(tour: Tour, now: Frame): Tour {
  const found = tour.isCast ? undefined : stepOf(tour).cast?.(now, tour.cast)
  const moved = { ...tour, now, cast: found ?? tour.cast, isCast: tour.isCast || found !== undefined }
  return { ...moved, isSeen: tour.isSeen || stepOf(tour).isSeen(sceneOf(moved)) }
}

/** The reader goes on, or back. */
export function turned(tour: Tour, by: 1 | -1): Tour {
  return atStep(tour, Math.min(Math.max(tour.at + by, 0), tourSteps.length - 1))
}

function atStep(tour: Tour, at: number): Tour {
  const { now } = tour
  return withFrame({ ...tour, at, first: now, isCast: false, isSeen: false }, now)
}

/** The reader let a line of the tour be carried out. */
export function withBegun(tour: Tour, line: string): Tour {
  return { ...tour, begun: [...tour.begun, line] }
}

/** The cluster has answered the command of a line. */
export function withAnswered(tour: Tour, line: string, index: LogIndex): Tour {
  return withFrame({ ...tour, answered: { ...tour.answered, [line]: index } }, tour.now)
}

/** The lines that put everything back as it was before the tour. */
export function undoLines({ begun, now }: Tour): readonly string[] {
  const own = now.faults.filter(({ line }) => begun.includes(line))
  const hasPut = begun.some((line) => line.startsWith(`put ${tourKey} `))
  return [...own.map(({ id }) => `heal #${id}`), ...(hasPut ? [`delete ${tourKey}`] : [])]
}
