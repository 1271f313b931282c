/**
 * Leases in virtual time, while leaders are killed, paused and cut off, and clocks are set: no lease ends before its time
 * to live has passed since the last keep-alive that was acknowledged, and each one ends when nobody keeps it alive.
 */
import { afterEach, expect, test, vi } from 'vitest'
import { Dice, type Fault, offsetMsMax } from '../../src/faults/index.js'
import {
  type CommandRun,
  createKv,
  encode,
  type ResultWriter,
  readCommand,
  type StateMachine,
  type TimeTelling,
  writePut,
} from '../../src/machine/index.js'
import { Leases } from '../../src/mvcc/leases.js'
import { forEachCommand } from '../../src/raft/index.js'
import { SimulatedCluster } from '../../src/sim/index.js'

const leaseIds = [1n, 2n, 3n, 4n, 5n]
const clockDrift = 0.03
const skewDrift = 0.02
const ttl = (id: bigint): number => 2 + Number(id % 3n)

/** The built-in store, which the simulation knows, with leases beside it: a put grants a lease or keeps it alive. */
class LeasedStore implements StateMachine {
  readonly #store = createKv()
  readonly leases = new Leases()
  readonly #ended: (id: bigint, index: number) => void

  constructor(ended: (id: bigint, index: number) => void) {
    this.#ended = ended
  }

  get leastTimeoutMs(): number {
    return this.leases.leastTimeoutMs
  }

  apply(run: CommandRun, results: ResultWriter | undefined): void {
    this.leases.inTerm(run.term)
    forEachCommand(run, (start, end, position) => {
      const id = BigInt(Buffer.from(readCommand(run.bytes.subarray(start, end))!.key).toString())
      const lease = this.leases.find(id)
      if (lease === undefined) this.leases.grant(id, ttl(id), run.index + position)
      else this.leases.keepAlive(lease)
    })
    this.#store.apply(run, results)
  }

  timeTold(telling: TimeTelling): void {
    for (const lease of this.leases.timeTold(telling)) {
      this.leases.remove(lease)
      this.#ended(lease.id, telling.index)
    }
  }

  readonly read: StateMachine['read'] = (queries, results) => this.#store.read(queries, results)
  readonly snapshot: StateMachine['snapshot'] = () => this.#store.snapshot()
  readonly restore: StateMachine['restore'] = (pieces) => this.#store.restore(pieces)

  /** The simulation compares it among the nodes, entry by entry. */
  hash(): string {
    return `${this.#store.hash()} ${Buffer.from(this.leases.packed()).toString('base64')}`
  }
}

class Storm {
  readonly cluster: SimulatedCluster
  readonly #dice: Dice
  /** When the keep-alive was sent that was acknowledged last, by lease. */
  readonly #kept = new Map<bigint, number>()
  /** The entries that ended leases: the first node that applies one is the one that counts. */
  readonly #seen = new Set<string>()
  readonly early: string[] = []
  ended = 0
  /** The simulation tells commands by their bytes, so each has others. */
  #keepAlives = 0
  #areClientsAwake = true

  constructor(seed: number) {
    this.#dice = new Dice(seed)
    const ended = (id: bigint, index: number): void => this.#hasEnded(id, index)
    this.cluster = new SimulatedCluster({
      seed,
      clockDrift,
      // Snapshots of the store have no leases.
      bounds: { logBytesMax: 1 << 30, trailingBytes: 0 },
      createMachine: () => new LeasedStore(ended),
    })
    for (const id of leaseIds) this.#keepAlive(id)
  }

  get terms(): number {
    return Math.max(...this.cluster.nodes.map(({ state }) => state?.currentTerm ?? 0))
  }

  /** One fault after the other, mostly at the leader, each for a while. */
  rages(ms: number): void {
    const endMs = this.cluster.nowMs + ms
    while (this.cluster.nowMs < endMs) {
      this.cluster.run(this.#dice.between(200, 1500))
      const id = this.#dice.chance(0.7) ? this.cluster.leaderId : undefined
      const fault = this.#fault(id ?? this.#dice.pick([1, 2, 3]))
      if (this.#mayBegin(fault)) this.cluster.faults.begin(fault, this.#dice.between(100, 2500))
    }
  }

  /** Nobody keeps a lease alive from now on, and nothing is broken. */
  calmsDown(): void {
    this.#areClientsAwake = false
    void this.cluster.faults.heal(() => true)
    this.cluster.awaitLeader()
  }

  /** Clients keep a lease alive often enough, and now and then sleep for longer than the lease lives. */
  #keepAlive(id: bigint): void {
    const { cluster } = this
    if (!this.#areClientsAwake) return
    const sentMs = cluster.nowMs
    const to = cluster.leaderId ?? this.#dice.pick([1, 2, 3])
    const told = ({ outcome }: { readonly outcome: string }): void => {
      if (outcome === 'applied') this.#kept.set(id, Math.max(sentMs, this.#kept.get(id) ?? 0))
    }
    cluster.send(to, 'propose', [encode(writePut, String(id), `${++this.#keepAlives}`)], told, 1000)
    const pauseMs = this.#dice.chance(0.07) ? this.#dice.between(3000, 9000) : this.#dice.between(200, 700)
    cluster.later(pauseMs, () => this.#keepAlive(id))
  }

  #hasEnded(id: bigint, index: number): void {
    const name = `${id} at ${index}`
    if (this.#seen.has(name)) return
    this.#seen.add(name)
    this.ended++
    const livedMs = this.cluster.nowMs - (this.#kept.get(id) ?? Number.NEGATIVE_INFINITY)
    // The clock of a leader may be fast, and be set ahead, as far as the cluster takes it.
    const { aheadMs } = offsetMsMax(this.cluster.clockBounds!, skewDrift)
    if (livedMs < (1000 * ttl(id)) / (1 + clockDrift + skewDrift) - aheadMs)
      this.early.push(`${name}: ${livedMs} ms`)
  }

  /** A node that is down cannot be broken further, and clocks have bounds. */
  #mayBegin(fault: Fault): boolean {
    try {
      this.cluster.check(fault)
      return true
    } catch {
      return false
    }
  }

  #fault(id: number): Fault {
    const nodes = [id]
    const { aheadMs } = offsetMsMax(this.cluster.clockBounds!, skewDrift)
    return this.#dice.pick<Fault>([
      { type: 'kill', nodes },
      { type: 'losePower', nodes },
      { type: 'pause', nodes },
      { type: 'isolate', nodes },
      { type: 'stallDisk', nodes },
      { type: 'slowDisk', nodes, flushMs: 80 },
      { type: 'skew', nodes, offsetMs: this.#dice.chance(0.5) ? aheadMs : 0, drift: skewDrift },
    ])!
  }
}

const seeds = Array.from({ length: 6 }, (_, at) => at + 1)

test.each(seeds)('[LS4] no lease ends early, and each ends once nobody keeps it alive (seed %i)', (seed) => {
  const storm = new Storm(seed)
  storm.rages(60_000)
  expect(storm.early).toEqual([])
  storm.calmsDown()
  // The longest time to live, a clock that is slow, and two tellings.
  storm.cluster.run(4000 / (1 - clockDrift - skewDrift) + 1500)
  expect(storm.early).toEqual([])
  for (const { driver } of storm.cluster.nodes)
    expect(driver?.machine.leastTimeoutMs).toBe(Number.POSITIVE_INFINITY)
  expect(storm.ended).toBeGreaterThan(leaseIds.length)
  expect(storm.terms).toBeGreaterThan(5)
})

afterEach(() => void vi.restoreAllMocks())

test('[LS4] a lease whose time to live begins at the time before its keep-alive is found to end early', () => {
  const { timeTold } = Leases.prototype
  const last = new WeakMap<Leases, number>()
  vi.spyOn(Leases.prototype, 'timeTold').mockImplementation(function (this: Leases, telling) {
    const begunMs = last.get(this) ?? 0
    last.set(this, telling.timeMs)
    const fresh = this.inOrderOfEnd().filter(({ sinceMs }) => sinceMs === Number.POSITIVE_INFINITY)
    const over = timeTold.call(this, telling)
    for (const lease of fresh) lease.sinceMs = begunMs
    return over
  })
  const isFound = seeds.some((seed) => {
    const storm = new Storm(seed)
    storm.rages(60_000)
    return storm.early.length > 0
  })
  expect(isFound).toBe(true)
})
