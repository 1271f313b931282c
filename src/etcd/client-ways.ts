/** The ways between a node and its clients, as the faults at the node leave them. */
import { type Endpoint, LinkFaults, type StandingFault, type Wait } from '../faults/index.js'
import { type NodeId, Random } from '../raft/index.js'
import type { WayState } from './valve.js'
import type { Delay } from './way.js'

/** TCP waits so long before it sends again what was lost, and twice as long each further time. */
const sentAgainMs = 200
const timesSentMax = 8

export class ClientWays {
  readonly #nodeId: NodeId
  /** The faults on the ways to the node, and on those to its clients. */
  readonly #arriving: LinkFaults
  readonly #leaving: LinkFaults
  #isPaused = false

  constructor(nodeId: NodeId) {
    this.#nodeId = nodeId
    const random = new Random(crypto.getRandomValues(new Uint32Array(1))[0] ?? nodeId)
    // A fault on the way to clients names each of its ways, whoever the nodes are.
    this.#arriving = new LinkFaults(nodeId, [], random)
    this.#leaving = new LinkFaults('clients', [], random)
  }

  /** From now on exactly these faults stand at the node. */
  set(standing: readonly StandingFault[]): void {
    this.#isPaused = standing.some(({ fault }) => fault.type === 'pause')
    this.#arriving.set(standing.filter((each) => isOn(each, 'clients', this.#nodeId)))
    this.#leaving.set(standing.filter((each) => isOn(each, this.#nodeId, 'clients')))
  }

  get from(): WayState {
    return this.#stateOf(this.#arriving, 'clients')
  }

  get to(): WayState {
    return this.#stateOf(this.#leaving, this.#nodeId)
  }

  #stateOf(faults: LinkFaults, from: NodeId | 'clients'): WayState {
    const packet = { from, message: undefined, byteLength: 0 }
    const isOpen = !this.#isPaused && !faults.isCut(packet)
    if (!faults.areStanding) return { isOpen, delayOf: undefined }
    const delayOf = (byteLength: number): Delay => {
      const waits: Wait[] = []
      for (let time = 0; isOpen && time < timesSentMax; time++) {
        const passage = faults.passageOf({ ...packet, byteLength }, performance.now())
        waits.push(...passage.waits)
        if (passage.lostTo === undefined) break
        waits.push({ faultId: passage.lostTo, type: 'delay', ms: sentAgainMs * 2 ** time })
      }
      return () => faults.waitMsOf({ packet, waits })
    }
    return { isOpen, delayOf }
  }
}

function isOn({ fault }: StandingFault, from: Endpoint, to: Endpoint): boolean {
  return 'ways' in fault && fault.ways.some((way) => way.from === from && way.to === to)
}
