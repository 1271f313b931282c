import { expect, test } from 'vitest'
import { RandomCalls } from '../../src/proof/index.js'
import { Random } from '../../src/raft/index.js'
import { nextEvent, startedCluster, temporaryFolder } from '../cluster/support.js'
import { WatchedThreads } from './watched-threads.js'

const shape = { keys: 12, valueBytesMax: 60, batchMax: 4, readShare: 0.4 }
const rounds = 6
const callsPerRound = 300

test('threads whose leader is killed and restarted under load keep the properties, the history and the ledger', async () => {
  const dir = temporaryFolder()
  const cluster = await startedCluster({ dir, heartbeatIntervalMs: 40 })
  const watched = new WatchedThreads(cluster)
  let isOver = false
  const clients = Array.from({ length: 16 }, (_, client) =>
    watched.runClient(new RandomCalls(new Random(client), shape, client), () => isOver),
  )
  const answers = async (count: number): Promise<void> => {
    const goal = watched.answered + count
    while (watched.answered < goal) await new Promise((resolve) => setImmediate(resolve))
  }
  for (let round = 0; round < rounds; round++) {
    await answers(callsPerRound)
    const isLed = nextEvent(cluster, (event) => event.type === 'role' && event.role === 'leader')
    const killed = await cluster.kill('leader')
    await isLed
    await answers(callsPerRound)
    await cluster.restart(killed)
  }
  isOver = true
  await Promise.all(clients)
  expect(await watched.ended(dir)).toEqual([])
  // A run in which nothing happened proves nothing.
  expect(watched.counts.applied + watched.counts.read).toBeGreaterThan(rounds * callsPerRound)
}, 60_000)
