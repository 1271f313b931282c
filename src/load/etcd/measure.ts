/** A measurement of servers of etcd's API, whoever runs them: all that their clients can know of them. */
import { fill, workloadCalls } from '../calls.js'
import { type Callers, callersOf } from '../clients.js'
import { callFigures, type Measurement, type MeasureOptions, processReading, workloadOf } from '../measure.js'
import type { Phase } from '../phases.js'
import { Tally } from '../tally.js'
import { measureWindow, realClock, type Window } from '../window.js'
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
  ended.addEventListener('abort', close)
  try {
    const subject = new Servers(client, tally, options)
    return await measureWindow(subject, options, tally, realClock, signal, tell)
  } finally {
    ended.removeEventListener('abort', close)
    close()
  }
}

/** Servers are asked for their members and for their term as the window begins, and for their term after its end. */
class Servers {
  readonly read = processReading
  readonly #client: EtcdClient
  readonly #tally: Tally
  readonly #options: MeasureEtcdOptions
  #members: number | undefined
  #termBefore: number | undefined

  constructor(client: EtcdClient, tally: Tally, options: MeasureEtcdOptions) {
    this.#client = client
    this.#tally = tally
    this.#options = options
  }

  async prepare(): Promise<Callers> {
    const [client, tally, options] = [this.#client, this.#tally, this.#options]
    await client.meet()
    const workload = workloadOf(options)
    if (workload !== undefined) await fill(client, tally, workload)
    const nextCall = workload === undefined ? etcdPutCalls(client, options) : workloadCalls(client, workload)
    return callersOf(tally, nextCall, options)
  }

  async warmedUp(): Promise<void> {
    this.#members = await this.#client.memberCount()
    this.#termBefore = await this.#client.term()
  }

  async figuresOf({
    before,
    after,
    unanswered,
  }: Window<ReturnType<typeof processReading>>): Promise<EtcdMeasurement> {
    const elections = electionsBetween(this.#termBefore, await this.#client.term())
    return {
      ...callFigures(this.#options, this.#tally, before, after),
      ...{ servers: this.#options.servers, nodes: this.#members ?? null, unanswered, elections },
      ...unknown,
    }
  }
}

/** Each election raises the term. */
function electionsBetween(before: number | undefined, after: number | undefined): number | null {
  return before === undefined || after === undefined ? null : after - before
}
