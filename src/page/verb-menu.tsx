/** The menu of a node, a link or the clients: every verb of the registry that acts on it. */
import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { VerbTold } from '../server/index.js'
import { act } from './actions.js'
import { Choices } from './choices.js'
import { CopyButton } from './copy-button.js'
import { useKeptFocus } from './kept-focus.js'
import { keyVerbs, verbOfKey } from './keys.js'
import { nameOf, wordsOfWay } from './link-look.js'
import { lookOf } from './node-look.js'
import { elementIdOf, isPaused, places, wayLook } from './ring-state.js'
import { type Chosen, type End, menu, newestFrame, shownFrame } from './store.js'
import { type Direction, groupsFor, isReady, isUseful, lineOf, takesTime, wordFor } from './verb-book.js'
import { VerbForm } from './verb-form.js'
import { verbs } from './verbs.js'
import './verb-menu.css'

const times = ['', '5s', '10s', '30s', '120s'] as const

export function VerbMenu() {
  const box = useRef<HTMLDivElement>(null)
  useKeptFocus(box)
  const open = menu.value
  const isLeft = open !== undefined && !isThere(open.of)
  useLayoutEffect(() => {
    if (isLeft) menu.value = undefined
  }, [isLeft])
  if (open === undefined || isLeft) return null
  return <Menu key={`${elementIdOf(open.of)} ${open.verb}`} {...{ box, ...open }} />
}

/** While no frame is known, as when the page connects again, nothing is known to be gone. */
function isThere(of: Chosen): boolean {
  return shownFrame.value === undefined || endsOf(of).every((end) => places.value.spots.has(end))
}

interface MenuProps {
  readonly box: { readonly current: HTMLDivElement | null }
  readonly of: Chosen
  readonly verb: string | undefined
}

function Menu({ box, of, verb: verbName }: MenuProps) {
  const named = useSignal(verbName ?? onlyOneFor(of))
  const hovered = useSignal<string | undefined>(undefined)
  const forTime = useSignal('')
  const direction = useSignal<Direction>('both')
  useLayoutEffect(() => settle(box.current, of))
  // A menu that is seen has the focus: the next key is the menu's own.
  useLayoutEffect(() => firstIn(box.current)?.focus(), [named.value])
  useEffect(() => closedFromOutside(box.current), [])
  const target = wordFor(of, direction.value)
  const isGiven = target !== ''
  const run = (line: string) => {
    close(of)
    void act(line)
  }
  const pick = (picked: VerbTold) => {
    if (isReady(picked, isGiven)) run(lineOf(picked, target, {}, forTime.value))
    else named.value = picked.name
  }
  const verb = verbs.value.find(({ name }) => name === named.value)
  const told = verbs.value.find(({ name }) => name === hovered.value)
  return (
    <div
      ref={box}
      class="menu"
      role="dialog"
      aria-label={`verbs for ${titleOf(of)}`}
      onKeyDown={(event) => onKey(event, of, box.current, pick)}
    >
      <header>
        <strong>{titleOf(of)}</strong>
        <button type="button" class="quiet" onClick={() => close(of)} aria-label="close">
          ✕
        </button>
      </header>
      <Facts of={of} />
      {of.kind === 'link' ? <Directions of={of} direction={direction} /> : null}
      {verb === undefined ? (
        <Verbs of={of} isGiven={isGiven} onHover={(name) => (hovered.value = name)} onPick={pick} />
      ) : (
        <VerbForm {...{ verb, target, forTime }} onRun={run} onBack={() => (named.value = undefined)} />
      )}
      {verb === undefined || takesTime(verb) ? <ForTime forTime={forTime} /> : null}
      {verb === undefined ? (
        <Preview verb={told} line={told && lineOf(told, target, {}, forTime.value)} />
      ) : null}
    </div>
  )
}

/** The first thing to choose: a verb that would change nothing comes last. */
function firstIn(box: HTMLElement | null): HTMLElement | null | undefined {
  return (
    box?.querySelector<HTMLElement>('[data-begin], .verb:not(.faint)') ??
    box?.querySelector<HTMLElement>('.verb')
  )
}

/** Where there is only one verb, its form is shown at once. */
function onlyOneFor(of: Chosen): string | undefined {
  const [first, ...others] = groupsFor(of, verbs.value).flatMap((group) => group.verbs)
  return others.length === 0 ? first?.name : undefined
}

function titleOf(of: Chosen): string {
  if (of.kind === 'clients') return 'clients'
  return of.kind === 'node' ? nameOf(of.nodeId) : `link ${nameOf(of.one)} – ${nameOf(of.other)}`
}

/** The state of the thing that was chosen, at the moment that is shown. */
function Facts({ of }: { of: Chosen }) {
  return <p class="facts">{factsOf(of)}</p>
}

function factsOf(of: Chosen): string {
  const frame = shownFrame.value
  if (of.kind === 'clients') return `${decimal(frame?.loadClients ?? 0)} clients of the load`
  if (of.kind === 'link')
    return [wordsOfWay(wayLook(of.one, of.other)), wordsOfWay(wayLook(of.other, of.one))]
      .filter((told) => told !== '')
      .join('; ')
  const node = frame?.nodes.find(({ nodeId }) => nodeId === of.nodeId)
  if (frame === undefined || node === undefined) return ''
  const [, ...facts] = lookOf(node, frame).words.split(', ')
  const { lastIndex, commitIndex, lastApplied } = node
  const log = `log up to ${decimal(lastIndex)}, committed ${decimal(commitIndex)}, applied ${decimal(lastApplied)}`
  return [...facts, log].join(', ')
}

function decimal(count: number): string {
  return count.toLocaleString('en')
}

/** Closes the menu, and leaves the focus where it was opened. */
function close(of: Chosen): void {
  menu.value = undefined
  document.getElementById(elementIdOf(of))?.focus()
}

interface VerbsProps {
  readonly of: Chosen
  readonly isGiven: boolean
  readonly onHover: (name: string) => void
  readonly onPick: (verb: VerbTold) => void
}

function Verbs({ of, isGiven, onHover, onPick }: VerbsProps) {
  const { nodes, leaderId } = newestFrame.value ?? { nodes: [], leaderId: undefined }
  const node = of.kind === 'node' ? nodes.find(({ nodeId }) => nodeId === of.nodeId) : undefined
  return (
    <>
      {groupsFor(of, verbs.value).map(({ title, verbs: group }) => (
        <fieldset key={title} class="verbs">
          <legend>{title}</legend>
          {group.map((verb) => (
            <button
              key={verb.name}
              type="button"
              aria-label={verb.name}
              data-key={keyOf(verb.name, of)}
              class={isUseful(verb.name, node, leaderId) ? 'verb' : 'verb faint'}
              onPointerEnter={() => onHover(verb.name)}
              onFocus={() => onHover(verb.name)}
              onClick={() => onPick(verb)}
            >
              {verb.name}
              {isReady(verb, isGiven) ? '' : ' …'}
            </button>
          ))}
        </fieldset>
      ))}
    </>
  )
}

/** The key is drawn by the stylesheet, so that the name of the button is the verb alone. */
function keyOf(verb: string, of: Chosen): string | undefined {
  return keyVerbs.find((each) => each.verb === verb && each.on === of.kind)?.key
}

function Directions({ of, direction }: { of: Chosen & { kind: 'link' }; direction: { value: Direction } }) {
  const directions: readonly Direction[] = ['both', 'there', 'back']
  return (
    <fieldset class="choices">
      <legend class="unseen">directions</legend>
      <Choices
        choices={directions.map((each) => ({
          words: each === 'both' ? 'both ways' : wordFor(of, each).replace('->', ' → '),
          isChosen: direction.value === each,
          choose: () => (direction.value = each),
        }))}
      />
    </fieldset>
  )
}

function ForTime({ forTime }: { forTime: { value: string } }) {
  return (
    <fieldset class="choices">
      <legend class="unseen">how long a fault stands</legend>
      <Choices
        choices={times.map((time) => ({
          ...{ words: time === '' ? 'until healed' : time, isChosen: forTime.value === time },
          choose: () => (forTime.value = time),
        }))}
      />
    </fieldset>
  )
}

function Preview({ verb, line }: { verb: VerbTold | undefined; line: string | undefined }) {
  return (
    <footer class="preview">
      {verb === undefined || line === undefined ? (
        <p>choose a verb</p>
      ) : (
        <>
          <p>{verb.explanation}</p>
          <code>{line}</code>
          <CopyButton text={line} />
        </>
      )}
    </footer>
  )
}

/** Puts the menu beside what it is of, and within the page. */
function settle(box: HTMLElement | null, of: Chosen): void {
  const [area] = document.getElementsByClassName('ring-box')
  if (box === null || area === undefined) return
  const { left, top } = area.getBoundingClientRect()
  const spots = endsOf(of).flatMap((end) => places.value.spots.get(end) ?? [])
  const middle = (of: 'x' | 'y') => spots.reduce((sum, spot) => sum + spot[of] / spots.length, 0)
  const beside = (of.kind === 'link' ? 0 : (spots[0]?.r ?? 0)) + 22
  const right = left + middle('x') + beside
  const x = right + box.offsetWidth > innerWidth ? right - 2 * beside - box.offsetWidth : right
  const y = top + middle('y') - box.offsetHeight / 2
  box.style.left = `${within(x, innerWidth - box.offsetWidth)}px`
  box.style.top = `${within(y, innerHeight - box.offsetHeight)}px`
}

function endsOf(of: Chosen): readonly End[] {
  if (of.kind === 'link') return [of.one, of.other]
  return [of.kind === 'node' ? of.nodeId : 'clients']
}

const pageMargin = 6

function within(place: number, most: number): number {
  return Math.round(Math.max(pageMargin, Math.min(place, most - pageMargin)))
}

/** A press anywhere else closes the menu. */
function closedFromOutside(box: HTMLElement | null): () => void {
  const onPress = ({ target }: Event) => {
    if (target instanceof Node && !box?.contains(target)) menu.value = undefined
  }
  document.addEventListener('pointerdown', onPress)
  return () => document.removeEventListener('pointerdown', onPress)
}

/** Arrows walk through the buttons, letters pick verbs, and Escape closes. */
function onKey(
  event: KeyboardEvent,
  of: Chosen,
  box: HTMLElement | null,
  pick: (verb: VerbTold) => void,
): void {
  event.stopPropagation()
  if (event.key === 'Escape') return close(of)
  const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
  if (box === null || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
  const name = verbOfKey(event.key, of, isPaused(of))
  const verb = verbs.value.find((each) => each.name === name)
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
  if (verb !== undefined) pick(verb)
  else if (step !== undefined) {
    const buttons = [...box.querySelectorAll<HTMLElement>('button')]
    const at = buttons.indexOf(document.activeElement as HTMLElement)
    buttons[(at + step + buttons.length) % buttons.length]?.focus()
  } else return
  event.preventDefault()
}
