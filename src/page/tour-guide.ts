/** The tour on the sandbox's own cluster: its newest frames move the tour, which points at parts of the page. */
import { effect, signal } from '@preact/signals'
import { act } from './actions.js'
import { openPanel } from './picked.js'
import { chosen, newestFrame, run, subject } from './store.js'
import {
  beginTour,
  sceneOf,
  stepOf,
  type Tour,
  turned,
  undoLines,
  withAnswered,
  withBegun,
  withFrame,
} from './tour.js'

/** `undefined`: nobody takes it. */
export const tour = signal<Tour | undefined>(undefined)
/** Why the last line of the tour was not done. */
export const refused = signal<string | undefined>(undefined)
export const isBusy = signal(false)
/** The run in which the tour began: a sandbox that is started again knows none of its faults. */
let runOfTour: string | undefined

export function start(): void {
  const frame = newestFrame.peek()
  if (frame === undefined) return
  runOfTour = run.peek()
  show(beginTour(frame))
}

export function turn(by: 1 | -1): void {
  if (tour.value !== undefined) show(turned(tour.value, by))
}

function show(next: Tour): void {
  refused.value = undefined
  tour.value = next
  const nodeId = stepOf(next).node?.(sceneOf(next))
  chosen.value = nodeId === undefined ? undefined : { kind: 'node', nodeId }
}

export async function doStep(line: string): Promise<void> {
  if (tour.value === undefined) return
  tour.value = withBegun(tour.value, line)
  isBusy.value = true
  const answer = await act(line)
  isBusy.value = false
  refused.value = answer.ok ? undefined : answer.message
  const index = answer.ok ? answer['index'] : undefined
  if (tour.value !== undefined && typeof index === 'number')
    tour.value = withAnswered(tour.value, line, index)
}

/** Puts everything back. */
export async function leave(): Promise<void> {
  const last = tour.value
  if (last === undefined) return
  tour.value = undefined
  refused.value = undefined
  chosen.value = undefined
  const now = newestFrame.peek() ?? last.now
  for (const line of undoLines({ ...last, now })) await act(line)
}

/** Lets frames of the sandbox's own cluster move the tour, and marks the part of the page that a step is about. */
export function beginGuide(): void {
  effect(() => {
    const frame = newestFrame.value
    const taken = tour.peek()
    if (frame === undefined || taken === undefined || subject.value !== 'cluster') return
    tour.value = run.value === runOfTour ? withFrame(taken, frame) : undefined
  })
  effect(() => {
    const taken = tour.value
    const isShown = taken !== undefined && openPanel.value === 'tour'
    document.documentElement.dataset['tour'] = isShown ? stepOf(taken).place : ''
  })
}
