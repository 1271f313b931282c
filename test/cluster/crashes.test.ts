import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { convergedHashes, Load, startedCluster, temporaryFolder } from './support.js'

/** Runs the writer on the directory until it has acknowledged so many writes, then kills the process. */
async function acknowledgedUntilKilled(dir: string, round: number, count: number): Promise<string[]> {
  const writer = spawn(
    process.execPath,
    [new URL('./writer.js', import.meta.url).pathname, dir, String(round)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(writer, 'close')
  const acknowledged: string[] = []
  for await (const key of createInterface(writer.stdout)) {
    acknowledged.push(key)
    // What was printed after the signal was sent counts too: it was acknowledged.
    if (acknowledged.length === count) writer.kill('SIGKILL')
  }
  expect(await ended).toEqual([null, 'SIGKILL'])
  return acknowledged
}

/** Threads and file descriptors, where the system tells. */
function heldByThisProcess(): object {
  if (!existsSync('/proc/self')) return {}
  const threads = /Threads:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return { threads, descriptors: readdirSync('/proc/self/fd').length }
}

test('[OU8][DU1] the process is killed under load 20 times in a row, and no acknowledged write is missing', async () => {
  const dir = temporaryFolder()
  const acknowledged: string[] = []
  for (let round = 0; round < 20; round++) {
    acknowledged.push(...(await acknowledgedUntilKilled(dir, round, 50 + 37 * round)))
  }
  const cluster = await startedCluster({ dir })
  await cluster.put('after', 'all')
  expect((await convergedHashes(cluster)).size).toBe(1)
  const missing: string[] = []
  await Promise.all(
    acknowledged.map(async (key) => {
      if ((await cluster.get(key))?.value.toString() !== `value of ${key}`) missing.push(key)
    }),
  )
  expect(missing).toEqual([])
  expect(new Set(acknowledged).size).toBeGreaterThan(20 * 50)
}, 240_000)

test('[OU8] nodes are killed and restarted under load 50 times in one process: nothing acknowledged is lost, no thread or file leaks', async () => {
  const cluster = await startedCluster({ logBytesMax: 256 << 10, heartbeatIntervalMs: 40 })
  const load = new Load(cluster, 32)
  await load.reaches(100)
  let held: object | undefined
  for (let round = 0; round < 50; round++) {
    // Five rounds are enough to have opened whatever is opened once.
    if (round === 5) held = heldByThisProcess()
    // In turn the leader, and a node by number, whatever it is.
    const killed = await cluster.kill(round % 2 === 0 ? (cluster.leaderId ?? 1) : ((round >> 1) % 3) + 1)
    await load.reaches(load.acknowledged.size + 20)
    await cluster.restart(killed)
    await load.reaches(load.acknowledged.size + 20)
  }
  await load.stop()
  expect((await convergedHashes(cluster)).size).toBe(1)
  expect(heldByThisProcess()).toEqual(held)
  const missing: string[] = []
  await Promise.all(
    [...load.acknowledged].map(async ([key, value]) => {
      if ((await cluster.get(key))?.value.toString() !== value) missing.push(key)
    }),
  )
  expect(missing).toEqual([])
}, 240_000)
