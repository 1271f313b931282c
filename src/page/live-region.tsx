/** Words for a screen reader on each thing that happens: who leads, who is down, which fault stands. */
import { effect, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { describeHappened, type Happened } from '../telemetry/index.js'
import { events, head, isPast, run } from './store.js'

const words = signal('')
/** A screen reader that is told more often than this never finishes a sentence. */
const everyMs = 1500
const sentencesMax = 3

export function LiveRegion() {
  useEffect(begin, [])
  return (
    <p class="unseen" aria-live="polite">
      {words}
    </p>
  )
}

function begin(): () => void {
  let lastSequence = events.value.at(-1)?.sequence ?? 0
  let lastRun = run.value
  let timer: ReturnType<typeof setTimeout> | undefined
  const tell = () => {
    timer = undefined
    // Another run counts from the beginning.
    if (run.value !== lastRun) lastSequence = 0
    lastRun = run.value
    const told = events.value.filter((event) => event.sequence > lastSequence && isTold(event))
    lastSequence = events.value.at(-1)?.sequence ?? 0
    const tickMs = head.value?.tickMs ?? 1
    const sentences = told.slice(-sentencesMax).map((event) => describeHappened(event, tickMs))
    if (sentences.length > 0) words.value = `${sentences.join('. ')}.`
  }
  const end = effect(() => {
    if (events.value.length > 0 && !isPast.value) timer ??= setTimeout(tell, everyMs)
  })
  return () => {
    end()
    clearTimeout(timer)
  }
}

function isTold(event: Happened): boolean {
  switch (event.type) {
    case 'role':
      return event.role === 'leader'
    case 'killed':
    case 'failed':
    case 'started':
    case 'removed':
    case 'faultBegan':
    case 'faultHealed':
      return true
    default:
      return false
  }
}
