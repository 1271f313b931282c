/** A follower that is far behind comes back under load: how much of its rate the cluster keeps meanwhile. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, type ClusterOptions, encode, writePut } from '../../src/cluster/index.js'
import { type Load, type Tally, underLoad, warmUpSecondsFor, withCluster } from '../../src/load/index.js'
import { medianOf } from '../../src/report/index.js'
import { counted, decimal } from '../../src/terminal/index.js'
import {
  type BenchCase,
  type Extent,
  type Group,
  higher,
  lower,
  neither,
  type RunContext,
  type Sample,
} from '../suite/index.js'
import { puts, wholeLog, writeEntries } from './scratch.js'

const clients = 64
const entriesOf: Readonly<Record<Extent, number>> = { quick: 50_000, usual: 1_000_000, long: 1_000_000 }
/** The rate is looked at so often, and the follower as well. */
const windowMs = 100
/** The least part of its rate that the cluster keeps, at the median of the rounds. */
const keptMin = 0.7

/**
 * The log holds all that is missed; or the follower gets a snapshot of the clients' 10,000 keys, or one in which each
 * missed entry has a key of its own.
 */
const sources = ['log', 'snapshot', 'largeSnapshot'] as const

/** A follower that was down comes back with its disk; or a new node takes the place of one whose disk is lost. */
const ways = {
  restarted: { title: 'a follower that was down comes back', bringBack: restart },
  replaced: { title: 'a new node takes the place of a follower that lost its disk', bringBack: replace },
} as const

export const returns: Group = {
  name: 'returns',
  cases: (extent) =>
    sources.flatMap((source) =>
      (['restarted', 'replaced'] as const).map((way): BenchCase => {
        const entries = entriesOf[extent]
        const options: ClusterOptions = source === 'log' ? { nodes: 3, ...wholeLog } : { nodes: 3 }
        const { title, bringBack } = ways[way]
        const run = (cluster: Cluster, context: RunContext): Promise<Sample> =>
          underLoad(cluster, { clients, nextCall: puts(cluster), signal: context.signal }, (load) =>
            measured(cluster, load, context, async () => {
              const follower = await cluster.kill('follower')
              if (source === 'largeSnapshot') await writeOwnKeys(cluster, entries)
              else await writeEntries(cluster, entries, context)
              return () => bringBack(cluster, follower, load.signal)
            }),
          )
        return {
          name: `${source}/${way}`,
          title: `${title}, ${decimal(entries)} entries behind, by ${source}`,
          parameters: { source, way, entries, clients },
          run: (context) => withCluster(options, context.signal, (cluster) => run(cluster, context)),
        }
      }),
    ),
}

/** With one node down the leader has less to do: the rate is held against that of all nodes, before and after. */
async function measured(
  cluster: Cluster,
  { tally, signal }: Load,
  { seconds, tell }: RunContext,
  fallBehind: () => Promise<() => Promise<void>>,
): Promise<Sample> {
  await delay(warmUpSecondsFor(seconds) * 1000, undefined, { signal })
  tell('all nodes are up')
  const term = termOf(cluster)
  const whole = await ratesOf(tally, delay(seconds * 1000, undefined, { signal }))
  tell('a follower is down')
  const bringBack = await fallBehind()
  tell('it comes back')
  const [commands, startedMs] = [tally.commandsSoFar, performance.now()]
  const meanwhile = await ratesOf(tally, bringBack())
  const ms = performance.now() - startedMs
  const rate = ((tally.commandsSoFar - commands) / ms) * 1000
  tell('all nodes are up again')
  whole.push(...(await ratesOf(tally, delay(seconds * 1000, undefined, { signal }))))
  const elections = termOf(cluster) - term
  if (elections > 0) throw new Error(`there was no peace: ${counted(elections, 'election')}`)
  const usual = medianOf(whole)
  return {
    figures: [
      higher('rateKept', '', rate / usual, { atLeast: keptMin }),
      higher('leastRateKept', '', Math.min(...meanwhile) / usual),
      lower('backMs', 'ms', ms),
      neither('usualCommitsPerSecond', '1/s', usual),
      neither('windowsBack', '', meanwhile.length),
    ],
  }
}

/** Commits per second in each window until something is done; the last window may be shorter than the others. */
async function ratesOf(tally: Tally, done: Promise<unknown>): Promise<number[]> {
  const rates: number[] = []
  let [commands, ms] = [tally.commandsSoFar, performance.now()]
  const cut = (): void => {
    const [commandsNow, msNow] = [tally.commandsSoFar, performance.now()]
    rates.push(((commandsNow - commands) / (msNow - ms)) * 1000)
    commands = commandsNow
    ms = msNow
  }
  const timer = setInterval(cut, windowMs)
  await done.finally(() => clearInterval(timer))
  cut()
  return rates
}

async function restart(cluster: Cluster, follower: number, signal: AbortSignal): Promise<void> {
  await cluster.restart(follower)
  await level(cluster, follower, signal)
}

async function replace(cluster: Cluster, follower: number, signal: AbortSignal): Promise<void> {
  rmSync(join(cluster.dir, `node-${follower}`), { recursive: true })
  await level(cluster, await cluster.replaceNode(follower), signal)
}

/** Resolves once a node holds all that the leader had applied at the last look but one. */
async function level(cluster: Cluster, nodeId: number, signal: AbortSignal): Promise<void> {
  let goal = Number.POSITIVE_INFINITY
  while (appliedBy(cluster, nodeId) < goal) {
    goal = appliedBy(cluster, cluster.leaderId)
    await delay(windowMs / 10, undefined, { signal })
  }
}

function appliedBy(cluster: Cluster, nodeId: number | undefined): number {
  return cluster.status().find((node) => node.nodeId === nodeId)?.lastApplied ?? Number.NaN
}

function termOf(cluster: Cluster): number {
  return Math.max(...cluster.status().map(({ currentTerm }) => currentTerm))
}

/** Puts so many commands of 128 bytes, each with a key of its own. */
async function writeOwnKeys(cluster: Cluster, count: number): Promise<void> {
  const value = Buffer.alloc(110, 'raftbox ')
  let key = 0
  const caller = async (): Promise<void> => {
    while (key < count) {
      const commands = Array.from({ length: 100 }, () => encode(writePut, `own ${key++}`, value))
      await cluster.propose(commands)
    }
  }
  await Promise.all(Array.from({ length: 32 }, caller))
}
