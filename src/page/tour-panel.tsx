/** The guided tour, a step at a time, on the cluster that runs. */
import { computed } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { CopyButton } from './copy-button.js'
import { newestFrame, question } from './store.js'
import { sceneOf, stepOf, type Tour, whyNoTour } from './tour.js'
import { doStep, isBusy, leave, refused, start, tour, turn } from './tour-guide.js'
import { tourSteps } from './tour-steps.js'
import './tour-panel.css'

export function TourPanel() {
  return tour.value === undefined ? <Invitation /> : <Step taken={tour.value} />
}

const whyNone = computed(() =>
  newestFrame.value === undefined ? 'the cluster is not seen yet' : whyNoTour(newestFrame.value),
)

function Invitation() {
  const why = whyNone.value
  return (
    <>
      <h2>Never heard of Raft?</h2>
      <p>
        A tour of five minutes shows a leader, a heartbeat, a vote, a lost link and a log that heals: on this
        very cluster. You break it yourself, and look at what it does.
      </p>
      <p class="tour-buttons">
        <button type="button" class="main" disabled={why !== undefined} onClick={start}>
          begin the tour
        </button>
      </p>
      {why === undefined ? null : <p class="soft">{why}</p>}
    </>
  )
}

function Step({ taken }: { taken: Tour }) {
  const heading = useRef<HTMLHeadingElement>(null)
  const { at, isSeen } = taken
  const step = stepOf(taken)
  const scene = sceneOf(taken)
  const isLast = at === tourSteps.length - 1
  // A reader who listens is told of each step; the first one is begun by a click, and not told over it.
  useEffect(() => heading.current?.focus(), [at])
  const asked = step.question?.(scene)
  return (
    <section class="tour-step" aria-label="the tour">
      <p class="soft">
        step {at + 1} of {tourSteps.length}
      </p>
      <h2 ref={heading} tabIndex={-1}>
        {step.title}
      </h2>
      {step.words(scene).map((words) => (
        <p key={words}>{words}</p>
      ))}
      <DoIt line={step.line?.(scene)} isSeen={isSeen} />
      <p class={isSeen ? 'tour-seen good' : 'tour-seen soft'} aria-live="polite">
        {isSeen ? step.seen(scene) : step.waits}{' '}
        {isSeen && asked !== undefined ? (
          <button type="button" onClick={() => (question.value = asked)}>
            why?
          </button>
        ) : null}
      </p>
      <p class="tour-buttons">
        <button type="button" disabled={at === 0} onClick={() => turn(-1)}>
          back
        </button>
        {isLast ? null : (
          <button type="button" class={isSeen ? 'main' : ''} onClick={() => turn(1)}>
            {isSeen ? 'next' : 'skip'}
          </button>
        )}
        <button type="button" class={isLast ? 'main' : 'quiet'} onClick={() => void leave()}>
          {isLast ? 'end, and put all back' : 'leave the tour'}
        </button>
      </p>
    </section>
  )
}

function DoIt({ line, isSeen }: { line: string | undefined; isSeen: boolean }) {
  if (line === undefined) return null
  return (
    <>
      <p class="tour-line">
        <button
          type="button"
          class={isSeen ? '' : 'main'}
          disabled={isBusy.value}
          onClick={() => void doStep(line)}
        >
          do it
        </button>
        <code>{line}</code>
        <CopyButton text={line} />
      </p>
      {refused.value === undefined ? null : (
        <p class="bad" role="alert">
          {refused.value}
        </p>
      )}
    </>
  )
}
