/**
 * A cluster of threads under the checks of the simulator. Nobody can look into a node that runs, and which entries are
 * committed is known at the end: calls, answers and events are kept in their order until the disks tell the ledger.
 */
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KeyValueOperation } from '../../src/check/index.js'
import { keepOperations } from '../../src/cli/operations-file.js'
import type { Cluster, RaftError } from '../../src/cluster/index.js'
import { encode, ResultBuilder, writeRange } from '../../src/machine/index.js'
import {
  type Call,
  Checker,
  History,
  membershipOf,
  NodeAtRest,
  type RandomCall,
  type RandomCalls,
  type Witness,
} from '../../src/proof/index.js'
import type { NodeId, Term } from '../../src/raft/index.js'
import { type OpenStore, openLmdbStore } from '../../src/storage/index.js'
import type { Settlement } from '../../src/transport/index.js'
import { asOperations, contradictionsIn, judgedAlone } from './as-operations.js'
import { noCounts } from './no-counts.js'

type Ended = { readonly settlement: Settlement; readonly results: Uint8Array }
type Step = (history: History) => void

const membership = membershipOf([1, 2, 3])

export class WatchedThreads {
  readonly counts = {
    ...noCounts(),
    requests: 0,
    applied: 0,
    read: 0,
    refused: 0,
    unknown: 0,
    readInPart: 0,
    readHere: 0,
    readStale: 0,
  }
  /** Calls that the cluster has answered so far. */
  answered = 0
  readonly #cluster: Cluster
  readonly #steps: Step[] = []
  readonly #leaders: { readonly nodeId: NodeId; readonly term: Term }[] = []
  /** The same calls as a history of their own. Their times are the numbers of steps. */
  readonly #operations: KeyValueOperation[] = []
  #requests = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    cluster.events.on('event', (event) => {
      if (event.type === 'role' && event.role === 'leader') this.#leaders.push(event)
    })
  }

  /** A client, which makes its calls one after the other. */
  async runClient(calls: RandomCalls, isOver: () => boolean): Promise<void> {
    while (!isOver()) await this.call(calls.next())
  }

  /** Queries are asked one by one: a handle takes one at a time. */
  async call({ type, commands }: RandomCall): Promise<void> {
    for (const part of type === 'read' ? commands.map((query) => [query]) : [commands]) {
      const request = ++this.#requests
      let call: Call | undefined
      const begun = this.#steps.push((history) => {
        call = history.call(request, type, 0, part)
      })
      const { settlement, results } = await this.#answerTo(request, type, part)
      this.answered++
      const ended: number = this.#steps.push((history) => {
        const told = call && history.settled(call, settlement, results)
        const times = { client: request, call: begun, return: ended }
        if (told !== undefined) this.#operations.push(...asOperations(type, part, told, times))
      })
    }
  }

  /** For the end of a run, when no client calls any more: closes the cluster, and tells what is wrong with it. */
  async ended(dir: string): Promise<string[]> {
    // The last read sees the whole state.
    await this.call({ type: 'read', commands: [encode(writeRange, {})] })
    const applied = await this.#converged()
    await this.#cluster.close()
    const disks = new Map(
      membership.voters.map((nodeId) => [
        nodeId,
        openLmdbStore({ dir: join(dir, `node-${nodeId}`), nodeId, membership }),
      ]),
    )
    const found = this.#check(applied, disks)
    for (const { store } of disks.values()) await store.close()
    return found
  }

  /** Waits until every node has applied and flushed the same log, and tells how far each applied it. */
  async #converged(): Promise<Map<NodeId, number>> {
    for (;;) {
      const status = this.#cluster.status()
      const ends = new Set(status.flatMap((node) => [node.lastIndex, node.flushedIndex, node.lastApplied]))
      if (ends.size === 1) return new Map(status.map(({ nodeId, lastApplied }) => [nodeId, lastApplied]))
      await nextTurn()
    }
  }

  /** Checks all that was heard of against what the disks of the closed cluster hold. The answer is what is wrong. */
  #check(applied: ReadonlyMap<NodeId, number>, disks: ReadonlyMap<NodeId, OpenStore>): string[] {
    const found: string[] = []
    const witness: Witness = {
      report: (rule, detail) => void found.push(`${rule}: ${detail}`),
      committed: () => undefined,
    }
    const nodes: NodeAtRest[] = []
    const checker = new Checker(witness, this.counts, nodes, membership)
    const history = new History(checker, this.counts)
    for (const { nodeId, term } of this.#leaders) checker.elected(nodeId, term)
    for (const [id, disk] of disks) nodes.push(new NodeAtRest(id, checker, disk))
    for (const [id, index] of applied) checker.applied(id, index)
    for (const step of this.#steps) step(history)
    const result = judgedAlone(this.#operations)
    const kept = result.failures.length > 0 ? [keepOperations(this.#operations)] : []
    return [...found, ...contradictionsIn(result), ...kept]
  }

  async #answerTo(request: number, type: Call['type'], commands: readonly Uint8Array[]): Promise<Ended> {
    try {
      if (type === 'read') {
        const results = packed(await Promise.all(commands.map((query) => this.#cluster.query(query))))
        return { settlement: { request, outcome: 'read', count: commands.length, results }, results }
      }
      const { index, results } = await this.#cluster.propose(commands)
      const settlement = { request, outcome: 'applied', index, count: commands.length } as const
      return { settlement, results: packed(results) }
    } catch (error) {
      return { settlement: settlementOf(request, error as RaftError), results: packed([]) }
    }
  }
}

function settlementOf(request: number, { message, mayHaveHappened }: RaftError): Settlement {
  if (mayHaveHappened === 'maybe') return { request, outcome: 'unknown', why: message }
  return { request, outcome: 'refused', code: 'replaced', leaderId: undefined }
}

function packed(results: readonly Uint8Array[]): Uint8Array {
  const builder = new ResultBuilder()
  for (const result of results) builder.append(result)
  return builder.take().bytes
}
