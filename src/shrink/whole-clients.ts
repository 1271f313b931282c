/** The clients of a run of whole nodes: they ask when an act says so, and what they are told is kept. */
import type { LogIndex, NodeId } from '../raft/index.js'
import type { Outcome, SimulatedCluster } from '../sim/index.js'
import type { ClientDeed } from './whole-acts.js'

/** An answer to a client, and the act in which it had asked. */
export interface Answer {
  readonly act: number
  readonly outcome: Outcome
}

type Call = ReturnType<SimulatedCluster['send']>
type Commands = readonly Uint8Array[]
type OfSession = Parameters<SimulatedCluster['send']>[5]

/** No client of a list loses its patience: a client that asks again has an act of its own for it. */
const patienceMs = 1e9

export class WholeClients {
  readonly #cluster: SimulatedCluster
  /** The sessions that clients were told of, by the acts that asked for them. */
  readonly #sessions = new Map<number, LogIndex>()
  /** The first copy of each call of a session, as far as it was sent. */
  readonly #calls = new Map<string, Call>()
  #answers: Answer[] = []

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster
  }

  /** False: the client has no such session. */
  ask(act: number, node: NodeId, deed: ClientDeed): boolean {
    switch (deed.type) {
      case 'ask':
        this.#send(act, node, deed.what, deed.commands)
        return true
      case 'register':
        this.#send(act, node, 'propose', [], { registerMs: deed.timeoutMs })
        return true
      case 'call': {
        const { sequence, firstOutstanding, commands } = deed
        const session = this.#sessions.get(deed.session)
        if (session === undefined) return false
        const key = `${session} ${sequence}`
        const copyOf = this.#calls.get(key)
        const call = { session, sequence, firstOutstanding }
        const sent = this.#send(act, node, 'propose', commands, { call, copyOf })
        if (copyOf === undefined) this.#calls.set(key, sent)
        return true
      }
    }
  }

  /** The answers to clients since the last look. */
  takeAnswers(): readonly Answer[] {
    const answers = this.#answers
    this.#answers = []
    return answers
  }

  #send(
    act: number,
    node: NodeId,
    type: 'propose' | 'read' | 'readHere' | 'staleRead',
    commands: Commands,
    ofSession?: OfSession,
  ): Call {
    const told = (outcome: Outcome): void => {
      const isSession = ofSession !== undefined && 'registerMs' in ofSession
      if (isSession && outcome.outcome === 'applied') this.#sessions.set(act, outcome.index)
      this.#answers.push({ act, outcome })
    }
    return this.#cluster.send(node, type, commands, told, patienceMs, ofSession)
  }
}
