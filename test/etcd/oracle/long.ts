/**
 * The oracle for as long as one likes: `node dist/test/etcd/oracle/long.js --operations 1000000 [--seed 1] [--members]`.
 * Another `--seed` means other programs. With `--members`, all programs are about members, which run.
 */
import { parseArgs } from 'node:util'
import { hunt } from './hunt.js'
import { startRightThatJoins } from './joined.js'
import { startedMembers } from './members.js'
import { startOurs, startOursThatJoin, startRight } from './servers.js'

// The servers end with the process when it exits, and a signal alone is no exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    members: { type: 'boolean', default: false },
  },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const beganMs = performance.now()
const seconds = (): number => Math.round((performance.now() - beganMs) / 1000)
/** An added member of etcd takes five seconds. */
const everyOperations = values.members ? 50 : 10_000
const ofMembers = {
  startRight: startRightThatJoins,
  startOurs: startOursThatJoin,
  programs: startedMembers,
}
let ran = 0
let told = 0

try {
  const found = await hunt({
    ...(values.members ? ofMembers : { startRight, startOurs }),
    seed: Number(values.seed),
    operations: Number(values.operations),
    onFound: (difference) => say(`a difference, being made smaller: ${difference}`),
    onProgress: (operations) => {
      ran = operations
      if (operations < told + everyOperations) return
      told = operations
      say(`${operations} operations in ${seconds()} s`)
    },
  })
  say(
    `${found.operations} operations in ${seconds()} s: no difference. Programs that ended etcd: ${found.deaths}`,
  )
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  say(`${ran} operations were the same before`)
  process.exitCode = 1
}
