/** The legend of the ring. */
import { outlines } from './shapes.js'
import { shownFrame } from './store.js'
import { isStill } from './theme.js'

export function Legend() {
  return (
    <details class="legend">
      <summary>legend</summary>
      <dl>
        <Mark words="heartbeat (one of many is drawn)">
          <path class="mark" d={outlines.heartbeat} />
        </Mark>
        <Mark words="entries">
          <path class="mark" d={outlines.entries} />
        </Mark>
        <Mark words="vote or pre-vote">
          <path class="mark" d={outlines.vote} />
        </Mark>
        <Mark words="snapshot">
          <path class="mark" d={outlines.snapshot} />
        </Mark>
        <Mark words="a read, asked of the leader">
          <path class="mark" d={outlines.other} />
        </Mark>
        <Mark words="hollow: its answer">
          <path class="mark hollow" d={outlines.heartbeat} />
        </Mark>
        <Mark words="crossed: the answer is no">
          <path class="no" d="M-4-4L4 4M4-4L-4 4" />
        </Mark>
        <Mark words="election timer, which a heartbeat fills">
          <path class="arc" d="M0-6A6 6 0 1 1-6 0" />
        </Mark>
        <Mark words="the leader, and its lease around it">
          <path class="crown" transform="translate(0 5)" d="M-7 1V-7l3.5 3L0-8l3.5 4L7-7V1Z" />
        </Mark>
      </dl>
      <p>
        Colour is the term.{' '}
        {isStill.value ? 'Messages stand still, as your system asks for little motion.' : ''}
      </p>
      <LeftOut />
    </details>
  )
}

function LeftOut() {
  const count = shownFrame.value?.messagesLeftOut ?? 0
  return count === 0 ? null : (
    <p>{count.toLocaleString('en')} messages more than are drawn in this tenth of a second.</p>
  )
}

function Mark({ words, children }: { words: string; children: preact.ComponentChildren }) {
  return (
    <>
      <dt>
        <svg width={20} height={18} viewBox="-10 -9 20 18" aria-hidden="true">
          {children}
        </svg>
      </dt>
      <dd>{words}</dd>
    </>
  )
}
