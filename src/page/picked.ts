/** The line of the feed that is explained, and the panel that is open. */
import { computed, effect, signal } from '@preact/signals'
import { moment, type Question } from '../explain/index.js'
import type { Happened } from '../telemetry/index.js'
import { questionAbout } from './feed-lines.js'
import { keep, kept } from './storage.js'
import { head, question, run, type Subject, subject } from './store.js'

export const panelNames = ['tour', 'explain', 'keys', 'load', 'members', 'scenarios'] as const
export type PanelName = (typeof panelNames)[number]

/** A record is looked at, and a scenario does its steps itself: neither takes verbs. */
const panelsOf: Readonly<Record<Subject, readonly PanelName[]>> = {
  cluster: panelNames,
  scenario: ['explain', 'members', 'scenarios'],
  record: ['explain', 'members'],
}

const name = 'raftbox-panel'
/** A page that is loaded again shows the panel that it showed. */
const chosenPanel = signal<PanelName>(
  panelNames.find((each) => each === kept('sessionStorage', name)) ?? 'tour',
)

export const panels = computed(() => panelsOf[subject.value])
export const openPanel = computed(() =>
  panels.value.includes(chosenPanel.value) ? chosenPanel.value : (panels.value[0] ?? 'explain'),
)

export function showPanel(panel: PanelName): void {
  chosenPanel.value = panel
  keep('sessionStorage', name, panel)
}

interface Picked {
  readonly told: Happened
  readonly question: Question | undefined
  /** The run in which it happened. */
  readonly run: string | undefined
}

const lastPicked = signal<Picked | undefined>(undefined)

/** The line that is explained. `undefined`: a question of another part is, or none. */
export const picked = computed(() => {
  const last = lastPicked.value
  return last?.run === run.value && last?.question === question.value ? last?.told : undefined
})

export function pick(told: Happened): void {
  const asked = questionAbout(told)
  lastPicked.value = { told, question: asked, run: run.value }
  question.value = asked
  showPanel('explain')
}

/** Any part of the page may ask: the panel with the answer opens. */
export function beginPanels(): () => void {
  return effect(() => {
    if (question.value !== undefined) showPanel('explain')
  })
}

/** Time since the run began, as explanations count: `2.000 s`. */
export function momentOf(atMs: number): string {
  return moment(atMs, head.value?.beganMs ?? atMs)
}
