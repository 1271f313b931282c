/** The time of a command, stage by stage: on its way between threads, at the disk of the follower that decides, and back. */
import type { Cluster } from '../../src/cluster/index.js'
import { type CommandWay, explainIndex } from '../../src/explain/index.js'
import { withCluster } from '../../src/load/index.js'
import { medianOf } from '../../src/report/index.js'
import { LatencyHistogram, type Stage, type Story, storyNow } from '../../src/telemetry/index.js'
import { counted } from '../../src/terminal/index.js'
import {
  type BenchCase,
  type Extent,
  type Group,
  lower,
  microseconds,
  neither,
  pick,
  type RunContext,
  type Sample,
} from '../suite/index.js'

const keys = 10_000
const valueBytes = 100
/** Commands whose way is looked at, the last ones of a run. */
const sampled = 200
/** Clients whose calls are looked at: those of all would be of one wave. */
const watchedClients = 8
/** The story is read from so much before the first of these calls: it must tell what each node had by then. */
const leadInMs = 100

/**
 * The parts of the way, each with the moment that ends it. A node stamps what happens in a turn with one or two looks at
 * the clock, so that a part within one turn shows as nothing, and counts to the next part that leaves the thread.
 */
const parts = [
  ['toLeader', 'leader', 'appended'],
  ['leaderSends', 'leader', 'sent'],
  ['toFollower', 'follower', 'received'],
  ['followerFlushes', 'follower', 'flushed'],
  ['backToLeader', 'leader', 'acknowledged'],
  ['leaderApplies', 'leader', 'answered'],
  ['toClient', 'client', undefined],
] as const satisfies readonly (readonly [string, 'leader' | 'follower' | 'client', Stage | undefined])[]
type Part = (typeof parts)[number][0]

interface Call {
  readonly begunMs: number
  readonly endedMs: number
}

export const stages: Group = {
  name: 'stages',
  cases: (extent: Extent) => pick(extent, [1, 64, 1024], [1]).map(waysOf),
}

function waysOf(clients: number): BenchCase {
  return {
    name: String(clients),
    title: `the way of a durable put of ${valueBytes} bytes, part by part, ${counted(clients, 'client')}`,
    parameters: { clients, valueBytes },
    run: (context) =>
      withCluster({ nodes: 3 }, context.signal, async (cluster) => {
        const calls = await callFor(cluster, clients, context)
        return sampleOf(calls, cluster.story())
      }),
  }
}

/** Calls by the index of their command, the last ones that were answered. */
async function callFor(
  cluster: Cluster,
  clients: number,
  { seconds, signal }: RunContext,
): Promise<ReadonlyMap<number, Call>> {
  const calls = new Map<number, Call>()
  const untilMs = storyNow() + 2000 * seconds
  const value = 'v'.repeat(valueBytes)
  const call = async (client: number): Promise<void> => {
    for (let at = client; !signal.aborted; at += clients) {
      const begunMs = storyNow()
      const { index } = await cluster.put(`key ${at % keys}`, value)
      const endedMs = storyNow()
      if (client < watchedClients) calls.set(index, { begunMs, endedMs })
      if (calls.size > sampled) calls.delete(calls.keys().next().value ?? index)
      if (endedMs > untilMs) return
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => call(client)))
  return calls
}

function sampleOf(calls: ReadonlyMap<number, Call>, whole: Story): Sample {
  const sinceMs = Math.min(...[...calls.values()].map(({ begunMs }) => begunMs)) - leadInMs
  const story = { ...whole, passed: whole.passed.filter(({ atMs }) => atMs >= sinceMs) }
  const tookMs = new Map<Part, number[]>(parts.map(([name]) => [name, []]))
  const wholeMs: number[] = []
  for (const [index, call] of calls) {
    const way = explainIndex(story, index)
    const took = way.type === 'command' ? partsOf(way, call) : undefined
    if (took === undefined) continue
    for (const [name, ms] of took) tookMs.get(name)?.push(ms)
    wholeMs.push(call.endedMs - call.begunMs)
  }
  return {
    figures: [
      lower('callMs', 'ms', medianOf(wholeMs)),
      ...parts.map(([name]) => lower(`${name}Ms`, 'ms', medianOf(tookMs.get(name) ?? []))),
      neither('decidedByFollower', '%', (wholeMs.length * 100) / calls.size),
    ],
    distributions: [...tookMs].map(([name, values]) => {
      const histogram = new LatencyHistogram()
      for (const ms of values) histogram.record(Math.max(0, Math.round(ms * 1000)), 1)
      return { name, histogram, toMs: microseconds }
    }),
  }
}

/** The parts of one call. `undefined`: the leader's own disk decided, or the story does not tell all of it. */
function partsOf({ steps, leaderId, decidedBy }: CommandWay, call: Call): [Part, number][] | undefined {
  if (decidedBy === undefined) return undefined
  const took: [Part, number][] = []
  let fromMs = call.begunMs
  for (const [name, role, stage] of parts) {
    const nodeId = role === 'follower' ? decidedBy : leaderId
    const isOfDecider = stage === 'sent' || stage === 'acknowledged'
    const step = steps.find(
      (each) => each.nodeId === nodeId && each.stage === stage && (!isOfDecider || each.peer === decidedBy),
    )
    const atMs = role === 'client' ? call.endedMs : step?.atMs
    if (atMs === undefined) return undefined
    took.push([name, atMs - fromMs])
    fromMs = atMs
  }
  return took
}
