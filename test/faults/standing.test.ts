/** The list of what stands, and the nemesis, on a cluster that only notes what is done to it. */
import { beforeEach, describe, expect, test } from 'vitest'
import {
  checkFault,
  clockBoundsOf,
  Dice,
  drawNames,
  type Fault,
  Faults,
  lineOf,
  Nemesis,
  type Prey,
  type StandingFault,
  whySkewsBreakLease,
} from '../../src/faults/index.js'
import { defaultLimits, type NodeId } from '../../src/raft/index.js'

class NotingCluster implements Prey {
  nodeIds: readonly NodeId[]
  voters: readonly NodeId[]
  readonly electionTimeoutMs = 200
  readonly clockBounds = clockBoundsOf(defaultLimits, 10)
  readonly faults = new Faults(this)
  leaderId: NodeId | undefined = 1
  readonly down = new Set<NodeId>()
  /** The faults that were shown to each node last. */
  readonly shown = new Map<NodeId, readonly StandingFault[]>()
  readonly noted: string[] = []
  #nowMs = 0
  #timers: { readonly atMs: number; readonly run: () => void }[] = []

  constructor(nodes = 3) {
    this.nodeIds = Array.from({ length: nodes }, (_, at) => at + 1)
    this.voters = this.nodeIds
  }

  now(): number {
    return this.#nowMs
  }

  later(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Lets time pass. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.atMs - b.atMs)
      if (next === undefined || next.atMs > endMs) break
      this.#timers.splice(this.#timers.indexOf(next), 1)
      this.#nowMs = next.atMs
      next.run()
    }
    this.#nowMs = endMs
  }

  get timers(): number {
    return this.#timers.length
  }

  check(fault: Fault): void {
    const { nodeIds, clockBounds } = this
    const isUp = (id: NodeId): boolean => !this.down.has(id)
    checkFault(fault, { nodeIds, isUp, standing: this.faults.standing, clockBounds })
  }

  show(id: NodeId, standing: readonly StandingFault[]): undefined {
    this.shown.set(id, standing)
  }

  stop(id: NodeId, how: string): undefined {
    this.noted.push(`${how} ${id}`)
    this.down.add(id)
  }

  bringBack(id: NodeId): undefined {
    this.noted.push(`back ${id}`)
    this.down.delete(id)
  }

  told(what: string, { fault }: StandingFault, by: string): void {
    this.noted.push(`${what} ${fault.type} by ${by}`)
  }
}

let cluster = new NotingCluster()
const typesAt = (id: NodeId) => cluster.shown.get(id)?.map(({ fault }) => fault.type)

beforeEach(() => {
  cluster = new NotingCluster()
})

describe('faults', () => {
  test('are shown to the nodes that they hit, and taken back there', async () => {
    const cut = cluster.faults.begin({ type: 'cut', ways: [{ from: 1, to: 2 }] })
    cluster.faults.begin({ type: 'slowDisk', nodes: [2], flushMs: 5 })
    expect([1, 2, 3].map(typesAt)).toEqual([['cut'], ['cut', 'slowDisk'], undefined])
    await cut.heal()
    expect([1, 2].map(typesAt)).toEqual([[], ['slowDisk']])
    await cut.heal()
    expect(cluster.noted.filter((note) => note.startsWith('faultHealed'))).toEqual([
      'faultHealed cut by verb',
    ])
  })

  test('heal by themselves when their time is over, and not again', async () => {
    const pause = cluster.faults.begin({ type: 'pause', nodes: [3] }, 100)
    expect(pause.standing).toMatchObject({ sinceMs: 0, untilMs: 100 })
    cluster.pass(99)
    expect(typesAt(3)).toEqual(['pause'])
    cluster.pass(1)
    expect(typesAt(3)).toEqual([])
    await pause.heal()
    expect(cluster.noted).toEqual(['faultBegan pause by verb', 'faultHealed pause by time'])
  })

  test('that are healed by hand leave no timer', async () => {
    const pause = cluster.faults.begin({ type: 'pause', nodes: [3] }, 100)
    await pause.heal()
    expect(cluster.timers).toBe(0)
  })

  test('are healed by a rule, and forgotten without a word', async () => {
    cluster.faults.begin({ type: 'pause', nodes: [3] }, 100)
    cluster.faults.begin({ type: 'stallDisk', nodes: [1] })
    const healed = await cluster.faults.heal(({ fault }) => fault.type === 'stallDisk')
    expect(healed.map(({ fault }) => fault.type)).toEqual(['stallDisk'])
    expect(cluster.faults.standing.map(({ fault }) => fault.type)).toEqual(['pause'])
    cluster.faults.forget()
    expect([cluster.faults.standing.length, cluster.timers]).toEqual([0, 0])
    expect(cluster.noted).not.toContain('faultHealed pause by time')
  })

  test.each(['kill', 'losePower'] as const)(
    '%s ends its nodes, and its heal brings them back',
    async (type) => {
      const begun = cluster.faults.begin({ type, nodes: [1, 2] })
      expect(cluster.noted.slice(1)).toEqual([`${type} 1`, `${type} 2`])
      await begun.heal()
      expect(cluster.noted.slice(4)).toEqual(['back 1', 'back 2'])
    },
  )

  test('a node that its disk stopped comes back with the disk, unless another fault keeps it down', async () => {
    const failing = cluster.faults.begin({ type: 'failDisk', nodes: [1] })
    const kill = cluster.faults.begin({ type: 'kill', nodes: [1] })
    await failing.heal()
    expect(cluster.noted).not.toContain('back 1')
    await kill.heal()
    expect(cluster.noted.at(-1)).toBe('back 1')
  })

  test('one node is released from a fault that others keep', async () => {
    const kill = cluster.faults.begin({ type: 'kill', nodes: [1, 2, 3] }, 100)
    await cluster.faults.release([2], ({ type }) => type === 'kill')
    expect([...cluster.down]).toEqual([1, 3])
    expect(cluster.faults.standing.map(({ id, fault }) => [id, fault])).toEqual([
      [kill.standing.id, { type: 'kill', nodes: [1, 3] }],
    ])
    cluster.pass(100)
    expect([...cluster.down]).toEqual([])
    expect(cluster.noted.filter((note) => note === 'back 2')).toHaveLength(1)
  })
})

describe('the nemesis', () => {
  /** The faults of 2000 strikes, each of which is taken back before the next one. */
  async function drawn(nodes: number, seed: number): Promise<Fault[]> {
    cluster = new NotingCluster(nodes)
    const nemesis = new Nemesis(cluster, cluster.faults, new Dice(seed))
    const faults: Fault[] = []
    for (let strike = 0; strike < 2000; strike++) {
      const begun = nemesis.strike()
      if (begun !== undefined) faults.push(begun.standing.fault)
      await begun?.heal()
    }
    const told = [...nemesis.begun.values()].reduce((sum, count) => sum + count, 0)
    expect(told).toBe(faults.length)
    return faults
  }

  test('draws every type of fault, and the same ones for the same seed', async () => {
    const faults = await drawn(3, 1)
    const types = new Set(faults.map(({ type }) => type))
    expect([...types].sort()).toEqual(
      [
        ...['cut', 'delay', 'drop', 'duplicate', 'failDisk', 'fullDisk', 'isolate', 'kill', 'losePower'],
        ...['partition', 'pause', 'reorder', 'skew', 'slowDisk', 'stallDisk', 'throttle'],
      ].sort(),
    )
    expect(faults.length).toBeGreaterThan(1800)
    expect(await drawn(3, 1)).toEqual(faults)
    expect(await drawn(3, 2)).not.toEqual(faults)
  })

  test.each([1, 2, 3, 5, 7])('draws nothing that does not fit to %i nodes', async (nodes) => {
    for (const fault of await drawn(nodes, nodes)) expect(() => cluster.check(fault)).not.toThrow()
  })

  test('sets no clock further than a lease allows, and each way far', async () => {
    const skews = (await drawn(3, 4)).flatMap((fault) => (fault.type === 'skew' ? [fault] : []))
    for (const skew of skews) expect(whySkewsBreakLease(cluster.clockBounds, [skew])).toBeUndefined()
    const signs = (of: 'drift' | 'offsetMs') => new Set(skews.map((skew) => Math.sign(skew[of])))
    for (const of of ['drift', 'offsetMs'] as const) expect(signs(of)).toEqual(new Set([-1, 0, 1]))
    // A skew that sets no clock is no fault.
    expect(skews.filter(({ drift, offsetMs }) => drift === 0 && offsetMs === 0)).toEqual([])
  })

  test('lets several faults stand at once, at most a bounded number, and takes all back', async () => {
    const nemesis = new Nemesis(cluster, cluster.faults, new Dice(5))
    nemesis.start(10)
    const standing: number[] = []
    for (let step = 0; step < 1000; step++) {
      cluster.pass(10)
      standing.push(cluster.faults.standing.length)
    }
    expect(Math.max(...standing)).toBe(6)
    expect(standing.filter((count) => count > 1).length).toBeGreaterThan(500)
    await nemesis.stop()
    expect(cluster.faults.standing).toEqual([])
    expect([...cluster.down]).toEqual([])
    expect(cluster.timers).toBe(0)
  })

  test('draws what it is asked for', () => {
    const nemesis = new Nemesis(cluster, cluster.faults, new Dice(6))
    for (const name of drawNames) {
      if (name !== 'ring' && name !== 'bridge') void nemesis.strike([name])?.heal()
    }
    expect(nemesis.strike(['pause'])?.standing.fault.type).toBe('pause')
    // A ring of three is whole.
    expect(nemesis.strike(['ring'])).toBeUndefined()
  })

  test.each([
    [3, 1],
    [4, 1],
    [5, 2],
    [6, 2],
  ])(
    'of %i voters, at most %i stay with the leader that is deposed, wherever learners are',
    (count, most) => {
      const larger = new NotingCluster(count + 3)
      larger.voters = larger.nodeIds.slice(0, count)
      const nemesis = new Nemesis(larger, larger.faults, new Dice(8))
      const groups = Array.from({ length: 100 }, () => {
        const { fault } = nemesis.strike(['depose'])?.standing ?? {}
        void larger.faults.heal(() => true)
        return fault?.type === 'partition' ? (fault.groups[0] ?? []) : []
      })
      const votersIn = groups.map((group) => group.filter((nodeId) => nodeId <= count).length)
      const learnersIn = groups.map((group) => group.filter((nodeId) => nodeId > count).length)
      expect([Math.min(...votersIn), Math.max(...votersIn)]).toEqual([1, most])
      expect(new Set(learnersIn)).toEqual(new Set([0, 1, 2, 3]))
    },
  )

  test('strikes nothing where a fault does not fit', () => {
    const nemesis = new Nemesis(cluster, cluster.faults, new Dice(7))
    cluster.leaderId = undefined
    for (const id of cluster.nodeIds) cluster.down.add(id)
    expect(nemesis.strike(['kill'])).toBeUndefined()
    expect(nemesis.strike(['depose'])).toBeUndefined()
    expect(nemesis.begun.size).toBe(0)
  })
})

describe('when nodes come and go', () => {
  test('a fault that hits all others hits a node that is added', async () => {
    const cluster = new NotingCluster()
    cluster.faults.begin({ type: 'isolate', nodes: [1] })
    cluster.nodeIds = [1, 2, 3, 4]
    await cluster.faults.nodesChanged()
    expect(cluster.shown.get(4)).toHaveLength(1)
  })

  test('a node that is gone is taken out of each fault, and a fault of nothing else is over', () => {
    const cluster = new NotingCluster()
    const links = [
      { from: 1, to: 3 },
      { from: 1, to: 2 },
    ]
    cluster.faults.begin({ type: 'partition', groups: [[1], [2, 3]] })
    cluster.faults.begin({ type: 'cut', ways: links })
    cluster.faults.begin({ type: 'slowDisk', nodes: [2, 3], flushMs: 5 })
    cluster.faults.begin({ type: 'pause', nodes: [3] }, 1000)
    cluster.faults.begin({ type: 'isolate', nodes: [3] })
    cluster.nodeIds = [1, 2]
    cluster.faults.gone(3)
    expect(cluster.faults.standing.map(({ fault }) => fault)).toEqual([
      { type: 'partition', groups: [[1], [2]] },
      { type: 'cut', ways: links.slice(1) },
      { type: 'slowDisk', nodes: [2], flushMs: 5 },
    ])
    expect(cluster.timers).toBe(0)
    cluster.faults.gone(2)
    expect(cluster.faults.standing).toEqual([])
  })

  test('a group of a partition that loses its last node is gone, and a single group is parted from nothing', () => {
    const cluster = new NotingCluster(5)
    cluster.faults.begin({ type: 'partition', groups: [[1, 2, 3], [4], [5]] })
    cluster.faults.gone(5)
    expect(cluster.faults.standing.map(({ fault }) => lineOf(fault, [1, 2, 3, 4]))).toEqual([
      'partition 1,2,3|4',
    ])
    cluster.faults.gone(4)
    expect(cluster.faults.standing).toEqual([])
    expect(cluster.noted.at(-1)).toBe('faultHealed partition by verb')
  })
})
