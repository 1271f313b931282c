/** Feeds the store from a run that was recorded. No server is asked for anything then. */
import { batch, computed, signal } from '@preact/signals'
import type { Story } from '../telemetry/index.js'
import { wordsOf } from './api.js'
import { BadRecord, type Recorded, readRecord } from './record.js'
import { followCluster, unfollow } from './source.js'
import { beginAnew, events, frames, head, run } from './store.js'

/** The story of the record that is shown: explanations are made of it. `undefined`: no record is shown. */
export const recordedStory = signal<Story | undefined>(undefined)
/** The reason for which a record was not opened, or shows little, in one line. */
export const trouble = signal<string | undefined>(undefined)
export const isReading = signal(false)

/** A page that holds a record is a file of its own, and has no server. */
export const embedded = document.querySelector('script[type="application/x-raftbox-record"]')

const embeddedName = 'the record in this page'
/** Another record is shown than the one in this page. */
export const isAway = computed(() => embedded !== null && run.value !== embeddedName)

/** Shows the record in this page, if there is one, and the cluster otherwise. */
export function showFirst(): void {
  if (embedded === null) followCluster()
  else void open(embeddedName, new Blob([embedded.textContent.trim()]))
}

/** Shows the record in a file. If it is none, the page goes on to show what it showed. */
export async function openFile(file: File): Promise<void> {
  await open(file.name, file)
}

export function leaveRecord(): void {
  recordedStory.value = undefined
  followCluster()
}

async function open(name: string, blob: Blob): Promise<void> {
  trouble.value = undefined
  isReading.value = true
  try {
    const recorded = await readRecord(name, blob.stream())
    show(recorded)
    if (recorded.frames.length === 0)
      trouble.value = `${name} tells what happened and has no frames: the ring, the logs and the plots stay empty`
  } catch (error) {
    trouble.value = error instanceof BadRecord ? error.message : `${name} cannot be read: ${wordsOf(error)}`
  } finally {
    isReading.value = false
  }
}

function show(recorded: Recorded): void {
  unfollow()
  batch(() => {
    beginAnew('record')
    head.value = recorded.head
    frames.value = recorded.frames
    events.value = recorded.story.happened
    recordedStory.value = recorded.story
  })
}
