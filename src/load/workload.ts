/**
 * The core workloads of YCSB (Cooper et al., SoCC 2010), as its CoreWorkload runs them: who asks for what,
 * how often, and which keys are popular. A record is simplified to one value instead of ten fields.
 */

export const workloadNames = ['a', 'b', 'c', 'd', 'f'] as const
export type WorkloadName = (typeof workloadNames)[number]

export type OperationName = 'read' | 'update' | 'insert' | 'readModifyWrite'

export interface WorkloadOptions {
  /** Records that are there when the run begins; at least 1. */
  readonly records: number
  /** Numbers from 0, included, to 1, excluded; equal numbers make an equal run. */
  readonly random: () => number
  /** Length of a value in bytes. */
  readonly size: number
}

export interface Workload {
  /** Keys to be put before the run begins. */
  keys(): Iterable<string>
  /** What is asked next. */
  next(): OperationName
  /** The key of an operation. An insert's may be asked for by any operation after it. */
  keyFor(op: OperationName): string
  /** Whether the same keys stay popular, so that what was drawn once may come again. */
  readonly isSteady: boolean
  /** A value for a write: `size` printable characters. */
  value(): string
}

interface Mix {
  readonly operations: readonly (readonly [op: OperationName, proportion: number])[]
  /** `zipfian`: some keys are popular and stay so. `latest`: the newer, the more popular. */
  readonly popularity: 'zipfian' | 'latest'
}

const readUpdate = (read: number): Mix => ({
  operations: [
    ['read', read],
    ['update', 1 - read],
  ],
  popularity: 'zipfian',
})

/** Nothing is drawn where there is nothing to choose. */
const readOnly: Mix = { operations: [['read', 1]], popularity: 'zipfian' }

/** YCSB's files workloada to workloadf; e scans, which is no operation of this tool. */
const mixes: Readonly<Record<WorkloadName, Mix>> = {
  a: readUpdate(0.5),
  b: readUpdate(0.95),
  c: readOnly,
  d: {
    operations: [
      ['read', 0.95],
      ['insert', 0.05],
    ],
    popularity: 'latest',
  },
  f: {
    operations: [
      ['read', 0.5],
      ['readModifyWrite', 0.5],
    ],
    popularity: 'zipfian',
  },
}

export function createWorkload(name: WorkloadName, { records, random, size }: WorkloadOptions): Workload {
  const { operations, popularity } = mixes[name]
  const choose = popularity === 'zipfian' ? chooseScrambled(records, random) : chooseLatest(random)
  const text = randomText(size + spareTextBytes, random)
  const names: string[] = []
  const keyOf = (record: number): string => {
    names[record] ??= keyName(record)
    return names[record]
  }
  let count = records

  return {
    *keys() {
      for (let record = 0; record < records; record++) yield keyOf(record)
    },
    next: operations.length === 1 ? () => operations[0]![0] : () => pick(operations, random()),
    keyFor: (op) => keyOf(op === 'insert' ? count++ : choose(count)),
    isSteady: popularity === 'zipfian',
    value() {
      const start = Math.floor(random() * spareTextBytes)
      return text.slice(start, start + size)
    },
  }
}

function pick(operations: Mix['operations'], dice: number): OperationName {
  let sum = 0
  for (const [op, proportion] of operations) {
    sum += proportion
    if (dice < sum) return op
  }
  return operations[0]![0]
}

/** A value is cut from one random text at a random place: as good as new dice a byte, and far cheaper. */
const spareTextBytes = 4096

function randomText(length: number, random: () => number): string {
  return Array.from({ length }, () => String.fromCharCode(32 + Math.floor(random() * 95))).join('')
}

/** YCSB's ZIPFIAN_CONSTANT. */
const theta = 0.99

/** The sum of 1 / rank^theta over the ranks `from` + 1 to `to`. */
function zetaBetween(from: number, to: number): number {
  let sum = 0
  for (let rank = from + 1; rank <= to; rank++) sum += rank ** -theta
  return sum
}

/** Fits the drawing of ranks above the first two, in the names of Gray et al. */
function etaOf(items: number, zeta: number): number {
  return (1 - (2 / items) ** (1 - theta)) / (1 - zetaBetween(0, 2) / zeta)
}

/** Draws ranks, 0 the most popular, after Gray et al., "Quickly Generating Billion-Record Synthetic Databases". */
export class Zipfian {
  #items: number
  #zeta: number
  #eta: number

  constructor(items: number, zeta = zetaBetween(0, items)) {
    this.#items = items
    this.#zeta = zeta
    this.#eta = etaOf(items, zeta)
  }

  /** More items from now on: only the new ones are added to the sum. */
  growTo(items: number): void {
    if (items === this.#items) return
    this.#zeta += zetaBetween(this.#items, items)
    this.#items = items
    this.#eta = etaOf(items, this.#zeta)
  }

  /** The rank that a number from 0, included, to 1, excluded, stands for. */
  rankOf(dice: number): number {
    const scaled = dice * this.#zeta
    if (scaled < 1 || this.#items === 1) return 0
    if (scaled < 1 + 0.5 ** theta || this.#items === 2) return 1
    const rank = Math.floor(this.#items * (this.#eta * (dice - 1) + 1) ** (1 / (1 - theta)))
    return Math.min(rank, this.#items - 1)
  }
}

/**
 * YCSB draws ranks from ten billion items, whatever the count of records, and scatters them by a hash: the
 * most popular key gets 1 / zeta = 3.8 %. Its newer versions write 10^16 and keep the sum for 10^10.
 */
const scrambledItems = 10_000_000_000
const scrambledZeta = 26.469_028_201_783_02

function chooseScrambled(count: number, random: () => number): () => number {
  const ranks = new Zipfian(scrambledItems, scrambledZeta)
  return () => {
    const { high, low } = hashOf(ranks.rankOf(random()))
    // Sixteen bits at a time, so that every step is exact.
    const upper = ((high % count) * 65_536 + (low >>> 16)) % count
    return (upper * 65_536 + (low & 0xffff)) % count
  }
}

/** Rank 0 is the newest record. YCSB grows the sum but leaves its eta as it began; here both follow the count. */
function chooseLatest(random: () => number): (count: number) => number {
  let ranks: Zipfian | undefined
  return (count) => {
    ranks ??= new Zipfian(count)
    ranks.growTo(count)
    return count - 1 - ranks.rankOf(random())
  }
}

/** YCSB's hashed insert order: keys that follow each other lie far apart. */
export function keyName(record: number): string {
  const { high, low } = hashOf(record)
  return `user${(BigInt(high) << 32n) | BigInt(low)}`
}

/** YCSB's fnvhash64: FNV-1a over the number's eight bytes, and of the signed result the magnitude. */
function hashOf(value: number): { readonly high: number; readonly low: number } {
  let { high, low } = offsetBasis
  let word = value
  for (let byte = 0; byte < 8; byte++) {
    if (byte === 4) word = value / 0x1_0000_0000
    low ^= (word >>> (8 * (byte % 4))) & 0xff
    // Times the prime 2^40 + 0x1b3: of the first part only what moves into the upper half is left.
    const carry = ((low >>> 16) * 0x1b3 + (((low & 0xffff) * 0x1b3) >>> 16)) >>> 16
    high = Math.imul(high, 0x1b3) + carry + (low << 8)
    low = Math.imul(low, 0x1b3)
  }
  const isNegative = (high | 0) < 0
  if (!isNegative) return { high: high >>> 0, low: low >>> 0 }
  return low === 0 ? { high: -high >>> 0, low } : { high: ~high >>> 0, low: -low >>> 0 }
}

/** FNV's, whose halves are kept as 32-bit integers: arithmetic that wraps is several times as fast as doubles. */
const offsetBasis = { high: 0xcbf29ce4 | 0, low: 0x84222325 | 0 }
