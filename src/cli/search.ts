/** `raftbox search`: every interleaving of a small cluster within bounds. */
import type { Command } from 'commander'
import { type SearchResult, search, searchStatesMax } from '../jobs/index.js'
import { type Bounds, budgetMax, defaultBounds, wordsOf } from '../search/index.js'
import { failureOfSearch, linesOf } from '../shrink/index.js'
import {
  addFlags,
  checkWritable,
  counted,
  decimal,
  type FlagRow,
  interruptible,
  Progress,
  wholeNumber,
} from '../terminal/index.js'
import { pathFlag } from './flags.js'
import { secondsSince } from './seconds.js'
import { tellWritten, wrote } from './written-files.js'

interface SearchFlags extends Bounds {
  readonly seconds: number
  readonly record?: string
  readonly json?: boolean
}

const secondsDefault = 60
const secondsMax = 7 * 24 * 3600
/** All renamings of the nodes are looked at for each world, and six nodes have 720 of them. */
const nodesMax = 5
const termsMax = 15

const explanation = `
Each step is one of: a node takes a message, and the message may stay in flight; a node hears nobody
for an election timeout; a leader sends heartbeats, takes a command, changes the members or hands
over; a node loses its power and starts again; a write that was held is flushed. A message that
nobody takes is a message that was lost. The steps are taken breadth first by the protocol itself,
each world once, and each world is checked; worlds that differ in nothing but the names of their
nodes are one. A violation is told by one of the shortest ways to it.

The search ends when all worlds within the bounds were seen, or after --seconds, or after
${decimal(searchStatesMax)} worlds. docs/proof.md tells how far a run came.

Examples:
  raftbox search                                       as far as a minute goes
  raftbox search --terms 1 --entries 1 --changes 0 --transfers 0 --seconds 600
  raftbox search --seconds 600 --record found.jsonl    and, if it finds something: raftbox replay found.jsonl

Exit codes: 0 no violation, 1 a violation, 2 bad input.
`

function boundFlag(name: keyof Bounds, words: string, least: number, most: number): FlagRow {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  return [`${flag} <count>`, words, wholeNumber(flag, least, most), defaultBounds[name]]
}

export function addSearch(program: Command): void {
  const command = program
    .command('search')
    .summary('take every step of a small cluster in every order, within bounds')
    .description('Takes every step of a small cluster in every order, within bounds, and checks each world.')
  addFlags(command, [
    boundFlag('nodes', 'voters', 1, nodesMax),
    boundFlag('terms', 'no node comes to a later term', 1, termsMax),
    boundFlag('entries', 'commands that are proposed in a run', 0, budgetMax),
    boundFlag('crashes', 'power losses in a run', 0, budgetMax),
    boundFlag('duplicates', 'messages that are taken and stay in flight', 0, budgetMax),
    boundFlag('slowWrites', 'writes whose flush is a step of its own', 0, budgetMax),
    boundFlag('heartbeats', 'rounds of heartbeats', 0, budgetMax),
    boundFlag('changes', 'changes of the members', 0, budgetMax),
    boundFlag('transfers', 'transfers of leadership', 0, budgetMax),
    ['--seconds <seconds>', 'the longest time', wholeNumber('--seconds', 1, secondsMax), secondsDefault],
    [
      '--record <file>',
      'write there the steps of a violation, for raftbox replay',
      pathFlag('--record', 'file'),
    ],
    ['--json', 'print one JSON object'],
  ])
    .addHelpText('after', explanation)
    .action(async (flags: SearchFlags) => {
      process.exitCode = await interruptible((signal) => searchCommand(flags, signal))
    })
}

async function searchCommand(flags: SearchFlags, signal: AbortSignal): Promise<number> {
  const { seconds, record: file, json = false, ...bounds } = flags
  if (file !== undefined) checkWritable('--record', file)
  const progress = new Progress()
  const startMs = performance.now()
  const result = await search({
    bounds,
    seconds,
    signal,
    progress: ({ states, depth, queue }) => {
      const perSecond = states / ((performance.now() - startMs) / 1000)
      progress.show(
        `${decimal(states)} worlds, ${decimal(perSecond)} a second; ${counted(depth, 'step')} deep, with ${decimal(queue)} worlds`,
      )
    },
  })
  progress.clear()
  const realSeconds = secondsSince(startMs)
  if (json) console.log(JSON.stringify(jsonOf(bounds, result, realSeconds)))
  else tell(bounds, result, realSeconds)
  if (file !== undefined && result.broken !== undefined) {
    const failure = failureOfSearch(bounds.nodes, result.broken)
    const lines = linesOf(failure, result.broken.steps.map(wordsOf)).map((line) => `${line}\n`)
    if (wrote('--record', file, lines.join(''))) tellWritten(file, json)
  }
  return result.broken === undefined ? 0 : 1
}

function jsonOf(
  bounds: Bounds,
  { broken, stop, queue: _, ...figures }: SearchResult,
  realSeconds: number,
): object {
  const violation = broken && { rule: broken.rule, detail: broken.detail, steps: broken.steps.map(wordsOf) }
  return {
    bounds,
    ...figures,
    realSeconds,
    isExhausted: stop === 'no',
    violation,
    notCovered: notCovered(bounds),
  }
}

function tell(
  bounds: Bounds,
  { states, depth, transitions, stop, broken }: SearchResult,
  realSeconds: number,
): void {
  for (const [at, step] of broken?.steps.entries() ?? []) console.log(`${at + 1}. ${wordsOf(step)}`)
  if (broken !== undefined) console.log(`${broken.rule}: ${broken.detail}`)
  console.log(
    broken === undefined ? 'no violation' : `a violation after ${counted(broken.steps.length, 'step')}`,
  )
  console.log(
    `${counted(states, 'distinct world')}, ${counted(transitions, 'step')} between them, in ${realSeconds} seconds`,
  )
  console.log(`${reachOf(stop)}: all worlds up to ${counted(depth, 'step')} from the start were seen`)
  console.log('not covered:')
  for (const line of notCovered(bounds)) console.log(`  ${line}`)
}

function reachOf(stop: SearchResult['stop']): string {
  switch (stop) {
    case 'no':
      return 'nothing within the bounds is left'
    case 'violation':
      return 'the search ended with the violation'
    case 'full':
      return 'the search ended with as many worlds as it keeps'
    case 'asked':
      return 'the search ended before all worlds within the bounds were seen'
  }
}

/** Mistakes that no run of these bounds shows, in lines. */
function notCovered(bounds: Bounds): string[] {
  const counts = [
    counted(bounds.nodes, 'node'),
    counted(bounds.terms, 'term'),
    counted(bounds.entries, 'command'),
    counted(bounds.crashes, 'power loss', 'power losses'),
    counted(bounds.duplicates, 'duplicate'),
    counted(bounds.slowWrites, 'slow write'),
    counted(bounds.heartbeats, 'round of heartbeats', 'rounds of heartbeats'),
    counted(bounds.changes, 'change of the members', 'changes of the members'),
    counted(bounds.transfers, 'transfer'),
  ]
  return [
    `more than ${counts.join(', ')}`,
    'snapshots, and logs that were cut',
    'reads and leases: the time is left open, so the promise to a leader has always run out',
    'pre-votes: each election begins with the request for votes',
    'disks that fail, are lost or take a part of a write',
    'two different worlds with the same fingerprint of 64 bits, of which the second is not looked at',
  ]
}
