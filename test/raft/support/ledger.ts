/** The paper's five properties (Figure 3), checked over a whole network against one ledger of what is true. */
import {
  type LogIndex,
  type LogRun,
  lastIndexOf,
  majorityOf,
  type NodeId,
  type Term,
} from '../../../src/raft/index.js'
import {
  entriesOf,
  type LoggedEntry,
  type NetworkNode,
  type RaftNetwork,
} from '../../../src/testing/index.js'

export class Ledger {
  /** What was committed, from the first entry on. Never changes but at its end. */
  readonly committed: LoggedEntry[] = []
  readonly #leaderOf = new Map<Term, NodeId>()
  /** What is known to follow which entry: equal ids, equal entries and equal pasts. */
  readonly #entryAt = new Map<string, string>()
  /** Runs that were compared, with the entry that came before. */
  readonly #checkedRuns = new WeakMap<LogRun, string>()
  readonly #leaderLogs = new Map<NodeId, { readonly term: Term; readonly lastIndex: LogIndex }>()

  /** Throws when a property does not hold. Called after every step. */
  check(network: RaftNetwork): void {
    for (const node of network.nodes) {
      if (!node.isUp) {
        this.#leaderLogs.delete(node.id)
        continue
      }
      this.#electionSafety(node)
      this.#leaderAppendOnly(node)
      this.#logMatching(node)
      this.#stateMachineSafety(node, network)
      this.#leaderCompleteness(node)
    }
  }

  /** At most one leader can be elected in a term. */
  #electionSafety({ id, state }: NetworkNode): void {
    if (state.role !== 'leader') return
    const leader = this.#leaderOf.get(state.currentTerm) ?? id
    if (leader !== id) throw new Error(`election safety: ${leader} and ${id} lead term ${state.currentTerm}`)
    this.#leaderOf.set(state.currentTerm, id)
  }

  /** A leader never overwrites or deletes entries in its log; it only appends. */
  #leaderAppendOnly({ id, state }: NetworkNode): void {
    const { role, currentTerm: term, log } = state
    const before = this.#leaderLogs.get(id)
    if (role !== 'leader') {
      this.#leaderLogs.delete(id)
      return
    }
    if (before?.term === term && log.lastIndex < before.lastIndex) throw new Error('leader append-only')
    this.#leaderLogs.set(id, { term, lastIndex: log.lastIndex })
  }

  /** If two logs contain an entry with the same index and term, they are identical up to it. */
  #logMatching(node: NetworkNode): void {
    const { id, state } = node
    const { log } = state
    let previous = `${log.base.index}@${log.base.term}`
    for (const run of log.slice(log.firstIndex, log.lastIndex, Number.POSITIVE_INFINITY)) {
      const last = `${lastIndexOf(run)}@${run.term}`
      if (this.#checkedRuns.get(run) !== previous) {
        this.#checkedRuns.set(run, previous)
        for (const { index, term, command } of entriesOf(node.runsOf([run]))) {
          const name = `${index}@${term}`
          const content = `${previous} ${command}`
          if ((this.#entryAt.get(name) ?? content) !== content) {
            throw new Error(`log matching: ${name} at node ${id}`)
          }
          this.#entryAt.set(name, content)
          previous = name
        }
      }
      previous = last
    }
  }

  /** If a node has applied an entry at an index, no other node applies a different one there. */
  #stateMachineSafety({ id, applied }: NetworkNode, network: RaftNetwork): void {
    for (let at = Math.min(applied.length, this.committed.length) - 1; at >= 0; at--) {
      if (!isSame(applied[at], this.committed[at])) {
        throw new Error(`state-machine safety: node ${id}, entry ${at + 1}`)
      }
      // Equal ids have equal pasts: the rest was compared before.
      if (at < applied.length - 8) break
    }
    for (const entry of applied.slice(this.committed.length)) {
      if (entry.index !== this.committed.length + 1) throw new Error(`node ${id} applied out of order`)
      this.committed.push(entry)
      durableOnMajority(entry, network)
    }
  }

  /** A committed entry is in the logs of the leaders of all later terms. */
  #leaderCompleteness({ id, state }: NetworkNode): void {
    const { role, currentTerm, log } = state
    if (role !== 'leader') return
    const last = this.committed.at(-1)
    if (last === undefined || last.term > currentTerm || last.index < log.base.index) return
    if (!log.has(last)) throw new Error(`leader completeness: node ${id} lacks entry ${last.index}`)
  }
}

function isSame(one: LoggedEntry | undefined, other: LoggedEntry | undefined): boolean {
  return one?.index === other?.index && one?.term === other?.term && one?.command === other?.command
}

/** A committed entry is on the flushed disks of a majority, when it is first applied anywhere and ever after. */
export function durableOnMajority(entry: LoggedEntry, network: RaftNetwork): void {
  const holders = network.nodes.filter(({ disk }) => {
    const { base, entries } = disk
    if (base.index >= entry.index) return true
    const run = entries.find(({ index, count }) => index <= entry.index && entry.index < index + count)
    return run !== undefined && isSame(entriesOf([run])[entry.index - run.index], entry)
  })
  if (holders.length < majorityOf(network.nodes.length)) {
    throw new Error(
      `entry ${entry.index}@${entry.term} is on ${holders.length} disks of ${network.nodes.length}`,
    )
  }
}
