/** The programs that keep the cores busy while something is measured. */
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { keptBusy } from '../../bench/suite/index.js'

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
