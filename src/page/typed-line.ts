/** The line in the command bar: typed, completed, or taken from those before it. */
import { type Signal, signal } from '@preact/signals'
import { act } from './actions.js'
import { getJson } from './api.js'
import { Typed } from './line-history.js'

export interface Offers {
  readonly offers: readonly string[]
  readonly typed: string
}

export const noOffers: Offers = { offers: [], typed: '' }

/** A line that has not been given yet, with the words that are offered for its end. */
export class TypedLine {
  readonly line = signal('')
  readonly offered = signal<Offers>(noOffers)
  /** The word that is chosen among those offered; -1: none. */
  readonly picked = signal(-1)
  readonly #before = new Typed()

  write(text: string): void {
    this.line.value = text
    this.picked.value = -1
    void offer(text, this.line, this.offered)
  }

  /** A line without offers: arrows then go from line to line, and Tab leaves. */
  #recall(text: string): void {
    this.line.value = text
    this.picked.value = -1
    this.offered.value = noOffers
  }

  take(word: string): void {
    this.write(this.line.value.slice(0, this.line.value.length - this.offered.value.typed.length) + word)
  }

  submit(event: Event): void {
    event.preventDefault()
    const text = this.line.value.trim()
    if (text === '') return
    this.#before.add(text)
    this.write('')
    void act(text)
  }

  onKeyDown(event: KeyboardEvent): void {
    const { offers, typed } = this.offered.value
    const { line, picked } = this
    const next = (picked.value + 1) % offers.length
    if (event.key === 'Tab' && offers.length > 0 && line.value !== '' && !event.shiftKey) {
      const common = commonStart(offers)
      if (common.length > typed.length) this.take(common)
      else picked.value = next
    } else if (event.key === 'ArrowDown' && offers.length > 0) picked.value = next
    else if (event.key === 'ArrowUp' && picked.value >= 0) picked.value -= 1
    else if (event.key === 'ArrowUp') this.#recall(this.#before.before(line.value))
    else if (event.key === 'ArrowDown') this.#recall(this.#before.after())
    else if (event.key === 'Enter' && picked.value >= 0) this.take(offers[picked.value] ?? '')
    else if (event.key === 'Escape') this.#recall(line.value)
    else return
    event.preventDefault()
  }
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
