/** Helpers of cases beside a cluster: puts, logs of a given length, and the size of a folder. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../../src/cluster/index.js'
import { type NextCall, putCalls } from '../../src/load/index.js'
import { decimal } from '../../src/terminal/index.js'
import type { RunContext } from '../suite/index.js'

/** For a cluster whose log is never cut. */
export const wholeLog = { logBytesMax: 2 ** 40 } as const

/** Puts of one client each, as most cases make them. */
export function puts(cluster: Cluster): NextCall {
  return putCalls(cluster, { size: 128, batch: 1 })
}

/** Commands in one call, and calls at a time. */
const batch = 100
const callers = 32

/** Writes so many commands of 128 bytes as fast as it goes, to the next hundred. */
export async function writeEntries(cluster: Cluster, count: number, { tell }: RunContext): Promise<void> {
  const nextCall = putCalls(cluster, { size: 128, batch })
  let started = 0
  const caller = async (): Promise<void> => {
    while (started < count) {
      started += batch
      if (started % 50_000 === 0) tell(`writing entries: ${decimal(started)} of ${decimal(count)}`)
      await nextCall().perform()
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

/** Bytes of all files below a folder. */
export function sizeOf(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    bytes += entry.isDirectory() ? sizeOf(path) : (statSync(path, { throwIfNoEntry: false })?.size ?? 0)
  }
  return bytes
}
