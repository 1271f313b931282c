/** Memory that the threads of one search share: the fingerprints of all worlds seen, a few counts, and a gate after each level. */
import { FingerprintSet } from './fingerprint-set.js'

/** Plain data for a thread. */
export interface Shared {
  readonly fingerprints: SharedArrayBuffer
  readonly control: SharedArrayBuffer
  readonly statesMax: number
}

const cells = { arrived: 0, gate: 1, stop: 2, queue: 3, depth: 4, states: 5, goesOn: 6 } as const

/**
 * Why a search ends before it has seen all: somebody asked for it, it has seen as many worlds as it may, or it has found a
 * violation. `no`: it goes on, or it has seen all.
 */
const stops = ['no', 'asked', 'full', 'violation'] as const
export type Stop = (typeof stops)[number]

export function newShared(statesMax: number): Shared {
  return {
    fingerprints: new SharedArrayBuffer(FingerprintSet.bytesFor(statesMax)),
    control: new SharedArrayBuffer(4 * Object.keys(cells).length),
    statesMax,
  }
}

/** The figures of a search that goes on. */
export interface Figures {
  readonly states: number
  /** All worlds that so many steps lead to were seen. */
  readonly depth: number
  /** Worlds that `depth` steps lead to, and whose steps are being taken. */
  readonly queue: number
}

/** One thread's view of what all share. */
export class Lane {
  readonly seen: FingerprintSet
  readonly #control: Int32Array
  readonly #lanes: number
  readonly #statesMax: number

  constructor(shared: Shared, lanes = 1) {
    this.seen = new FingerprintSet(shared.fingerprints)
    this.#control = new Int32Array(shared.control)
    this.#lanes = lanes
    this.#statesMax = shared.statesMax
  }

  get figures(): Figures {
    const at = (cell: keyof typeof cells): number => Atomics.load(this.#control, cells[cell])
    return { states: at('states'), depth: at('depth'), queue: at('queue') }
  }

  get stop(): Stop {
    return stops[Atomics.load(this.#control, cells.stop)] ?? 'no'
  }

  /** The first reason to stop stays. */
  end(why: Stop): void {
    Atomics.compareExchange(this.#control, cells.stop, 0, stops.indexOf(why))
  }

  /** All worlds that so many steps lead to were seen. */
  reached(depth: number): void {
    Atomics.store(this.#control, cells.depth, depth)
  }

  counted(states: number): void {
    const before = Atomics.add(this.#control, cells.states, states)
    if (before + states >= this.#statesMax) this.end('full')
  }

  /**
   * Waits until all threads are done with a level, and answers whether there is a next one: `worlds` of this thread are in
   * it, to which `depth` steps lead. All threads get the same answer, also if somebody stops the search meanwhile.
   */
  nextLevel(depth: number, worlds: number): boolean {
    const control = this.#control
    this.#gate(() => Atomics.store(control, cells.queue, 0))
    Atomics.add(control, cells.queue, worlds)
    this.#gate(() => {
      const goesOn = Atomics.load(control, cells.queue) > 0 && this.stop === 'no'
      Atomics.store(control, cells.goesOn, goesOn ? 1 : 0)
      // A level that was left in its midst is not counted.
      if (goesOn) this.reached(depth)
    })
    return Atomics.load(control, cells.goesOn) === 1
  }

  /** The last that comes does what is left to do, and lets all go on. */
  #gate(last: () => unknown): void {
    const control = this.#control
    const passed = Atomics.load(control, cells.gate)
    if (Atomics.add(control, cells.arrived, 1) + 1 < this.#lanes) {
      while (Atomics.load(control, cells.gate) === passed) Atomics.wait(control, cells.gate, passed)
      return
    }
    last()
    Atomics.store(control, cells.arrived, 0)
    Atomics.add(control, cells.gate, 1)
    Atomics.notify(control, cells.gate)
  }
}
