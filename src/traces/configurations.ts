/** The configurations by which nodes went, for as long as commands from then are traced. */
import type { Configuration, Membership, NodeId } from '../raft/index.js'
import { configurationTold, type Happened } from '../telemetry/index.js'

interface Told {
  readonly nodeId: NodeId
  readonly atMs: number
  readonly membership: Membership
}

/** Configurations are few: the last ones are kept. */
const toldMax = 256

export class Configurations {
  /** The configuration as the traces began. */
  configuration: Configuration | undefined
  #told: Told[] = []

  begin(configuration: Configuration | undefined): void {
    this.configuration = configuration
  }

  happened(event: Happened): void {
    const membership = configurationTold(event)?.membership
    if (membership === undefined) return
    this.#told.push({ nodeId: event.nodeId, atMs: event.atMs, membership })
    if (this.#told.length > toldMax) this.#told = this.#told.slice(-toldMax / 2)
  }

  /** The configuration by which the node went at that time; `undefined`: nobody told. */
  at(nodeId: NodeId, atMs: number): Membership | undefined {
    const told = this.#told.findLast((each) => each.nodeId === nodeId && each.atMs <= atMs)
    return (told ?? this.configuration)?.membership
  }
}
