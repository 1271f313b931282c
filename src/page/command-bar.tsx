/** The command bar: a line, as at the prompt, with what could stand next, and the last lines with their answers. */
import type { Signal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { type Done, done } from './actions.js'
import { CopyButton } from './copy-button.js'
import { subject } from './store.js'
import { noOffers, type Offers, TypedLine } from './typed-line.js'
import './command-bar.css'

export function CommandBar() {
  if (subject.value !== 'cluster') return null
  return (
    <div class="command-bar">
      <LineInput />
      <LastDone />
    </div>
  )
}

function LineInput() {
  const typed = useMemo(() => new TypedLine(), [])
  const { line, offered, picked } = typed
  return (
    <form class="line" onSubmit={(event) => typed.submit(event)}>
      <span class="prompt" aria-hidden="true">
        ›
      </span>
      <input
        id="line"
        role="combobox"
        aria-label="a line, as at the prompt"
        aria-description="Tab and the arrow down take words that are offered; Escape puts them away, and Tab then leaves"
        aria-expanded={offered.value.offers.length > 0}
        aria-controls="offers"
        aria-autocomplete="list"
        aria-activedescendant={picked.value >= 0 ? `offer-${picked.value}` : undefined}
        placeholder="kill leader, cut 1->3, delay 1-2 80ms for 10s, …"
        autocomplete="off"
        spellcheck={false}
        value={line.value}
        onInput={({ currentTarget }) => typed.write(currentTarget.value)}
        onKeyDown={(event) => typed.onKeyDown(event)}
        onBlur={() => (offered.value = noOffers)}
      />
      <OfferList offered={offered} picked={picked} onTake={(word) => typed.take(word)} />
    </form>
  )
}

function OfferList(props: {
  offered: Signal<Offers>
  picked: Signal<number>
  onTake: (word: string) => void
}) {
  const { offers } = props.offered.value
  return (
    <div
      id="offers"
      class="offers"
      role="listbox"
      aria-label="words that could stand here"
      hidden={offers.length === 0}
    >
      {offers.map((word, at) => (
        <button
          key={word}
          id={`offer-${at}`}
          type="button"
          role="option"
          tabIndex={-1}
          aria-selected={at === props.picked.value}
          // The focus stays in the line.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => props.onTake(word)}
        >
          {word}
        </button>
      ))}
    </div>
  )
}

/** The last line and its answer; opened: those before it as well. */
function LastDone() {
  const last = done.value.at(-1)
  if (last === undefined) return null
  return (
    <details class="done">
      <summary title="all lines and their answers">
        <code>{last.line}</code> <FirstLine of={last} />
      </summary>
      <ol>
        {done.value.map((each) => (
          <li key={each.number}>
            <code>{each.line}</code>
            <CopyButton text={each.line} />
            <pre class={each.answer?.ok === false ? 'bad' : ''}>{answerIn(each)}</pre>
          </li>
        ))}
      </ol>
    </details>
  )
}

function FirstLine({ of }: { of: Done }) {
  const [first = ''] = answerIn(of).split('\n')
  return <span class={of.answer?.ok === false ? 'answer bad' : 'answer'}>{first}</span>
}

function answerIn({ answer }: Done): string {
  if (answer === undefined) return '…'
  return answer.ok ? answer.words : answer.message
}
