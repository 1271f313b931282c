/** `npm run bench`: the suite, from its flags to one record in a file and a table for people. */
import { tuneV8 } from '../src/load/index.js'
import { BadInput, someOf } from '../src/terminal/index.js'
import { groups } from './groups/index.js'
import { type Extent, roundsFlag, runBenchProgram, runSuite, secondsFlag, summaryOf } from './suite/index.js'

interface Flags {
  readonly quick?: boolean
  readonly long?: boolean
  readonly only?: readonly string[]
  readonly rounds?: number
  readonly seconds?: number
}

const names = groups.map(({ name }) => name)

const explanation = `
The cases run in turn, round by round; the record holds one value a round of every figure.

Groups: ${names.join(', ')}

Examples:
  npm run bench -- --quick                      a little of everything, in a few minutes
  npm run bench -- --only failover,heartbeats   two groups
  npm run bench -- --long --out today.json      as much as there is
  raftbox bench --help                          one measurement instead

Exit codes: 0 done, 1 a case failed or missed its target, 2 bad input; 130 after Ctrl-C, and then there is no record.
`

tuneV8()
await runBenchProgram<Flags>({
  name: 'npm run bench --',
  description: 'Runs the bench suite and writes one JSON record.',
  flags: [
    ['--quick', 'a few cases of each group, one round, half a second each'],
    ['--long', 'longer where it matters: ten minutes of stability, ten million entries'],
    ['--only <groups>', 'only these groups, with commas between them', someOf('--only', names)],
    roundsFlag('how often each case runs'),
    secondsFlag('a measurement', 5, 0.5),
  ],
  explanation,
  prefix: '',
  plan: ({ quick = false, long = false, only = names, ...flags }) => {
    if (quick && long) throw new BadInput('--quick: leave it out with --long')
    const extent: Extent = quick ? 'quick' : long ? 'long' : 'usual'
    const { rounds = quick ? 1 : 3, seconds = quick ? 0.5 : 5 } = flags
    const chosen = groups.filter(({ name }) => only.includes(name))
    return async ({ signal, tell }) => {
      const { record, failures } = await runSuite({ groups: chosen, extent, rounds, seconds, signal, tell })
      const failure = failures.length > 0 ? failures.join('; ') : undefined
      return { record, summary: summaryOf(record), failure }
    }
  },
})
