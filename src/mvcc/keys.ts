/** The keys: each has a number, by which it is found, ordered, and known to leases, and its newest record. */
import { compareRanges, hashKey, isEqualRange, KvIndex, type Memory } from '../machine/index.js'
import { KeyOrder, type Place } from './key-order.js'
import { keyLength, keyStart } from './key-value.js'
import { bodyOf, type Records, type Ref } from './records.js'

export class Keys {
  readonly #records: Records
  /** Each key's newest record, by the key's number. There is no key 0. */
  #heads = new Int32Array(1024)
  readonly #freeNumbers: number[] = []
  #numbers = 1
  readonly #index: KvIndex
  readonly order: KeyOrder

  constructor(records: Records) {
    this.#records = records
    this.#index = new KvIndex({
      isOf: (number, memory, start, length) => this.#isOf(number, memory, start, length),
    })
    this.order = new KeyOrder({
      compare: (number, memory, start, length) => this.#compare(number, memory, start, length),
      placeOf: (number) => this.placeOf(number),
      exists: (number) => !records.isDelete(this.#heads[number]!),
      changedAt: (number) => {
        const head = this.#heads[number]!
        return records.isDelete(head) ? records.revisionOf(head) : records.keyValueOf(head).createRevision
      },
    })
  }

  headOf(number: number): Ref {
    return this.#heads[number]!
  }

  setHead(number: number, head: Ref): void {
    this.#heads[number] = head
  }

  /** The number of a key; 0 when it has no record. */
  find(key: Place): number {
    const { memory, start, length } = key
    const number = this.#index.find(hashKey(memory, start, length), memory, start, length)
    return number !== 0 || this.#index.homeless === 0 ? number : this.order.find(key)
  }

  /** A number for a key that has none. `add` must follow. */
  take(): number {
    const number = this.#freeNumbers.pop() ?? this.#numbers++
    if (number < this.#heads.length) return number
    const heads = new Int32Array(2 * this.#heads.length)
    heads.set(this.#heads)
    this.#heads = heads
    return number
  }

  /** Adds a key with its first record. The caller adds it to the order. */
  add(number: number, key: Place, head: Ref): void {
    this.#heads[number] = head
    this.#index.add(hashKey(key.memory, key.start, key.length), number)
  }

  /** All numbers that were ever taken are below. */
  get numbersEnd(): number {
    return this.#numbers
  }

  /** Removes a key whose newest record, a delete, is to be dropped. */
  remove(number: number): void {
    const key = this.placeOf(number)
    this.#index.remove(hashKey(key.memory, key.start, key.length), number)
    this.order.remove(number)
    this.#heads[number] = 0
    this.#freeNumbers.push(number)
  }

  /** The bytes of a key, in its newest record. */
  placeOf(number: number): Place {
    const head = this.#heads[number]!
    const memory = this.#records.memoryOf(head)
    const body = bodyOf(head)
    return { memory, start: keyStart(memory, body), length: keyLength(memory, body) }
  }

  /** Whether a number is that of a key. */
  isOf(number: number, { memory, start, length }: Place): boolean {
    return this.#isOf(number, memory, start, length)
  }

  #isOf(number: number, memory: Memory, start: number, length: number): boolean {
    const head = this.#heads[number]!
    const own = this.#records.memoryOf(head)
    const body = bodyOf(head)
    return keyLength(own, body) === length && isEqualRange(own, keyStart(own, body), memory, start, length)
  }

  #compare(number: number, memory: Memory, start: number, length: number): number {
    const head = this.#heads[number]!
    const own = this.#records.memoryOf(head)
    const body = bodyOf(head)
    return compareRanges(own, keyStart(own, body), keyLength(own, body), memory, start, length)
  }
}
