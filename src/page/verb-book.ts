/** Verbs as menus and forms show them, and the lines that come out: all from the registry that the server tells. */
import type { NodeFrame } from '../observer/index.js'
import type { VerbTold } from '../server/index.js'
import type { Chosen } from './store.js'

export interface Group {
  readonly title: string
  readonly verbs: readonly VerbTold[]
}

/** Titles of groups and their verbs. A verb that no group names stands in the last one. */
const groups: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['Process', ['kill', 'stop', 'restart', 'pause', 'resume', 'power-loss']],
  ['Network', ['cut', 'isolate', 'delay', 'drop', 'duplicate', 'reorder', 'throttle']],
  ['Disk, clock', ['slow-disk', 'stall-disk', 'fail-disk', 'full-disk', 'skew']],
  ['Members', ['transfer', 'promote', 'demote', 'remove', 'replace', 'add']],
  ['Log', ['snapshot', 'log']],
  ['', []],
]

/** The kinds of the first word of the verbs that act on a node, on a link or on the clients. */
const firstKinds: Readonly<Record<Chosen['kind'], readonly string[]>> = {
  node: ['target', 'healed'],
  link: ['link', 'healed'],
  clients: ['clients'],
}

export function groupsFor({ kind }: Chosen, verbs: readonly VerbTold[]): readonly Group[] {
  const fitting = verbs.filter(({ slots }) => firstKinds[kind].includes(slots[0]?.kind ?? ''))
  const named = new Set(groups.flatMap(([, names]) => names))
  return groups
    .map(([title, names]) => ({
      title,
      verbs: title === '' ? fitting.filter(({ name }) => !named.has(name)) : inOrder(names, fitting),
    }))
    .filter(({ verbs: found }) => found.length > 0)
}

function inOrder(names: readonly string[], verbs: readonly VerbTold[]): readonly VerbTold[] {
  return names.flatMap((name) => verbs.filter((verb) => verb.name === name))
}

/** The word of a line that names what is chosen. The clients are named by no word: their number is one. */
export function wordFor(chosen: Chosen, direction: Direction = 'both'): string {
  if (chosen.kind === 'node') return String(chosen.nodeId)
  if (chosen.kind === 'clients') return ''
  const { one, other } = chosen
  if (direction === 'both') return `${one}-${other}`
  return direction === 'there' ? `${one}->${other}` : `${other}->${one}`
}

/** The ways of a link that a fault is to hit: both, from the first end to the other, or back. */
export type Direction = 'both' | 'there' | 'back'

/** True where the verb would change something at the node as it is. The sandbox itself has the last word. */
export function isUseful(verb: string, node: NodeFrame | undefined, leaderId: number | undefined): boolean {
  if (node === undefined) return true
  const isUp = node.state === 'running' || node.state === 'paused'
  switch (verb) {
    case 'restart':
      return !isUp
    case 'resume':
      return node.state === 'paused'
    case 'kill':
    case 'stop':
    case 'power-loss':
    case 'skew':
    case 'snapshot':
      return isUp
    case 'pause':
      return node.state === 'running'
    case 'transfer':
      return isUp && node.member === 'voter' && node.nodeId !== leaderId
    case 'promote':
      return node.member === 'learner'
    case 'demote':
      return node.member === 'voter'
    default:
      return true
  }
}

/** A word that a form asks for: one at a place of its own, or one behind the word `before`. */
export interface Field {
  readonly kind: string
  readonly as: string
  readonly isOptional: boolean
  readonly before: string
  readonly expected: string
  readonly words?: readonly string[]
}

/** The words that a form asks for. Those that the menu gives itself are left out: the target, and the time. */
export function fieldsOf({ slots, suffixes }: VerbTold, isTargetGiven: boolean): readonly Field[] {
  return [
    ...slots.slice(isTargetGiven ? 1 : 0).map((slot) => ({ ...slot, before: '' })),
    ...suffixes
      .filter(({ word }) => word !== 'for')
      .map((suffix) => ({ ...suffix, isOptional: true as const, before: suffix.word ?? '' })),
  ]
}

export function takesTime({ suffixes }: VerbTold): boolean {
  return suffixes.some(({ word }) => word === 'for')
}

/** True for a verb that needs no more words than the target. */
export function isReady(verb: VerbTold, isTargetGiven: boolean): boolean {
  return fieldsOf(verb, isTargetGiven).every(({ isOptional }) => isOptional)
}

/** The line of a verb. Fields without a value are left out. `forTime` empty: until it is healed. */
export function lineOf(
  verb: VerbTold,
  target: string,
  values: Readonly<Record<string, string>>,
  forTime: string,
): string {
  const words = fieldsOf(verb, target !== '').flatMap(({ as, before }) => {
    const value = values[as]?.trim() ?? ''
    return value === '' ? [] : before === '' ? [value] : [before, value]
  })
  const time = forTime === '' || !takesTime(verb) ? [] : ['for', forTime]
  return [verb.name, ...(target === '' ? [] : [target]), ...words, ...time].join(' ')
}
