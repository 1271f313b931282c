/** The programs that keep the cores busy while something is measured. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { keptBusy } from '../../bench/suite/index.js'

/** A program that keeps the cores busy, and tells the ids of its programs. */
const killed = (suite: URL) => `
  import { readdirSync, readFileSync } from 'node:fs'
  import { availableParallelism } from 'node:os'
  import { keptBusy } from '${suite}'
  const isOwn = (pid) => {
    try {
      return Number(readFileSync(\`/proc/\${pid}/stat\`, 'utf8').split(') ').at(-1).split(' ')[1]) === process.pid
    } catch {
      return false
    }
  }
  await keptBusy(async () => {
    for (;;) {
      const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).filter(isOwn).map(Number)
      if (pids.length === availableParallelism()) console.log(JSON.stringify(pids))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })`

/** Priorities of the programs that this process has started. */
function prioritiesOfChildren(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The name of a program, in brackets, may have spaces in it: the third field comes behind it.
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
        return [{ parent: Number(fields[4 - 3]), nice: Number(fields[19 - 3]) }]
      } catch {
        // The program has ended meanwhile.
        return []
      }
    })
    .filter(({ parent }) => parent === process.pid)
    .map(({ nice }) => nice)
}

test.runIf(process.platform === 'linux')(
  'a program a core runs at the lowest priority as long as it is asked for, also if what is measured fails',
  async () => {
    const busy = keptBusy(async () => {
      while (prioritiesOfChildren().filter((nice) => nice === 19).length < availableParallelism())
        await new Promise((resolve) => setTimeout(resolve, 5))
      throw new Error('measured')
    })
    await expect(busy).rejects.toThrow('measured')
    expect(prioritiesOfChildren()).toEqual([])
  },
)

test.runIf(process.platform === 'linux')('the programs end with a process that is killed', async () => {
  const suite = new URL('../../bench/suite/index.js', import.meta.url)
  const child = spawn(process.execPath, ['--input-type=module', '-e', killed(suite)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [told] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGKILL')
  await once(child, 'exit')
  const pids: number[] = JSON.parse(String(told))
  expect(pids).toHaveLength(availableParallelism())
  while (pids.some((pid) => existsSync(`/proc/${pid}`)))
    await new Promise((resolve) => setTimeout(resolve, 5))
})
