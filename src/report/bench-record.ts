/** What a run of the bench suite leaves behind: plain data in one JSON file, which `raftbox report` reads. */

export interface BenchRecord {
  readonly format: 'raftbox-bench'
  readonly version: 1
  /** ISO 8601. */
  readonly startedAt: string
  /** How long the whole run took. */
  readonly seconds: number
  readonly machine: {
    readonly cpuModel: string
    readonly cores: number
    readonly memoryBytes: number
    readonly platform: string
  }
  readonly versions: {
    readonly raftbox: string
    /** `null` outside of a git checkout. */
    readonly commit: string | null
    readonly node: string
    readonly v8: string
    readonly lmdb: string
  }
  /** What the run was told, by the names of its flags. */
  readonly settings: Readonly<Record<string, string | number | boolean>>
  readonly results: readonly BenchResult[]
}

/** One case of the suite, with everything that was measured of it. */
export interface BenchResult {
  /** The same in every run, so that two runs can be compared: `clients/64/flush`. */
  readonly id: string
  /** Results of one group stand together: `clients`, `heartbeats`. */
  readonly group: string
  readonly title: string
  /** What distinguishes it within its group; a number can be an axis. */
  readonly parameters: Readonly<Record<string, string | number>>
  readonly figures: readonly Figure[]
  readonly distributions: readonly Distribution[]
  readonly timeline: readonly TimelinePoint[]
}

export interface Figure {
  readonly name: string
  /** `1/s`, `ms`, `bytes`, `%`, or empty for a plain count. */
  readonly unit: string
  readonly better: 'higher' | 'lower' | 'neither'
  /** One for each round. */
  readonly values: readonly number[]
}

/** Latencies of one kind of call over all rounds, or the lateness of heartbeats. */
export interface Distribution {
  readonly name: string
  /** Milliseconds within which so many percent lie: ascending pairs of percentile (0 to 100) and milliseconds. */
  readonly points: readonly (readonly [percentile: number, ms: number])[]
}

/** One second of a round. */
export interface TimelinePoint {
  readonly round: number
  readonly second: number
  readonly commitsPerSecond: number
  readonly p99ms: number
  /** Elections that began within this second, over all nodes. */
  readonly elections: number
}
