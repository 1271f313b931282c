/** `raftbox sim --shrink`: the smallest run of a seed that still fails, as a file, in words and as a picture. */
import { boundsOf, picture } from '../explain/index.js'
import { shrink } from '../jobs/index.js'
import { failureOf, linesOf, type Shrunk } from '../shrink/index.js'
import { type Plan, planOf } from '../sim/index.js'
import type { Story } from '../telemetry/index.js'
import { checkWritable, counted, Progress } from '../terminal/index.js'
import { checkApart } from './flags.js'
import { secondsSince } from './seconds.js'
import { tellWritten, wrote } from './written-files.js'

export const secondsDefault = 60

interface ShrinkFlags {
  readonly svg?: string
  readonly seconds?: number
  readonly json?: boolean
}

/** Of a world's run, its end is drawn: so many election timeouts. */
const drawnTimeouts = 3

/** The exit code: 0 when the seed keeps all promises, so that there is nothing to shrink. */
export async function shrinkSeed(
  seed: number,
  file: string,
  { svg, seconds = secondsDefault, json = false }: ShrinkFlags,
  signal: AbortSignal,
): Promise<number> {
  checkApart({ '--shrink': file, '--svg': svg })
  checkWritable('--shrink', file)
  if (svg !== undefined) checkWritable('--svg', svg)
  const progress = new Progress()
  const startMs = performance.now()
  const shrunk = await shrink({
    seed,
    seconds,
    signal,
    progress: ({ runs, acts }) =>
      progress.show(`${counted(runs, 'run')}${acts > 0 ? `, ${counted(acts, 'step')}` : ''}`),
  })
  progress.clear()
  if (shrunk === undefined) {
    console.log(
      json ? JSON.stringify({ seed, violations: 0 }) : `seed ${seed}: no violation, nothing to shrink`,
    )
    return 0
  }
  const realSeconds = secondsSince(startMs)
  const words = shrunk.list?.told.map((act) => act.words) ?? []
  const { story } = shrunk
  if (json) console.log(JSON.stringify(jsonOf(shrunk, realSeconds)))
  else tell(shrunk, realSeconds)
  const lines = linesOf(failureOf(shrunk), words).map((line) => `${line}\n`)
  const isKept = wrote('--shrink', file, lines.join(''))
  if (svg !== undefined && story !== undefined && wrote('--svg', svg, pictureOf(shrunk, story)))
    tellWritten(svg, json)
  if (isKept && !json) console.log(`to run it again: raftbox replay ${file}`)
  return 1
}

function pictureOf({ list, seed, world }: Shrunk, story: Story): string {
  const [beganMs, endedMs] = boundsOf(story)
  const untilMs = endedMs - beganMs
  if (list !== undefined) return picture(story, { fromMs: 0, toMs: untilMs + 1 })
  const { electionTimeoutMs } = story
  const toMs = Math.max((world.atMs ?? endedMs) - beganMs, Math.min(untilMs, planOf(seed).stormMs))
  return picture(story, { fromMs: Math.max(0, toMs - drawnTimeouts * electionTimeoutMs), toMs })
}

function jsonOf({ seed, found, world, list, runs, isDone }: Shrunk, realSeconds: number): object {
  const size = list && ('size' in list ? list.size : { voters: list.world.voters })
  const steps = list && { ...size, isMinimal: list.isMinimal, broken: list.broken, steps: list.told }
  const { change, atMs } = world
  const violation = { rule: found.rule, detail: found.detail, atMs: found.atMs }
  return { seed, violations: 1, violation, world: { change, atMs }, list: steps, runs, isDone, realSeconds }
}

function tell({ seed, found, world, list, story, runs, isDone }: Shrunk, realSeconds: number): void {
  const at = found.atMs === undefined ? '' : ` at ${found.atMs.toFixed(3)} ms`
  console.log(`seed ${seed}${at}: ${found.rule}: ${found.detail}`)
  console.log(
    `the smallest world that fails so: ${worldOf({ ...planOf(seed), ...world.change }, world.atMs)}`,
  )
  if (list === undefined) {
    console.log(whyNoList({ ...planOf(seed), ...world.change }))
  } else {
    console.log('')
    for (const [at, { words, reasons }] of list.told.entries()) {
      console.log(`${at + 1}. ${words}`)
      for (const reason of reasons) console.log(`     ${reason}`)
    }
    const { rule, detail } = list.broken
    console.log(`${rule}: ${detail}`)
    console.log('')
    const count = counted(list.told.length, 'step')
    console.log(
      list.isMinimal
        ? `a violation after ${count}, of which none can be left out`
        : `a violation after ${count}: whether fewer would do was not tried to the end`,
    )
  }
  if (story === undefined) console.log('there is no picture: an error ended the run')
  console.log(`${counted(runs, 'run')} in ${realSeconds} seconds`)
  if (!isDone) console.log('it ended before all was tried: --seconds gives it more time')
}

/** Why the file holds a world. Where its disks do not break, steps can tell all that happens, but no list broke the rule. */
export function whyNoList({ faults }: Pick<Plan, 'faults'>): string {
  return faults.includes('disks')
    ? 'no list of steps was found: steps have no broken disks'
    : 'no list of steps was found that breaks the same property'
}

function worldOf({ nodes, faults, load, changeGapMs }: Plan, atMs: number | undefined): string {
  const parts = [
    counted(nodes, 'node'),
    counted(load.clients, 'client'),
    faults.length === 0 ? 'no faults' : `faults of ${faults.join(', ')}`,
    changeGapMs > 0 ? 'changes of the members' : 'no changes of the members',
  ]
  if (atMs !== undefined) parts.push(`after ${atMs.toFixed(3)} ms`)
  return parts.join('; ')
}
