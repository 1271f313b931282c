/**
 * The state of the page, in one place: every part of the page reads it here. A cluster that runs, a scenario or a record
 * of a run fills it.
 */
import { batch, computed, signal } from '@preact/signals'
import type { Question } from '../explain/index.js'
import type { Frame, FrameHead } from '../observer/index.js'
import type { NodeId } from '../raft/index.js'
import type { Happened } from '../telemetry/index.js'
import { frameAt, indexOfLast, withFrames } from './history.js'

/** The cluster that is shown. Verbs act on the sandbox's own cluster only. */
export type Subject = 'cluster' | 'scenario' | 'record'

/** `lost`: tried again and again. */
export type Connection =
  | { readonly state: 'connecting' | 'live' | 'none' }
  | { readonly state: 'lost'; readonly why: string }

/** An end of a link: `clients` stands for all clients. */
export type End = NodeId | 'clients'

export type Chosen =
  | { readonly kind: 'node'; readonly nodeId: NodeId }
  | { readonly kind: 'link'; readonly one: End; readonly other: End }
  | { readonly kind: 'clients' }

/** Events kept: older ones are forgotten. */
const eventsMax = 20_000

export const subject = signal<Subject>('cluster')
export const connection = signal<Connection>({ state: 'connecting' })
export const head = signal<FrameHead | undefined>(undefined)
/** By number, with gaps: see `withFrames`. */
export const frames = signal<readonly Frame[]>([])
/** By sequence number. */
export const events = signal<readonly Happened[]>([])
/** Events that the page was told to have missed. */
export const eventsMissed = signal(0)
/** The moment that is shown: the newest frame, or the one with this number. */
export const cursor = signal<'live' | number>('live')
export const chosen = signal<Chosen | undefined>(undefined)
/** The menu of verbs that is open, with the verb whose form it shows. */
export const menu = signal<{ readonly of: Chosen; readonly verb: string | undefined } | undefined>(undefined)
/** The node whose keys stand beside the leader's. `undefined`: none. */
export const besideId = signal<NodeId | undefined>(undefined)
/** A question that some part of the page asks: the panel of explanations answers it. */
export const question = signal<Question | undefined>(undefined)

/** The number of the newest frame of the run. */
let lastNumber = 0

export const isPast = computed(() => cursor.value !== 'live')
/** The present, which verbs act on, whatever moment is shown. */
export const newestFrame = computed(() => frames.value.at(-1))
/** The frame that all of the page shows. */
export const shownFrame = computed(() =>
  cursor.value === 'live' ? newestFrame.value : frameAt(frames.value, cursor.value),
)
/** The run that is shown: its name stays the same when the page connects to the same run again. */
export const run = computed(() => head.value?.run)
/** The events up to the moment that is shown. */
export const shownEvents = computed(() => {
  if (cursor.value === 'live') return events.value
  const untilMs = shownFrame.value?.atMs ?? 0
  return events.value.slice(0, indexOfLast(events.value, ({ atMs }) => atMs <= untilMs) + 1)
})
/** The nodes that are shown, by id. */
export const shownNodes = computed(() => shownFrame.value?.nodes ?? [])

/** Frames begin anew: the same ones once more, or those of another run. True for another run. */
export function takeHead(told: FrameHead): boolean {
  const isAnother = head.value?.run !== told.run
  batch(() => {
    head.value = told
    frames.value = []
    if (isAnother) forgetChoices()
  })
  return isAnother
}

export function takeFrames(added: readonly Frame[]): void {
  batch(() => {
    frames.value = withFrames(frames.value, added)
    const newest = newestFrame.value
    // Frames of the past, told once more to a page that connects again, may lack a node that came later.
    if (newest === undefined || newest.number <= lastNumber) return
    lastNumber = newest.number
    // The server refuses both views of the keys for a node that is gone.
    if (!newest.nodes.some(({ nodeId }) => nodeId === besideId.value)) besideId.value = undefined
  })
}

/** Takes events in their order. Those that are known already are left out. */
export function takeEvents(added: readonly Happened[]): void {
  const lastSequence = events.value.at(-1)?.sequence ?? -1
  const newer = added.filter(({ sequence }) => sequence > lastSequence)
  if (newer.length > 0) events.value = [...events.value, ...newer].slice(-eventsMax)
}

export function takeMissed(count: number): void {
  eventsMissed.value += count
}

/** Another cluster, or another run, is to be shown: forgets all of the one before. */
export function beginAnew(told: Subject): void {
  batch(() => {
    subject.value = told
    connection.value = { state: told === 'record' ? 'none' : 'connecting' }
    head.value = undefined
    frames.value = []
    forgetChoices()
    forgetEvents()
  })
}

/** Nodes, moments and terms of one run are others in the next one. */
function forgetChoices(): void {
  cursor.value = 'live'
  chosen.value = undefined
  menu.value = undefined
  besideId.value = undefined
  lastNumber = 0
  question.value = undefined
}

export function forgetEvents(): void {
  batch(() => {
    events.value = []
    eventsMissed.value = 0
  })
}
