/**
 * Leases, which end by the log's time (`timeTold`), so each node ends a lease at the same entry. A lease never ends before
 * its whole time to live has passed since its last keep-alive: its time begins at the first time that is told after the
 * keep-alive, and anew at the first time that is told in a new term, since clients may have found no leader meanwhile.
 */
import type { TimeTelling } from '../machine/index.js'
import type { Term } from '../raft/index.js'

/** Seconds of the shortest lease: of a shorter one that is asked for, this is granted. etcd's, for an election in 1 s. */
export const ttlMin = 2
/** Seconds of the longest lease. */
export const ttlMax = 9_000_000_000

/** Leaders then tell the time four times a second, so a lease ends within half a second of its time. */
const timeoutMs = 15_000
/** Bounds what one telling ends, so that a node's turn stays short. Further leases end at the next tellings. */
const endedMax = 500
const endedKeysMax = 4000

/** Until the time is told, the time to live has not begun. */
const untold = Number.POSITIVE_INFINITY

/** Packed numbers in front of the leases, and of each lease. */
const headNumbers = 4
const leaseNumbers = 3

export class Lease {
  /** Any int64 but 0. */
  readonly id: bigint
  /** Time to live in seconds. */
  readonly ttl: number
  /** The log's time at which the time to live began; `untold` until the time is told. */
  sinceMs: number
  /** The attached keys, by their numbers in the store. */
  readonly keys = new Set<number>()

  constructor(id: bigint, ttl: number, sinceMs: number) {
    this.id = id
    this.ttl = ttl
    this.sinceMs = sinceMs
  }
}

export class Leases {
  readonly #byId = new Map<bigint, Lease>()
  /**
   * By time to live, each in the order in which the leases end: a keep-alive moves its lease to the end. So a telling looks
   * at the first lease of each.
   */
  readonly #byTtl = new Map<number, Set<Lease>>()
  /** Leases whose time to live begins at the next telling. */
  readonly #untold = new Set<Lease>()
  /** The log's time. */
  #timeMs = 0
  #term: Term = 0
  /** No time to live began before the first time that was told in this term; `untold` until then. */
  #termSinceMs = untold

  get size(): number {
    return this.#byId.size
  }

  /** See `StateMachine`. */
  get leastTimeoutMs(): number {
    return this.#byId.size > 0 ? timeoutMs : Number.POSITIVE_INFINITY
  }

  find(id: bigint): Lease | undefined {
    return this.#byId.get(id)
  }

  /** Called for each run of commands before they are applied. */
  inTerm(term: Term): void {
    if (term === this.#term) return
    this.#term = term
    this.#termSinceMs = untold
  }

  /** The time moves on. Answers the leases that are over, in the order of their ends: each is to be revoked. */
  timeTold({ term, timeMs }: TimeTelling): Lease[] {
    this.inTerm(term)
    this.#timeMs = timeMs
    if (this.#termSinceMs === untold) this.#termSinceMs = timeMs
    for (const lease of this.#untold) lease.sinceMs = timeMs
    this.#untold.clear()
    return this.#over()
  }

  /** `undefined`: there is such a lease. The id 0 asks for a new one, which is made of the command's place in the log. */
  grant(asked: bigint, ttl: number, index: number): Lease | undefined {
    const id = asked === 0n ? this.#newId(index) : asked
    if (this.#byId.has(id)) return undefined
    const lease = new Lease(id, Math.max(ttl, ttlMin), untold)
    this.#add(lease)
    return lease
  }

  keepAlive(lease: Lease): void {
    const ofTtl = this.#byTtl.get(lease.ttl)
    ofTtl?.delete(lease)
    ofTtl?.add(lease)
    if (lease.sinceMs === untold) return
    lease.sinceMs = untold
    this.#untold.add(lease)
  }

  /** Forgets the lease. The caller deletes its keys. */
  remove(lease: Lease): void {
    this.#byId.delete(lease.id)
    this.#untold.delete(lease)
    const ofTtl = this.#byTtl.get(lease.ttl)
    ofTtl?.delete(lease)
    if (ofTtl?.size === 0) this.#byTtl.delete(lease.ttl)
  }

  has(id: bigint): boolean {
    return this.#byId.has(id)
  }

  /** A key's new record is under the lease. */
  attach(key: number, id: bigint): void {
    this.#byId.get(id)?.keys.add(key)
  }

  /** The key was deleted, or put again. */
  detach(key: number, id: bigint): void {
    this.#byId.get(id)?.keys.delete(key)
  }

  /** Whole seconds that are left, at least 0. */
  remaining(lease: Lease): number {
    return Math.max(0, Math.floor((this.#endMs(lease) - this.#timeMs) / 1000))
  }

  /** All leases; the one that ends next comes first. */
  inOrderOfEnd(): Lease[] {
    return this.#sorted([...this.#byTtl.values()].flatMap((ofTtl) => [...ofTtl]))
  }

  /** The whole state but for the attached keys, which the store knows. */
  packed(): Uint8Array {
    const bytes = new Uint8Array(8 * (headNumbers + leaseNumbers * this.#byId.size))
    const view = new DataView(bytes.buffer)
    let at = 0
    for (const number of [this.#byId.size, this.#timeMs, this.#term, this.#termSinceMs]) {
      view.setFloat64(at, number, true)
      at += 8
    }
    for (const ofTtl of this.#byTtl.values()) {
      for (const { id, ttl, sinceMs } of ofTtl) {
        view.setBigInt64(at, id, true)
        view.setFloat64(at + 8, ttl, true)
        view.setFloat64(at + 16, sinceMs, true)
        at += 8 * leaseNumbers
      }
    }
    return bytes
  }

  /** The state that `packed` wrote; the store attaches the keys anew. */
  static unpacked(bytes: Uint8Array): Leases {
    const leases = new Leases()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const count = view.getFloat64(0, true)
    leases.#timeMs = view.getFloat64(8, true)
    leases.#term = view.getFloat64(16, true)
    leases.#termSinceMs = view.getFloat64(24, true)
    for (let at = 8 * headNumbers, added = 0; added < count; added++, at += 8 * leaseNumbers) {
      const id = view.getBigInt64(at, true)
      leases.#add(new Lease(id, view.getFloat64(at + 8, true), view.getFloat64(at + 16, true)))
    }
    return leases
  }

  #add(lease: Lease): void {
    this.#byId.set(lease.id, lease)
    const ofTtl = this.#byTtl.get(lease.ttl)
    if (ofTtl === undefined) this.#byTtl.set(lease.ttl, new Set([lease]))
    else ofTtl.add(lease)
    if (lease.sinceMs === untold) this.#untold.add(lease)
  }

  /** Leases whose time is over, as many as one telling may end. */
  #over(): Lease[] {
    const over: Lease[] = []
    for (const ofTtl of this.#byTtl.values()) {
      let taken = 0
      for (const lease of ofTtl) {
        if (this.#timeMs <= this.#endMs(lease) || taken++ === endedMax) break
        over.push(lease)
      }
    }
    let keys = 0
    const ended = this.#sorted(over).findIndex((lease, at) => {
      keys += lease.keys.size
      return at === endedMax || (at > 0 && keys > endedKeysMax)
    })
    return ended === -1 ? over : over.slice(0, ended)
  }

  #sorted(leases: Lease[]): Lease[] {
    return leases.sort((one, other) => this.#endMs(one) - this.#endMs(other))
  }

  /** The log's time after which the lease is over; the least that it can be while it is untold. */
  #endMs({ sinceMs, ttl }: Lease): number {
    const since = Math.max(sinceMs, this.#termSinceMs)
    return (since === untold ? this.#timeMs : since) + 1000 * ttl
  }

  /** A positive id that no lease has. Ids are spread over all of them, so that they look like those of etcd. */
  #newId(index: number): bigint {
    for (let seed = BigInt(index); ; seed++) {
      const id = spread(seed) & 0x7fff_ffff_ffff_ffffn
      if (id !== 0n && !this.#byId.has(id)) return id
    }
  }
}

/** Another number of 64 bits for each number, as the generator SplitMix64 makes it. */
function spread(seed: bigint): bigint {
  const mixed = (seed * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn
  const again = ((mixed ^ (mixed >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & 0xffff_ffff_ffff_ffffn
  const last = ((again ^ (again >> 27n)) * 0x94d0_49bb_1331_11ebn) & 0xffff_ffff_ffff_ffffn
  return last ^ (last >> 31n)
}
