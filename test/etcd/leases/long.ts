/** As many leases as one likes: `node dist/test/etcd/leases/long.js [--leases 100000] [--ttl 180]`. */
import { parseArgs } from 'node:util'
import { runLeases } from './run.js'

const { values } = parseArgs({
  options: {
    leases: { type: 'string', default: '100000' },
    ttl: { type: 'string', default: '180' },
  },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)

say('phase | seconds | latest heartbeat, ms late | clients stood still, ms | elections | MiB resident')
const { wrong, ended, endedLateMs } = await runLeases({
  leases: Number(values.leases),
  ttl: Number(values.ttl),
  tell: ({ name, seconds, heartbeatLateMs, stoodStillMs, elections, residentMiB }) =>
    say(
      [
        ...[name, seconds.toFixed(1), heartbeatLateMs.toFixed(0), stoodStillMs.toFixed(0)],
        ...[elections, residentMiB.toFixed(0)],
      ].join(' | '),
    ),
})
say(`${ended} leases ended by themselves, ${(endedLateMs / 1000).toFixed(1)} s after their time at most`)
for (const line of wrong.slice(0, 20)) say(line)
say(wrong.length === 0 ? 'nothing was wrong' : `${wrong.length} things were wrong`)
if (wrong.length > 0) process.exitCode = 1
