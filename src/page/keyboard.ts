/** The keyboard: keys that mean something wherever the focus is, unless the reader types. */
import { act } from './actions.js'
import { helpIsOpen } from './help.js'
import { chosenAt, endOf, stepTo, verbOfKey } from './keys.js'
import { chosenIn, elementIdOf, isPaused, openMenu } from './ring-state.js'
import { type Chosen, chosen, menu, shownNodes, subject } from './store.js'
import { isReady, lineOf, wordFor } from './verb-book.js'
import { verbs } from './verbs.js'

export function beginKeyboard(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
    if (onKey(event.key, event.target)) event.preventDefault()
  })
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null
}

/** True when the key meant something. */
function onKey(key: string, target: EventTarget | null): boolean {
  if (key === '?') helpIsOpen.value = true
  else if (key === '/') document.getElementById('line')?.focus()
  else if (key === 'Escape') leave()
  else if (key === 'H' && subject.value === 'cluster') void act('heal')
  else if (target instanceof Element && target.closest('.ring') !== null)
    return walk(key, chosenIn(target) ?? chosen.value) || onKeyInRing(key, chosenIn(target))
  else return target === document.body && walk(key, chosen.value)
  return true
}

/** Arrows lead into the ring from where nothing has the focus. Another part that has it keeps them for itself. */
function walk(key: string, from: Chosen | undefined): boolean {
  const nodeIds = shownNodes.value.map(({ nodeId }) => nodeId)
  const next = stepTo(key, from, nodeIds)
  if (next !== undefined) choose(next)
  return next !== undefined
}

/**
 * Keys act on the node or the link that has the focus, and nowhere else: a focus that was lost must not turn a letter into
 * a verb, and the buttons of the ring keep their keys.
 */
function onKeyInRing(key: string, of: Chosen | undefined): boolean {
  if (of === undefined || subject.value !== 'cluster') return false
  if (key === 'Enter' || key === ' ') openMenu(of)
  else return doVerb(key, of)
  return true
}

function doVerb(key: string, of: Chosen): boolean {
  const name = verbOfKey(key, of, isPaused(of))
  const verb = verbs.value.find((each) => each.name === name)
  if (verb === undefined) return false
  if (isReady(verb, true)) void act(lineOf(verb, wordFor(of), {}, ''))
  else openMenu(of, verb.name)
  return true
}

/** From a menu to what it is of; from a link to its node; from a node to nothing. */
function leave(): void {
  const of = chosen.value
  if (menu.value !== undefined) menu.value = undefined
  else if (of?.kind === 'link') choose(chosenAt(endOf(of) ?? 'clients'))
  else chosen.value = undefined
}

function choose(next: Chosen): void {
  menu.value = undefined
  chosen.value = next
  // The focus moves at once: the next key acts on the element that has it.
  document.getElementById(elementIdOf(next))?.focus()
}
