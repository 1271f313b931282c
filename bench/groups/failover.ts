/** From the kill of a leader under load to the next acknowledged write, again and again. */
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, leaderKnown } from '../../src/cluster/index.js'
import {
  type Load,
  type NextCall,
  type Tally,
  Timeline,
  underLoad,
  withCluster,
} from '../../src/load/index.js'
import { medianOf } from '../../src/report/index.js'
import { LatencyHistogram } from '../../src/telemetry/index.js'
import {
  type Extent,
  type Group,
  lower,
  microseconds,
  neither,
  type RunContext,
  type Sample,
} from '../suite/index.js'
import { puts } from './scratch.js'

const clients = 64
const killsOf: Readonly<Record<Extent, number>> = { quick: 3, usual: 10, long: 30 }
/** Of undisturbed load between two kills, drawn evenly: at equal distances all kills would fall between the same ticks. */
const pauseMs = { least: 300, most: 500 }

export const failover: Group = {
  name: 'failover',
  cases: (extent) => [
    {
      name: 'kill-leader',
      title: 'the leader is killed under load, until the next acknowledged write',
      parameters: { clients },
      run: (context) => withCluster({ nodes: 3 }, context.signal, (cluster) => run(cluster, extent, context)),
    },
  ],
}

async function run(cluster: Cluster, extent: Extent, context: RunContext): Promise<Sample> {
  const answers = new EventTarget()
  const nextCall = announcing(puts(cluster), answers)
  await cluster.put('warm', 'up')
  return underLoad(cluster, { clients, nextCall, signal: context.signal }, async (load) => {
    const { tally } = load
    const timeline = new Timeline(cluster, tally)
    tally.open()
    timeline.start()
    try {
      const times = await killAgainAndAgain(cluster, load, answers, killsOf[extent], context)
      timeline.stop()
      tally.close()
      return sampleOf(cluster, times, tally, timeline)
    } finally {
      timeline.stop()
    }
  })
}

/** Tells of every answer. */
function announcing(nextCall: NextCall, answers: EventTarget): NextCall {
  return () => {
    const call = nextCall()
    const perform = async (): Promise<void> => {
      await call.perform()
      answers.dispatchEvent(new Event('answer'))
    }
    return { ...call, perform }
  }
}

/** Milliseconds, one for each kill. */
async function killAgainAndAgain(
  cluster: Cluster,
  { signal }: Load,
  answers: EventTarget,
  kills: number,
  { tell }: RunContext,
): Promise<number[]> {
  const times: number[] = []
  while (times.length < kills) {
    tell(`kill ${times.length + 1} of ${kills}`)
    const { least, most } = pauseMs
    await delay(least + Math.random() * (most - least), undefined, { signal })
    await leaderKnown(cluster, signal)
    const startedMs = performance.now()
    const killed = await cluster.kill('leader')
    // Nothing of the killed leader arrives once it is gone: this answer is its successor's.
    await once(answers, 'answer', { signal })
    times.push(performance.now() - startedMs)
    await cluster.restart(killed)
    await once(answers, 'answer', { signal })
  }
  return times
}

function sampleOf(cluster: Cluster, times: number[], tally: Tally, timeline: Timeline): Sample {
  const median = medianOf(times)
  const histogram = new LatencyHistogram()
  for (const ms of times) histogram.record(Math.round(ms * 1000), 1)
  const elections = timeline.seconds.reduce((sum, second) => sum + second.elections, 0)
  return {
    figures: [
      lower('medianMs', 'ms', median),
      lower('leastMs', 'ms', Math.min(...times)),
      lower('mostMs', 'ms', Math.max(...times)),
      lower('medianElectionTimeouts', '', median / cluster.options.electionTimeoutMs),
      lower('electionsPerKill', '', elections / times.length),
      neither('kills', '', times.length),
      lower('notAnswered', '', tally.notApplied + tally.unknown),
    ],
    distributions: [
      { name: 'failover', histogram, toMs: microseconds },
      ...[...tally.histograms].map(([name, calls]) => ({ name, histogram: calls, toMs: microseconds })),
    ],
    timeline: timeline.seconds,
  }
}
