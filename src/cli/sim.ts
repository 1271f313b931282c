/** `raftbox sim`: looks for seeds that break a promise, or replays one. */
import { replay, type SweepResult, sweep } from '../jobs/index.js'
import { inGroups } from '../sim/index.js'
import { checkWritable, counted, Progress } from '../terminal/index.js'
import { checkApart } from './flags.js'
import { secondsSince, toTenth } from './seconds.js'
import { shrinkSeed } from './shrink.js'
import { fileOf } from './story-file.js'
import { tellWritten, warnNotWhole, wrote } from './written-files.js'

export interface SimOptions {
  /** How many seeds. Default 200. */
  readonly seeds?: number
  /** The first of them. Default 1. */
  readonly from?: number
  /** Only this one. */
  readonly seed?: number
  /** With `seed`: a line for each thing that happens. */
  readonly trace?: boolean
  /** With `seed`: the file of a recording, which `raftbox replay` runs again. */
  readonly record?: string
  /** With `seed`: the file of its story, which `raftbox explain` explains. */
  readonly story?: string
  /** With `seed`: the file of the smallest run that fails. */
  readonly shrink?: string
  /** With `shrink`: the file of its picture. */
  readonly svg?: string
  /** With `shrink`: the longest time. */
  readonly seconds?: number
  /** Ends with one line of JSON. */
  readonly json?: boolean
}

/** The seeds of a sweep that names none. */
export const seedsDefault = 200
export const fromDefault = 1
/** Violations told one by one; more of them mostly say the same. */
const toldMax = 10

/** The exit code: 0 without a violation, 1 with one. */
export async function simCommand(options: SimOptions, signal: AbortSignal): Promise<number> {
  const { seed, shrink: file } = options
  if (seed === undefined) return sweepSeeds(options, signal)
  return file === undefined ? replaySeed(seed, options, signal) : shrinkSeed(seed, file, options, signal)
}

/** When it is interrupted, the seeds that were run by then are told. */
async function sweepSeeds(options: SimOptions, signal: AbortSignal): Promise<number> {
  const { seeds = seedsDefault, from = fromDefault, json = false } = options
  const progress = new Progress()
  const startMs = performance.now()
  const result = await sweep({
    from,
    seeds,
    signal,
    progress: (sum) => progress.show(`${sum.seeds} of ${seeds} seeds, ${sum.violations.length} violations`),
  })
  progress.clear()
  report(result, secondsSince(startMs), json)
  return result.violations.length === 0 ? 0 : 1
}

/** One seed, with all that happens in it. */
async function replaySeed(
  seed: number,
  { trace = false, record, story, json = false }: SimOptions,
  signal: AbortSignal,
): Promise<number> {
  const startMs = performance.now()
  const tell = trace ? (line: string): void => console.log(line) : undefined
  checkApart({ '--record': record, '--story': story })
  // Opened in the thread of the run, the file could only fail once the run has begun.
  if (record !== undefined) checkWritable('--record', record)
  if (story !== undefined) checkWritable('--story', story)
  const result = await replay({ seed, trace: tell, record, isTold: story !== undefined, signal })
  const { violation, virtualMs, counts } = result
  if (!trace && !json) {
    console.log(
      `seed ${seed}: ${counted(result.nodes, 'node')}, ${result.weather}, fingerprint ${result.fingerprint}`,
    )
  }
  if (violation !== undefined) {
    const { rule, detail, atMs, lastHappenings } = violation
    if (!trace) for (const line of lastHappenings) console.log(line)
    console.log(`seed ${seed} at ${atMs.toFixed(3)} ms: ${rule}: ${detail}`)
  }
  const violations = violation === undefined ? [] : [{ seed, ...violation }]
  const sum = { seeds: 1, violations, virtualUs: Math.round(1000 * virtualMs), counts }
  report(sum, secondsSince(startMs), json)
  const { recordingEnded } = result
  if (record !== undefined) {
    if (recordingEnded === undefined) tellWritten(record, json)
    else warnNotWhole('--record', record, recordingEnded)
  }
  if (story !== undefined && result.story !== undefined && wrote('--story', story, fileOf(result.story)))
    tellWritten(story, json)
  return violation === undefined ? 0 : 1
}

function report(result: Omit<SweepResult, 'fingerprint'>, realSeconds: number, isJson: boolean): void {
  const { seeds, violations, virtualUs, counts } = result
  const { messages, faults, happened } = inGroups(counts)
  const times = { virtualSeconds: toTenth(virtualUs / 1e6), realSeconds }
  if (isJson) {
    const numbers = { seeds, violations: violations.length, messages }
    console.log(
      JSON.stringify({ ...numbers, ...times, faults, happened, failed: violations.slice(0, toldMax) }),
    )
    return
  }
  for (const { seed, rule, detail, atMs } of violations.slice(0, toldMax)) {
    console.log(`seed ${seed} at ${atMs.toFixed(3)} ms: ${rule}: ${detail}`)
    console.log(`  to see it: raftbox sim --seed ${seed} --trace`)
    console.log(`  to shrink it: raftbox sim --seed ${seed} --shrink seed-${seed}.jsonl`)
  }
  if (violations.length > toldMax) console.log(`and ${violations.length - toldMax} more`)
  const found = violations.length === 0 ? 'no violation' : `${violations.length} with a violation`
  console.log(`${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, ${found}`)
  console.log(`${times.virtualSeconds} virtual seconds in ${times.realSeconds}; ${messages} messages`)
  console.log(`faults: ${listed(faults)}`)
  console.log(`came of it: ${listed(happened)}`)
}

function listed(counts: Readonly<Record<string, number>>): string {
  const told = Object.entries(counts).filter(([, count]) => count > 0)
  return told.map(([name, count]) => `${name} ${count}`).join(', ') || 'none'
}
