/** The ring as it is shown: its size, the places in it, and what the reader points at. */
import { computed, signal } from '@preact/signals'
import { chosenAt } from './keys.js'
import { keyOf, untouched, type WayLook, waysHit } from './link-look.js'
import { lookOf, type NodeLook } from './node-look.js'
import { type Places, type Point, placesOf, type Size } from './ring-geometry.js'
import { steady } from './steady.js'
import { type Chosen, chosen, type End, menu, newestFrame, shownFrame, shownNodes, subject } from './store.js'

export const ringSize = signal<Size>({ width: 0, height: 0 })

/** Nodes move only when one comes or goes. */
const members = steady(() => shownNodes.value.map(({ nodeId, member }) => ({ nodeId, member })))

export const places = computed<Places>(() => placesOf(members.value, ringSize.value))

export const looks = steady<readonly NodeLook[]>(() => {
  const frame = shownFrame.value
  return frame === undefined ? [] : frame.nodes.map((node) => lookOf(node, frame))
})

const hits = steady(() => (shownFrame.value === undefined ? [] : [...waysHit(shownFrame.value)]))

/** The ways that faults hit, by `keyOf`. */
export const ways = computed<ReadonlyMap<string, WayLook>>(() => new Map(hits.value))

export function wayLook(from: End, to: End): WayLook {
  return ways.value.get(keyOf(from, to)) ?? untouched(from, to)
}

/** The links that are drawn: those between nodes, and those to the clients that a fault hits. */
export const links = computed<readonly (readonly [End, End])[]>(() => {
  const ends = [...places.value.spots.keys()].filter((end) => end !== 'clients')
  const withClients = ends.filter(
    (end) => ways.value.has(`clients>${end}`) || ways.value.has(`${end}>clients`),
  )
  return [
    ...ends.flatMap((one, at) => ends.slice(at + 1).map((other) => linkOf(one, other))),
    ...withClients.map((end) => linkOf(end, 'clients')),
  ]
})

/** The id of the element that Tab reaches: of what is chosen, if it is drawn, and of the first node otherwise. */
export const tabStop = computed<string | undefined>(() => {
  const [first] = looks.value
  const drawn = [
    ...looks.value.map(({ nodeId }) => elementIdOf({ kind: 'node', nodeId })),
    ...links.value.map(([one, other]) => elementIdOf({ kind: 'link', one, other })),
    elementIdOf({ kind: 'clients' }),
  ]
  const ofChosen = chosen.value && elementIdOf(chosen.value)
  if (ofChosen !== undefined && drawn.includes(ofChosen)) return ofChosen
  return first && elementIdOf({ kind: 'node', nodeId: first.nodeId })
})

/** A drag between nodes cuts the link at once, or opens its menu. */
export const tool = signal<'menu' | 'cut'>('menu')

/** A drag that goes on: from a node to where the pointer is. */
export const drag = signal<
  { readonly from: End; readonly to: Point; readonly over: End | undefined } | undefined
>(undefined)

/** Chooses something and opens its menu, where verbs act on what is shown; nothing: closes it. */
export function openMenu(of: Chosen | undefined, verb?: string): void {
  chosen.value = of
  menu.value = of === undefined || subject.value !== 'cluster' ? undefined : { of, verb }
}

/** At present, whatever moment is shown. */
export function isPaused(of: Chosen): boolean {
  if (of.kind !== 'node') return false
  return newestFrame.value?.nodes.find(({ nodeId }) => nodeId === of.nodeId)?.state === 'paused'
}

/**
 * The node, the link or the clients that an element of the ring stands for. A link that is chosen keeps the end from
 * which the reader walked to it.
 */
export function chosenIn(target: EventTarget | null): Chosen | undefined {
  const element = target instanceof Element ? target.closest<SVGElement>('[data-end], [data-link]') : null
  if (element === null) return undefined
  if (chosen.value !== undefined && element.id === elementIdOf(chosen.value)) return chosen.value
  const { end, link = '' } = element.dataset
  if (end !== undefined) return chosenAt(endIn(end))
  const [one = '', other = ''] = link.split(' ')
  return { kind: 'link', one: endIn(one), other: endIn(other) }
}

function endIn(text: string): End {
  return text === 'clients' ? text : Number(text)
}

/** The id of the element that stands for a node, a link or the clients. */
export function elementIdOf(chosen: Chosen): string {
  if (chosen.kind === 'node') return `node-${chosen.nodeId}`
  if (chosen.kind === 'clients') return 'clients'
  return `link-${linkOf(chosen.one, chosen.other).join('-')}`
}

/** The ends of a link, the lower id first and clients last. */
export function linkOf(one: End, other: End): readonly [End, End] {
  return isBefore(one, other) ? [one, other] : [other, one]
}

function isBefore(one: End, other: End): boolean {
  return other === 'clients' || (one !== 'clients' && one < other)
}

export function isSame(one: Chosen | undefined, other: Chosen | undefined): boolean {
  return one !== undefined && other !== undefined && elementIdOf(one) === elementIdOf(other)
}
