/** Chaos for as long as one likes: `node dist/test/etcd/chaos/long.js --runs 100 [--seed 1] [--seconds 20]`. */
import { parseArgs } from 'node:util'
import { judge } from './judge.js'
import { runChaos } from './run.js'

// The servers end with the process when it exits, and a signal alone is no exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
  },
})
const first = Number(values.seed)
for (let seed = first; seed < first + Number(values.runs); seed++) {
  const { history, faults, breaks } = await runChaos({ seed, seconds: Number(values.seconds) })
  const wrong = judge(history)
  const { writes, reads, leases, events } = history
  const unknown = writes.filter(({ outcome }) => outcome === 'unknown').length
  const counts = [...faults].map(([type, count]) => `${type} ${count}`).join(', ')
  process.stdout.write(
    `seed ${seed}: ${wrong.length} wrong; ${writes.length} writes (${unknown} unknown), ${reads.length} reads, ` +
      `${leases.length} leases, ${events.length} events, ${breaks} breaks; ${counts}\n`,
  )
  for (const line of wrong.slice(0, 20)) process.stdout.write(`  ${line}\n`)
  if (wrong.length > 0) process.exitCode = 1
}
