/** Warnings that a cluster cannot be as safe or as quick as it is set to be, each with the change that helps. */
import type { NodeId } from '../raft/index.js'
import type { Happened } from '../telemetry/index.js'
import type { ResolvedOptions } from './options.js'

/** Of one standstill that was measured, an election timeout is to leave room for four. */
const roomFactor = 4
/** A thread that stood still for longer was suspended with its process, or held by a debugger. */
const standstillMsMax = 5000

type Told = Pick<ResolvedOptions, 'electionTimeoutMs' | 'heartbeatIntervalMs' | 'host'>

export class Warnings {
  readonly #options: Told
  readonly #warn: (line: string) => void
  readonly #given = new Set<string>()
  /** Silences of leaders that nothing explains, and the node at which each was. */
  readonly #unexplained = new Map<NodeId, number>()

  /** `warn` is called with a line for each subject, once. */
  constructor(options: Told, warn: (line: string) => void) {
    this.#options = options
    this.#warn = warn
  }

  begins(nodes: number): void {
    if (nodes !== 2) return
    this.#give('nodes', 'two nodes tolerate no failure, as one does; three tolerate one')
  }

  /** Faults are no reason to warn, since their user knows of them. So an event with a cause is passed over. */
  heard(event: Happened): void {
    const { electionTimeoutMs, host } = this.#options
    switch (event.type) {
      case 'hostBlocked': {
        if (event.forMs < electionTimeoutMs) return
        const who = host === 'inline' ? 'all nodes and calls' : 'all calls and their answers'
        const busy = 'move its long work into a worker thread, or let the loop turn in between (setImmediate)'
        const remedy = `if the program was busy, ${busy}; if it got no processor, give the machine less to do`
        return this.#give(
          'host',
          `the event loop of this program stood still for ${ms(event.forMs)}, and ${who} waited: ${remedy}`,
        )
      }
      case 'threadStood':
        if (event.cause !== undefined || event.forMs < electionTimeoutMs / 2) return
        if (event.forMs > standstillMsMax) return
        return this.#timeoutTooShort(`the thread of node ${event.nodeId} stood still for`, event.forMs)
      case 'heartbeatMissed':
        if (event.cause === undefined) this.#unexplained.set(event.nodeId, event.sequence)
        return
      case 'role': {
        if (event.reason !== 'electionTimeout') return
        const isUnexplained = this.#unexplained.get(event.nodeId) === event.cause && event.cause !== undefined
        const silentMs = event.elapsedTicks * this.#options.heartbeatIntervalMs
        if (isUnexplained)
          this.#timeoutTooShort(`node ${event.nodeId} heard nothing of a leader for`, silentMs)
        return
      }
      case 'flushLate': {
        if (event.cause !== undefined) return
        const { nodeId, sinceMs } = event
        const harm = `a leader whose disk finishes no write for ${electionTimeoutMs} ms steps down`
        const remedy = `put dir on a quicker disk, or ${longer(sinceMs)}`
        return this.#give(
          'disk',
          `a write took the disk of node ${nodeId} ${ms(sinceMs)}, and ${harm}: ${remedy}`,
        )
      }
    }
  }

  #timeoutTooShort(what: string, forMs: number): void {
    const { electionTimeoutMs } = this.#options
    const harm = `a leader that is silent for ${electionTimeoutMs} ms, the election timeout, is replaced`
    this.#give(
      'timeout',
      `${what} ${ms(forMs)}, and ${harm}: give the machine less to do, or ${longer(forMs)}`,
    )
  }

  #give(subject: string, line: string): void {
    if (this.#given.has(subject)) return
    this.#given.add(subject)
    this.#warn(line)
  }
}

/** The setting with which a delay that was measured leads to no election. */
function longer(delayMs: number): string {
  return `set electionTimeoutMs to ${Math.ceil((roomFactor * delayMs) / 100) * 100} or more`
}

function ms(time: number): string {
  return `${Math.round(time)} ms`
}
