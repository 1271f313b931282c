/** Chaos for as long as one likes: `node dist/test/etcd/chaos/long.js --runs 100 [--seed 1] [--seconds 20]`. */
import { parseArgs } from 'node:util'
import { wrongIn } from './kept.js'
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
  const wrong = wrongIn(history)
  const ops = new Map<string, number>()
  for (const { op } of history) ops.set(op, (ops.get(op) ?? 0) + 1)
  const counts = [...ops].map(([op, count]) => `${op} ${count}`).join(', ')
  const unknown = history.filter((record) => 'outcome' in record && record.outcome === 'unknown').length
  const begun = [...faults].map(([type, count]) => `${type} ${count}`).join(', ')
  process.stdout.write(`seed ${seed}: ${counts} (${unknown} unknown), ${breaks} breaks; ${begun}\n`)
  for (const line of wrong) process.stdout.write(`  ${line}\n`)
  if (wrong.length > 0) process.exitCode = 1
}
