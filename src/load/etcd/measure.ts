/** A measurement of servers of etcd's API, whoever runs them: all that their clients can know of them. */
import { fill, workloadCalls } from '../calls.js'
import {
  callersOf,
  callFigures,
  type Measurement,
  type MeasureOptions,
  processReading,
  realClock,
  workloadOf,
} from '../measure.js'
import { type Phase, PhaseClock } from '../phases.js'
import { Tally } from '../tally.js'
import { etcdPutCalls } from './calls.js'
import type { EtcdClient } from './client.js'

type Asked = 'clients' | 'size' | 'batch' | 'workload' | 'records' | 'rate' | 'arrivals' | 'seconds'

export interface MeasureEtcdOptions extends Pick<MeasureOptions, Asked | 'warmUpSeconds'> {
  /** Hosts with their ports; called in turn. */
  readonly servers: readonly string[]
}

/** Figures that only the program that runs the nodes can know. */
type Unknown =
  | 'durability'
  | 'threads'
  | 'reads'
  | 'readsFrom'
  | 'heartbeatLateP999ms'
  | 'heartbeats'
  | 'heartbeatsMissed'
  | 'flushesPerCommit'
  | 'messagesPerCommit'
  | 'bytesFlushed'

const unknown: Readonly<Record<Unknown, null>> = {
  durability: null,
  threads: null,
  reads: null,
  readsFrom: null,
  heartbeatLateP999ms: null,
  heartbeats: null,
  heartbeatsMissed: null,
  flushesPerCommit: null,
  messagesPerCommit: null,
  bytesFlushed: null,
}

/** The fields of `Measurement`. */
export type EtcdMeasurement = Omit<Measurement, Unknown | keyof Told> & {
  readonly [Name in Unknown]: null
} & Told & { readonly servers: readonly string[] }

/** Figures that the servers are asked for. `null`: none of them answered in time. */
interface Told {
  /** The members. */
  readonly nodes: number | null
  /** Terms that began within the window. */
  readonly elections: number | null
}

/** Rejects when the signal is aborted, and with a `Failed` when a server does not answer as etcd does. */
export async function measureEtcd(
  options: MeasureEtcdOptions,
  signal: AbortSignal,
  tell: (phase: Phase) => void,
): Promise<EtcdMeasurement> {
  // gRPC takes a tenth of a second to load, which no other command is to wait for.
  const { EtcdClient } = await import('./client.js')
  const client = new EtcdClient(options.servers)
  const tally = new Tally(realClock.now)
  const ended = AbortSignal.any([signal, tally.broken])
  const close = (): void => client.close()
  const phases = new PhaseClock(tally, tell)
  ended.addEventListener('abort', close)
  try {
    await client.meet()
    return await measureWithin(client, tally, phases, options, ended)
  } catch (error) {
    signal.throwIfAborted()
    throw tally.broken.aborted ? tally.broken.reason : error
  } finally {
    ended.removeEventListener('abort', close)
    tally.isStopped = true
    phases.end()
    close()
  }
}

async function measureWithin(
  client: EtcdClient,
  tally: Tally,
  phases: PhaseClock,
  options: MeasureEtcdOptions,
  ended: AbortSignal,
): Promise<EtcdMeasurement> {
  const { servers, warmUpSeconds, seconds } = options
  const workload = workloadOf(options)
  phases.begin('fill')
  if (workload !== undefined) await fill(client, tally, workload)
  ended.throwIfAborted()
  const nextCall = workload === undefined ? etcdPutCalls(client, options) : workloadCalls(client, workload)
  const callers = callersOf(tally, nextCall, options)
  callers.run().catch((error: unknown) => tally.giveUp(error))
  phases.begin('warm-up', warmUpSeconds)
  await realClock.wait(warmUpSeconds * 1000, ended)
  const nodes = await client.memberCount()
  const termBefore = await client.term()

  phases.begin('measure', seconds)
  const before = processReading(realClock.now())
  tally.open()
  await realClock.wait(seconds * 1000, ended)
  tally.close()
  const after = processReading(realClock.now())
  const unanswered = callers.countUnanswered?.() ?? null
  tally.isStopped = true
  const termAfter = await client.term()
  ended.throwIfAborted()
  return {
    ...callFigures(options, tally, before, after),
    ...{ servers, nodes: nodes ?? null, unanswered, elections: electionsBetween(termBefore, termAfter) },
    ...unknown,
  }
}

/** Each election raises the term. */
function electionsBetween(before: number | undefined, after: number | undefined): number | null {
  return before === undefined || after === undefined ? null : after - before
}
