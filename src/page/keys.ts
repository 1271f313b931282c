/** Keys of the ring: arrows walk, letters carry out verbs on what is chosen. */
import type { NodeId } from '../raft/index.js'
import type { Chosen, End } from './store.js'

export interface KeyVerb {
  readonly key: string
  readonly verb: string
  readonly on: 'node' | 'link'
  readonly words: string
}

/** A verb that needs a figure opens its form. */
export const keyVerbs: readonly KeyVerb[] = [
  { key: 'k', verb: 'kill', on: 'node', words: 'kill it' },
  { key: 'r', verb: 'restart', on: 'node', words: 'restart it' },
  { key: 'p', verb: 'pause', on: 'node', words: 'pause it, or let it go on' },
  { key: 'o', verb: 'power-loss', on: 'node', words: 'take its power away' },
  { key: 'i', verb: 'isolate', on: 'node', words: 'isolate it' },
  { key: 's', verb: 'slow-disk', on: 'node', words: 'slow its disk' },
  { key: 'w', verb: 'stall-disk', on: 'node', words: 'stall its disk' },
  { key: 'f', verb: 'fail-disk', on: 'node', words: 'let its disk fail' },
  { key: 'x', verb: 'skew', on: 'node', words: 'skew its clock' },
  { key: 't', verb: 'transfer', on: 'node', words: 'let the leader hand over to it' },
  { key: 'n', verb: 'snapshot', on: 'node', words: 'let it take a snapshot' },
  { key: 'h', verb: 'heal', on: 'node', words: 'heal its faults' },
  { key: 'c', verb: 'cut', on: 'link', words: 'cut it' },
  { key: 'd', verb: 'delay', on: 'link', words: 'delay its messages' },
  { key: 'l', verb: 'drop', on: 'link', words: 'lose a share of its messages' },
  { key: 'b', verb: 'throttle', on: 'link', words: 'limit its bytes in a second' },
  { key: 'h', verb: 'heal', on: 'link', words: 'heal its faults' },
]

/** Keys that are no verbs, for the list that `?` shows. */
export const otherKeys: readonly (readonly [keys: string, words: string])[] = [
  ['← →', 'from node to node'],
  ['↓ ↑', 'from a node to its links, and from link to link'],
  ['Enter', 'the menu of what is chosen'],
  ['H', 'heal all faults'],
  ['Escape', 'close what is open, or back to the node'],
  ['↓ ↑ c', 'in the feed: from line to line, and to the cause of a line'],
  ['← →', 'in the tabs: from panel to panel'],
  ['/', 'the command bar'],
  ['Tab ↓ Escape', 'in the command bar: take a word, choose one, or leave the words to Tab on'],
  ['?', 'this list'],
]

/** The verb that a key means for what is chosen. `isPaused`: the node that is chosen is frozen. */
export function verbOfKey(key: string, chosen: Chosen | undefined, isPaused: boolean): string | undefined {
  const verb = keyVerbs.find((each) => each.key === key && each.on === chosen?.kind)?.verb
  return verb === 'pause' && isPaused ? 'resume' : verb
}

/** The node or link that an arrow leads to. `undefined`: the key is no arrow. */
export function stepTo(
  key: string,
  chosen: Chosen | undefined,
  nodeIds: readonly NodeId[],
): Chosen | undefined {
  const [first] = nodeIds
  if (first === undefined) return undefined
  const ends: readonly End[] = [...nodeIds, 'clients']
  const from = endOf(chosen)
  switch (key) {
    case 'Home':
      return chosenAt(first)
    case 'End':
      return chosenAt(nodeIds.at(-1) ?? first)
    case 'ArrowRight':
      return from === undefined ? chosenAt(first) : chosenAt(after(ends, from, 1))
    case 'ArrowLeft':
      return from === undefined ? chosenAt(first) : chosenAt(after(ends, from, -1))
    case 'ArrowDown':
      return linkStep(chosen, from ?? first, nodeIds, 1)
    case 'ArrowUp':
      return linkStep(chosen, from ?? first, nodeIds, -1)
    default:
      return undefined
  }
}

/** The node from which links are walked, or the node itself. */
export function endOf(chosen: Chosen | undefined): End | undefined {
  if (chosen?.kind === 'node') return chosen.nodeId
  return chosen?.kind === 'link' ? chosen.one : chosen?.kind
}

function linkStep(chosen: Chosen | undefined, from: End, nodeIds: readonly NodeId[], step: 1 | -1): Chosen {
  const others = nodeIds.filter((nodeId) => nodeId !== from)
  if (from === 'clients' || others.length === 0) return chosenAt(from)
  const other = chosen?.kind === 'link' ? chosen.other : undefined
  return { kind: 'link', one: from, other: after(others, other, step) }
}

/** The next item of a circle; from no item, the first or the last one. */
function after<Item>(items: readonly Item[], item: Item | undefined, step: 1 | -1): Item {
  const at = items.indexOf(item as Item)
  const next = at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length
  return items[next] as Item
}

export function chosenAt(end: End): Chosen {
  return end === 'clients' ? { kind: 'clients' } : { kind: 'node', nodeId: end }
}
