/** The feed of all that happened, in plain words, newest at the end: each line with its cause. */
import { computed, signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { describeHappened, type Happened } from '../telemetry/index.js'
import {
  causeOf,
  type FeedFilter,
  type FeedKind,
  feedKinds,
  kindOf,
  linesOf,
  lineWith,
  lostIn,
  placeOf,
  placesDrawn,
  windowOf,
} from './feed-lines.js'
import { momentOf, pick, picked } from './picked.js'
import { steady } from './steady.js'
import { events, eventsMissed, head, isPast, shownEvents, shownNodes } from './store.js'
import './feed.css'

/** As the stylesheet has it. */
const linePx = 38

/** Delays are many on a busy machine, and hide what they come from: the button counts them until they are asked for. */
const filter = signal<FeedFilter>({ nodeId: undefined, hidden: new Set(['delays']) })
const lines = computed(() => linesOf(shownEvents.value, filter.value))
const scroll = signal({ topPx: 0, heightPx: 0 })
/** The feed stays at its end until the reader scrolls away from it. */
const isAtEnd = signal(true)
/** The last line that the reader saw at the end. */
const seenUpTo = signal(0)
/**
 * The line that has the focus. The line stays drawn and the feed does not follow its end meanwhile: the browser moves the
 * focus away from a line that is removed.
 */
const focused = signal<number | undefined>(undefined)
/** A line and its cause, which are marked together. */
const marked = signal<Happened | undefined>(undefined)

const drawn = computed(() => {
  const kept = lineWith(lines.value, focused.value)
  const keptPlace = kept && placeOf(lines.value, kept.sequence)
  return placesDrawn(windowOf(lines.value.length, scroll.value, linePx), keptPlace)
})

/** One of the lines that are drawn is a stop of the Tab key; arrows go on from there. */
const stop = computed(() => {
  const shown = drawn.value.flatMap((place) => lines.value[place] ?? [])
  return (lineWith(shown, marked.value?.sequence) ?? shown.at(-1))?.sequence
})

export function Feed() {
  return (
    <div class="feed">
      <FeedBar />
      <Losses />
      <Lines />
      <NewLines />
    </div>
  )
}

const nodeIds = steady(() => shownNodes.value.map(({ nodeId }) => nodeId))

/** The lines of each kind, for the kinds that are left out. */
const countsLeftOut = computed(() => {
  const counts = Object.fromEntries(feedKinds.map((kind) => [kind, 0])) as Record<FeedKind, number>
  for (const told of shownEvents.value) counts[kindOf(told)] += 1
  return counts
})

function FeedBar() {
  const { nodeId, hidden } = filter.value
  const toggle = (kind: FeedKind) => {
    const next = new Set(hidden)
    if (!next.delete(kind)) next.add(kind)
    filter.value = { nodeId, hidden: next }
  }
  const onNode = (value: string) => {
    filter.value = { nodeId: value === '' ? undefined : Number(value), hidden }
  }
  return (
    <div class="feed-bar" role="toolbar" aria-label="what the feed shows">
      <select
        aria-label="of which node"
        value={nodeId ?? ''}
        onChange={({ currentTarget }) => onNode(currentTarget.value)}
      >
        <option value="">all nodes</option>
        {nodeIds.value.map((id) => (
          <option key={id} value={id}>
            node {id}
          </option>
        ))}
      </select>
      {feedKinds.map((kind) => (
        <button key={kind} type="button" aria-pressed={!hidden.has(kind)} onClick={() => toggle(kind)}>
          {kind}
          {hidden.has(kind) && countsLeftOut.value[kind] > 0
            ? ` ${countsLeftOut.value[kind].toLocaleString('en')}`
            : ''}
        </button>
      ))}
    </div>
  )
}

const lost = computed(() => lostIn(events.value))

function Losses() {
  const missed = eventsMissed.value
  if (missed === 0 && lost.value === 0) return null
  return (
    <p class="feed-losses warn">
      {missed === 0 ? '' : `${missed.toLocaleString('en')} happenings before these are no longer kept. `}
      {lost.value === 0 ? '' : `Nodes told ${lost.value.toLocaleString('en')} more than could be kept.`}
    </p>
  )
}

function Lines() {
  const box = useRef<HTMLDivElement>(null)
  const shown = lines.value
  const first = shown[0]?.sequence ?? 0
  const firstBefore = useRef({ first, shown })
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const before = firstBefore.current
    firstBefore.current = { first, shown }
    const last = shown.at(-1)?.sequence ?? 0
    // The lines of another run begin at their end.
    if (first < before.first) isAtEnd.value = true
    if (isHeld() && last > seenUpTo.value) isAtEnd.value = false
    // Lines that are forgotten at the beginning move those that the reader looks at.
    if (isAtEnd.value) element.scrollTop = element.scrollHeight
    else if (first > before.first) element.scrollTop -= linePx * placeOf(before.shown, first)
    if (isAtEnd.value) seenUpTo.value = last
  }, [shown])
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const watcher = new ResizeObserver(() => {
      if (isAtEnd.value && !isHeld()) element.scrollTop = element.scrollHeight
      onScroll(element)
    })
    watcher.observe(element)
    return () => watcher.disconnect()
  }, [])
  return (
    <div
      ref={box}
      class="feed-scroll"
      tabIndex={-1}
      onScroll={({ currentTarget }) => onScroll(currentTarget)}
    >
      {shown.length === 0 ? <p class="empty">nothing has happened yet that is shown here</p> : null}
      <ol
        aria-label="what happened"
        style={{ height: `${shown.length * linePx}px` }}
        onKeyDown={(event) => onKeyDown(event, box.current)}
        onPointerLeave={() => (marked.value = undefined)}
      >
        {drawn.value.map((place) => {
          const told = shown[place]
          return told && <Line key={told.sequence} told={told} place={place} count={shown.length} />
        })}
      </ol>
    </div>
  )
}

function isHeld(): boolean {
  return lineWith(lines.value, focused.value) !== undefined
}

function onScroll({ scrollTop: topPx, clientHeight: heightPx, scrollHeight }: HTMLElement): void {
  isAtEnd.value = topPx + heightPx >= scrollHeight - linePx / 2
  scroll.value = { topPx, heightPx }
  if (isAtEnd.value) seenUpTo.value = lines.value.at(-1)?.sequence ?? 0
}

interface LineProps {
  readonly told: Happened
  readonly place: number
  readonly count: number
}

function Line({ told, place, count }: LineProps) {
  const tickMs = head.value?.tickMs ?? 1
  const cause = causeOf(events.value, told)
  const words = describeHappened(told, tickMs, lineWith(events.value, told.cause))
  return (
    <li
      class={classOf(told)}
      style={{ top: `${place * linePx}px` }}
      aria-setsize={count}
      aria-posinset={place + 1}
      onPointerEnter={() => (marked.value = told)}
    >
      <button
        type="button"
        class="feed-words"
        title={`${words}: click to have it explained`}
        aria-current={picked.value?.sequence === told.sequence}
        data-sequence={told.sequence}
        tabIndex={told.sequence === stop.value ? 0 : -1}
        onFocus={() => {
          marked.value = told
          focused.value = told.sequence
        }}
        onBlur={({ currentTarget }) => {
          // A window that is left keeps its focus for the time when the reader comes back.
          if (document.activeElement !== currentTarget) focused.value = undefined
        }}
        onClick={() => pick(told)}
      >
        {words}
      </button>
      <span class="feed-below">
        <time>{momentOf(told.atMs)}</time>
        {cause === undefined ? null : (
          <button
            type="button"
            class="quiet feed-cause"
            tabIndex={-1}
            title="go to what led to it"
            onClick={() => goTo(cause)}
          >
            ↳ {describeHappened(cause, tickMs)}
          </button>
        )}
      </span>
    </li>
  )
}

function classOf(told: Happened): string {
  const { sequence } = told
  const mark = marked.value
  const tone =
    told.type === 'role' && told.role === 'leader' ? ' leads' : troubles.has(told.type) ? ' trouble' : ''
  if (mark?.sequence === sequence) return `feed-line marked${tone}`
  return mark?.cause === sequence ? `feed-line cause${tone}` : `feed-line${tone}`
}

const troubles: ReadonlySet<Happened['type']> = new Set([
  'killed',
  'failed',
  'faultBegan',
  'paused',
  'overloaded',
])

/** Shows the line in the middle, with all of its kind if these were left out, and gives it the focus. */
function goTo(told: Happened): void {
  if (lineWith(lines.value, told.sequence) === undefined) {
    const hidden = new Set(filter.value.hidden)
    hidden.delete(kindOf(told))
    filter.value = { nodeId: undefined, hidden }
  }
  const box = document.querySelector('.feed-scroll')
  if (box === null) return
  isAtEnd.value = false
  marked.value = told
  const topPx = placeOf(lines.value, told.sequence) * linePx - box.clientHeight / 2
  // The lines are drawn before one of them can be given the focus.
  requestAnimationFrame(() => {
    box.scrollTop = topPx
    requestAnimationFrame(() => focusLine(told.sequence))
  })
}

function focusLine(sequence: number): void {
  document.querySelector<HTMLElement>(`[data-sequence="${sequence}"]`)?.focus({ preventScroll: true })
}

/** Arrows go from line to line; `c` goes to the cause. */
function onKeyDown(event: KeyboardEvent, box: HTMLElement | null): void {
  const focused = (event.target as HTMLElement).dataset['sequence']
  if (focused === undefined || box === null || event.ctrlKey || event.metaKey || event.altKey) return
  const at = placeOf(lines.value, Number(focused))
  if (event.key === 'c') {
    const cause = causeOf(events.value, lines.value[at])
    if (cause !== undefined) goTo(cause)
    return event.preventDefault()
  }
  const last = lines.value.length - 1
  const steps: Readonly<Record<string, number>> = {
    ...{ ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 },
    ...{ Home: 0, End: last },
  }
  const to = steps[event.key]
  if (to === undefined) return
  event.preventDefault()
  const next = lines.value[Math.max(0, Math.min(to, last))]
  if (next === undefined) return
  const topPx = placeOf(lines.value, next.sequence) * linePx
  if (topPx < box.scrollTop) box.scrollTop = topPx
  else if (topPx + linePx > box.scrollTop + box.clientHeight)
    box.scrollTop = topPx + linePx - box.clientHeight
  requestAnimationFrame(() => focusLine(next.sequence))
}

function NewLines() {
  if (isAtEnd.value) return null
  const all = lines.value
  const count = all.length - placeOf(all, seenUpTo.value + 1)
  const toEnd = () => {
    isAtEnd.value = true
    const box = document.querySelector<HTMLElement>('.feed-scroll')
    // The button vanishes: the focus goes to the lines, and to none of them, which would hold the feed.
    box?.focus({ preventScroll: true })
    box?.scrollTo({ top: box.scrollHeight })
  }
  return (
    <button type="button" class="feed-new" onClick={toEnd}>
      {count > 0 ? `${count.toLocaleString('en')} new ↓` : 'to the end ↓'}
      {isPast.value ? ' of that moment' : ''}
    </button>
  )
}
