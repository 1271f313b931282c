/** The faults that stand, each with its undo and the time after which it heals by itself. */
import { useRef } from 'preact/hooks'
import { act } from './actions.js'
import { useKeptFocus } from './kept-focus.js'
import { isPast, shownFrame, subject } from './store.js'

export function FaultsView() {
  const frame = shownFrame.value
  const faults = frame?.faults ?? []
  const box = useRef<HTMLUListElement>(null)
  useKeptFocus(box)
  if (frame === undefined || faults.length === 0) return null
  // A fault of the past may be healed already.
  const canHeal = subject.value === 'cluster' && !isPast.value
  return (
    <ul ref={box} class="faults" aria-label="faults that stand">
      {canHeal && faults.length > 1 ? (
        <li>
          <button type="button" class="quiet" onClick={() => void act('heal')}>
            heal all
          </button>
        </li>
      ) : null}
      {faults.map(({ id, line, untilMs }) => (
        <li key={id} class="fault">
          <code>{line}</code>
          {untilMs === undefined ? null : <Countdown leftMs={untilMs - frame.atMs} />}
          {canHeal ? (
            <button
              type="button"
              class="quiet"
              onClick={() => void act(`heal #${id}`)}
              aria-label={`heal ${line}`}
              title={`heal #${id}`}
            >
              ✕
            </button>
          ) : null}
        </li>
      ))}
    </ul>
  )
}

function Countdown({ leftMs }: { leftMs: number }) {
  return <span class="countdown">{Math.max(0, Math.ceil(leftMs / 1000))} s</span>
}
