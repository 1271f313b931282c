/** The command bar: a line, as at the prompt, with what could stand next, and the last lines with their answers. */
import { type Signal, useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { act, type Done, done } from './actions.js'
import { getJson } from './api.js'
import { CopyButton } from './copy-button.js'
import { Typed } from './line-history.js'
import { subject } from './store.js'
import './command-bar.css'

interface Offers {
  readonly offers: readonly string[]
  readonly typed: string
}

const noOffers: Offers = { offers: [], typed: '' }

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
  const line = useSignal('')
  const offered = useSignal<Offers>(noOffers)
  const picked = useSignal(-1)
  const typed = useRef(new Typed())
  const write = (text: string) => {
    line.value = text
    picked.value = -1
    void offer(text, line, offered)
  }
  const take = (word: string) =>
    write(line.value.slice(0, line.value.length - offered.value.typed.length) + word)
  const submit = (event: Event) => {
    event.preventDefault()
    const text = line.value.trim()
    if (text === '') return
    typed.current.add(text)
    write('')
    void act(text)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const { offers } = offered.value
    if (event.key === 'Tab' && offers.length > 0 && line.value !== '' && !event.shiftKey) {
      const common = commonStart(offers)
      if (common.length > offered.value.typed.length) take(common)
      else picked.value = (picked.value + 1) % offers.length
    } else if (event.key === 'ArrowUp') write(typed.current.before(line.value))
    else if (event.key === 'ArrowDown') write(typed.current.after())
    else if (event.key === 'Enter' && picked.value >= 0) take(offers[picked.value] ?? '')
    else if (event.key === 'Escape') offered.value = noOffers
    else return
    event.preventDefault()
  }
  return (
    <form class="line" onSubmit={submit}>
      <span class="prompt" aria-hidden="true">
        ›
      </span>
      <input
        id="line"
        role="combobox"
        aria-label="a line, as at the prompt"
        aria-expanded={offered.value.offers.length > 0}
        aria-controls="offers"
        aria-autocomplete="list"
        aria-activedescendant={picked.value >= 0 ? `offer-${picked.value}` : undefined}
        placeholder="kill leader, cut 1->3, delay 1-2 80ms for 10s, …"
        autocomplete="off"
        spellcheck={false}
        value={line.value}
        onInput={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={onKeyDown}
        onBlur={() => (offered.value = noOffers)}
      />
      <OfferList offered={offered} picked={picked} onTake={take} />
    </form>
  )
}

/** An answer that comes when the line has changed already is forgotten. */
async function offer(text: string, line: Signal<string>, offered: Signal<Offers>): Promise<void> {
  if (text === '') {
    offered.value = noOffers
    return
  }
  const told = await getJson<Offers>(`/api/complete?line=${encodeURIComponent(text)}`).catch(() => noOffers)
  const isWhole = told.offers.length === 1 && told.offers[0]?.trim() === told.typed
  if (line.peek() === text) offered.value = isWhole ? noOffers : told
}

function commonStart([first = '', ...others]: readonly string[]): string {
  let length = first.length
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--
  return first.slice(0, length)
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
