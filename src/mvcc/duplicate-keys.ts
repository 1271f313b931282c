/**
 * The rule by which etcd refuses a transaction that changes a key twice. The deletes of a level stand before its nested
 * transactions, these before the puts of the level, and the two branches of a nested transaction exclude each other.
 */
import type { Memory } from '../machine/index.js'
import { textAt } from './key-order.js'
import type { RequestOp, TxnRequest } from './requests.js'
import type { Span } from './wire.js'

/** Keys are told as strings of one character a byte, which are ordered like their bytes. */
interface Changes {
  readonly puts: Set<string>
  readonly deletes: Intervals
}

export function hasDuplicateKey({ success, failure }: TxnRequest, memory: Memory): boolean {
  return changesOf(success, memory) === undefined || changesOf(failure, memory) === undefined
}

/** `undefined`: a key is changed twice. */
function changesOf(ops: readonly RequestOp[], memory: Memory): Changes | undefined {
  const changes: Changes = { puts: new Set(), deletes: new Intervals() }
  for (const op of ops) if (op.type === 'deleteRange') changes.deletes.add(...intervalOf(op, memory))
  for (const op of ops) if (op.type === 'txn' && !addTxn(changes, op, memory)) return undefined
  for (const op of ops) {
    if (op.type !== 'put') continue
    const key = textOf(op.key, memory)
    if (isChanged(changes, key)) return undefined
    changes.puts.add(key)
  }
  return changes
}

/** Adds what a nested transaction may change; false: that is changed already, or the transaction changes a key twice. */
function addTxn(changes: Changes, { success, failure }: TxnRequest, memory: Memory): boolean {
  const branches = [changesOf(success, memory), changesOf(failure, memory)]
  for (const branch of branches) {
    if (branch === undefined) return false
    for (const key of branch.puts) if (isChanged(changes, key)) return false
  }
  for (const branch of branches) {
    for (const key of branch!.puts) changes.puts.add(key)
    changes.deletes.addAll(branch!.deletes)
  }
  return true
}

function isChanged({ puts, deletes }: Changes, key: string): boolean {
  return puts.has(key) || deletes.has(key)
}

/** As etcd's check has it, a range end of one zero byte ends before every key. */
function intervalOf(
  { key, rangeEnd }: { readonly key: Span; readonly rangeEnd: Span | undefined },
  memory: Memory,
): [string, string] {
  const begin = textOf(key, memory)
  return [
    begin,
    rangeEnd === undefined || rangeEnd.start === rangeEnd.end ? `${begin}\0` : textOf(rangeEnd, memory),
  ]
}

function textOf({ start, end }: Span, memory: Memory): string {
  return textAt(memory, start, end - start)
}

/**
 * Intervals, which are asked whether a point lies in one of them. The intervals lie in runs. A run is sorted and without
 * overlap, and more than twice as long as the next run, so that a request stays cheap that adds and asks by turns.
 */
class Intervals {
  readonly #runs: (readonly [string, string])[][] = []

  add(begin: string, end: string): void {
    if (begin < end) this.#push([[begin, end]])
  }

  addAll(others: Intervals): void {
    for (const run of others.#runs) this.#push(run)
  }

  has(point: string): boolean {
    return this.#runs.some((run) => {
      let low = 0
      let high = run.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (run[middle]![0] <= point) low = middle + 1
        else high = middle
      }
      return low > 0 && point < run[low - 1]![1]
    })
  }

  #push(run: (readonly [string, string])[]): void {
    let merged = run
    for (let last = this.#runs.at(-1); last !== undefined; last = this.#runs.at(-1)) {
      if (last.length > 2 * merged.length) break
      merged = union(last, merged)
      this.#runs.pop()
    }
    this.#runs.push(merged)
  }
}

function union(
  a: readonly (readonly [string, string])[],
  b: readonly (readonly [string, string])[],
): (readonly [string, string])[] {
  const sorted = [...a, ...b].sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0))
  const merged: [string, string][] = []
  for (const [begin, end] of sorted) {
    const last = merged.at(-1)
    if (last === undefined || last[1] < begin) merged.push([begin, end])
    else if (last[1] < end) last[1] = end
  }
  return merged
}
