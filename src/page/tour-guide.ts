/** The tour on the cluster that the page shows: frames move it, and it points at parts of the page. */
import { effect, signal } from '@preact/signals'
import { act } from './actions.js'
import { openPanel } from './picked.js'
import { chosen, shownFrame, subject } from './store.js'
import { beginTour, sceneOf, stepOf, type Tour, turned, undoLines, withBegun, withFrame } from './tour.js'

/** `undefined`: nobody takes it. */
export const tour = signal<Tour | undefined>(undefined)
/** Why the last line of the tour was not done. */
export const refused = signal<string | undefined>(undefined)
export const isBusy = signal(false)

export function start(): void {
  const frame = shownFrame.peek()
  if (frame !== undefined) show(beginTour(frame))
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
}

/** Puts everything back. */
export async function leave(): Promise<void> {
  const last = tour.value
  if (last === undefined) return
  tour.value = undefined
  refused.value = undefined
  chosen.value = undefined
  const now = shownFrame.peek() ?? last.now
  for (const line of undoLines({ ...last, now })) await act(line)
}

/** Lets frames of the sandbox's own cluster move the tour, and marks the part of the page that a step is about. */
export function beginGuide(): void {
  effect(() => {
    const frame = shownFrame.value
    const taken = tour.peek()
    if (frame !== undefined && taken !== undefined && subject.value === 'cluster')
      tour.value = withFrame(taken, frame)
  })
  effect(() => {
    const taken = tour.value
    const isShown = taken !== undefined && openPanel.value === 'tour'
    document.documentElement.dataset['tour'] = isShown ? stepOf(taken).place : ''
  })
}
