/**
 * Keys and ranges of keys, each with its watchers. Keys are strings of one character a byte: JavaScript orders them as
 * etcd orders bytes, and a Map finds them. Watchers of one key are in a Map. Ranges are in a treap, ordered by their
 * starts, each node of which knows the greatest end below it: the ranges around a key are found without a look at the
 * others.
 */

/** The end of a range that has none: greater than every key. */
export const endless = '\u0100'

export interface Watched {
  readonly key: string
  /** The first key behind the range; `undefined`: this key alone. */
  readonly end: string | undefined
}

interface RangeNode<T> {
  readonly start: string
  readonly end: string
  readonly watchers: Set<T>
  /** No smaller than those of the nodes below: random priorities keep the tree flat. */
  readonly priority: number
  greatestEnd: string
  left: Tree<T>
  right: Tree<T>
}
type Tree<T> = RangeNode<T> | undefined

export class Ranges<T extends Watched> {
  /** All watchers, in the order in which they came. */
  readonly all = new Set<T>()
  readonly #byKey = new Map<string, Set<T>>()
  #tree: Tree<T>
  #seed = 1

  add(watcher: T): void {
    this.all.add(watcher)
    if (watcher.end !== undefined) {
      this.#tree = insert(this.#tree, watcher.key, watcher.end, watcher, this.#random())
      return
    }
    const others = this.#byKey.get(watcher.key)
    if (others === undefined) this.#byKey.set(watcher.key, new Set([watcher]))
    else others.add(watcher)
  }

  /** Whether the watcher was here. */
  delete(watcher: T): boolean {
    if (!this.all.delete(watcher)) return false
    if (watcher.end !== undefined) {
      this.#tree = remove(this.#tree, watcher.key, watcher.end, watcher)
      return true
    }
    const others = this.#byKey.get(watcher.key)
    others?.delete(watcher)
    if (others?.size === 0) this.#byKey.delete(watcher.key)
    return true
  }

  /** Calls `visit` with each watcher of `key`. */
  forEachAt(key: string, visit: (watcher: T) => void): void {
    this.#byKey.get(key)?.forEach(visit)
    stab(this.#tree, key, visit)
  }

  /** Xorshift: priorities need no more than to be unlike each other. */
  #random(): number {
    let seed = this.#seed
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    this.#seed = seed
    return seed
  }
}

function compare<T>(start: string, end: string, node: RangeNode<T>): number {
  if (start !== node.start) return start < node.start ? -1 : 1
  if (end !== node.end) return end < node.end ? -1 : 1
  return 0
}

function measure<T>(node: RangeNode<T>): RangeNode<T> {
  let greatest = node.end
  if (node.left !== undefined && node.left.greatestEnd > greatest) greatest = node.left.greatestEnd
  if (node.right !== undefined && node.right.greatestEnd > greatest) greatest = node.right.greatestEnd
  node.greatestEnd = greatest
  return node
}

function insert<T>(node: Tree<T>, start: string, end: string, watcher: T, priority: number): RangeNode<T> {
  if (node === undefined)
    return {
      start,
      end,
      watchers: new Set([watcher]),
      priority,
      greatestEnd: end,
      left: undefined,
      right: undefined,
    }
  const order = compare(start, end, node)
  if (order === 0) {
    node.watchers.add(watcher)
    return node
  }
  if (order < 0) {
    const left = insert(node.left, start, end, watcher, priority)
    node.left = left
    if (left.priority <= node.priority) return measure(node)
    node.left = left.right
    left.right = measure(node)
    return measure(left)
  }
  const right = insert(node.right, start, end, watcher, priority)
  node.right = right
  if (right.priority <= node.priority) return measure(node)
  node.right = right.left
  right.left = measure(node)
  return measure(right)
}

function remove<T>(node: Tree<T>, start: string, end: string, watcher: T): Tree<T> {
  if (node === undefined) return undefined
  const order = compare(start, end, node)
  if (order < 0) node.left = remove(node.left, start, end, watcher)
  else if (order > 0) node.right = remove(node.right, start, end, watcher)
  else {
    node.watchers.delete(watcher)
    if (node.watchers.size === 0) return join(node.left, node.right)
  }
  return measure(node)
}

/** All of `left` is before all of `right`. */
function join<T>(left: Tree<T>, right: Tree<T>): Tree<T> {
  if (left === undefined) return right
  if (right === undefined) return left
  if (left.priority > right.priority) {
    left.right = join(left.right, right)
    return measure(left)
  }
  right.left = join(left, right.left)
  return measure(right)
}

function stab<T>(node: Tree<T>, key: string, visit: (watcher: T) => void): void {
  if (node === undefined || node.greatestEnd <= key) return
  stab(node.left, key, visit)
  if (node.start > key) return
  if (node.end > key) node.watchers.forEach(visit)
  stab(node.right, key, visit)
}
