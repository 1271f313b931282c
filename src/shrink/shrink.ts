/** A seed that fails, made small: first its world, then the acts of the smallest world in which they break a rule. */
import { type Violation, wordsOf } from '../search/index.js'
import { simulate } from '../sim/index.js'
import { describeEvent, type Story } from '../telemetry/index.js'
import type { Bound } from './bound.js'
import { type Run, type ShrunkList, shrunkList } from './list.js'
import { storyOf, storyOfWhole } from './list-story.js'
import { type Manner, manners, type Translated, translated } from './translate.js'
import { type ShrunkWhole, shortestWhole, type WholeRun } from './whole-list.js'
import { reasonsOf, wholeWordsOf } from './whole-words.js'
import { type FailedWorld, failedWorld, shrunkWorlds } from './worlds.js'

/** An act in words, and what it led to, with the reasons. */
export interface TellingAct {
  readonly words: string
  readonly reasons: readonly string[]
}

interface Telling {
  readonly broken: Violation
  readonly isMinimal: boolean
  readonly told: readonly TellingAct[]
}

/** Acts of the protocol alone, or of whole nodes with their clients, snapshots and clocks. */
type TellingList = Telling & (Run | WholeRun)

/** Plain values: it travels between threads. */
export interface Shrunk {
  readonly seed: number
  /** The run of the seed itself. */
  readonly found: FailedWorld
  /** The smallest world that still breaks the rule. */
  readonly world: FailedWorld
  /** `undefined`: the acts of no world broke a rule. Acts have no broken disks. */
  readonly list: TellingList | undefined
  /** Of the list, a millisecond an act; without a list, of the world. `undefined`: an error ends the run of the world. */
  readonly story: Story | undefined
  readonly runs: number
  /** False when the time was over before all was tried. */
  readonly isDone: boolean
}

/** Once a list is as short as this, no further world is looked at for a shorter one. */
const shortLength = 15
/** Nodes are told no more than this in a run whose acts are looked at. */
const linesMax = 100_000

/** `undefined`: the seed keeps all promises. The same seed gives the same result, unless the bound ends it. */
export function shrink(seed: number, bound: Bound): Shrunk | undefined {
  bound.ran()
  const found = failedWorld(seed, {})
  if (found === undefined) return undefined
  const worlds = shrunkWorlds(seed, found, bound)
  const world = worlds.at(-1) ?? found
  const list = shortestList(seed, worlds, bound)
  const whole = list === undefined ? shortestWhole(seed, worlds, bound) : undefined
  const told = (list && toldOf(list)) ?? (whole && wholeToldOf(whole))
  return {
    seed,
    found,
    world,
    list: told?.list,
    story: told === undefined ? storyOfWorld(seed, world) : told.story,
    runs: bound.figures.runs,
    isDone: !bound.isOver(),
  }
}

interface Told {
  readonly list: TellingList
  readonly story: Story
}

function toldOf({ size, acts, played, broken, isMinimal }: ShrunkList): Told {
  const told = played.map(({ step, events }): TellingAct => {
    return { words: wordsOf(step), reasons: events.map((event) => `it ${describeEvent(event)}`) }
  })
  return { list: { size, acts, broken, isMinimal, told }, story: storyOf(size.voters, played) }
}

function wholeToldOf({ world, acts, played, tickMs, broken, isMinimal }: ShrunkWhole): Told {
  const told = played.map((each): TellingAct => {
    return { words: wholeWordsOf(each), reasons: reasonsOf(each, tickMs) }
  })
  return { list: { world, acts, broken, isMinimal, told }, story: storyOfWhole(world.voters, played) }
}

/** The shortest list of the smallest world that has one, or of a larger one where that list is long. */
function shortestList(seed: number, worlds: readonly FailedWorld[], bound: Bound): ShrunkList | undefined {
  let best: ShrunkList | undefined
  for (const { change } of worlds.toReversed()) {
    if (bound.isOver()) break
    const lines: string[] = []
    bound.ran()
    failedWorld(seed, change, (line) => {
      if (lines.length < linesMax) lines.push(line)
    })
    for (const manner of manners) {
      const list = listOf(lines, manner, bound)
      if (list === undefined || (best !== undefined && list.acts.length >= best.acts.length)) continue
      best = list
      bound.came(list.acts.length)
    }
    if (best !== undefined && best.acts.length <= shortLength) break
  }
  return best
}

function listOf(lines: readonly string[], manner: Manner, bound: Bound): ShrunkList | undefined {
  if (bound.isOver()) return undefined
  bound.ran()
  const translation = translationOf(lines, manner)
  const { broken, played } = translation?.scene ?? {}
  if (translation === undefined || broken === undefined) return undefined
  const acts = played?.map(({ act }) => act) ?? []
  return shrunkList({ size: translation.size, acts }, broken, bound)
}

/** `undefined`: nothing begins in the recording, or a node of it fails by an error that breaks no rule of the protocol. */
function translationOf(lines: readonly string[], manner: Manner): Translated | undefined {
  try {
    return translated(lines, manner)
  } catch {
    // The world tells the failure instead.
    return undefined
  }
}

function storyOfWorld(seed: number, { change }: FailedWorld): Story | undefined {
  let story: Story | undefined
  try {
    simulate({
      ...change,
      seed,
      story: (told) => {
        story = told
      },
    })
  } catch {
    // The error is the failure, and the file of the world repeats it.
  }
  return story
}
