/** Parts of a program that go with the nodes of a cluster, such as listening ports. */
import { checkMethods, quoted, RaftError, reasonOf } from '../errors/index.js'
import type { StandingFault } from '../faults/index.js'
import { answerWithin } from '../node/index.js'
import type { NodeId } from '../raft/index.js'
import type { Counters } from '../telemetry/index.js'
import { callForeign } from './foreign-code.js'

/** The numbers of a node in all its lives, read from shared memory. */
export type CountersRead = Pick<Counters, 'get'>

/** How long a companion may take until a node has begun for it, too. */
const beganWithinMs = 10_000

/** Each method is called in the turn in which the thing happens. An error of one is a warning of the process. */
export interface Companion {
  /** Names the companion in errors and warnings: `the ports of etcd's API`. */
  readonly name: string
  /** From now on exactly these faults stand at the node, in all of its lives. Also called before each `began`. */
  shown(nodeId: NodeId, faults: readonly StandingFault[]): void
  /**
   * The node runs. The call that started it resolves after the promise. The call rejects and the node ends if the promise
   * rejects, or has not settled after ten seconds.
   */
  began(nodeId: NodeId, counters: CountersRead): Promise<void>
  /** The node does not run any more, however it ended. The last that is told of a life, and told once for each `began`. */
  ended(nodeId: NodeId): void
  /** The node has left the cluster for good. */
  removed(nodeId: NodeId): void
}

/** The life of a node that runs. */
interface Life {
  readonly counters: CountersRead
  /** Resolves as the life ends. */
  readonly ended: Promise<void>
  readonly end: () => void
}

export class Companions {
  readonly #faultsAt: (nodeId: NodeId) => readonly StandingFault[]
  readonly #all = new Set<Companion>()
  /** The nodes whose beginning was told, and whose end was not. */
  readonly #running = new Map<NodeId, Life>()

  constructor(faultsAt: (nodeId: NodeId) => readonly StandingFault[]) {
    this.#faultsAt = faultsAt
  }

  /** Tells `companion` of the nodes that run, by their ids, and from now on of all lives. Resolves with the end of it. */
  async add(companion: Companion): Promise<() => void> {
    const methods = ['shown', 'began', 'ended', 'removed']
    const kind = `an object with a name and the methods ${methods.join(', ')}`
    checkMethods('companion', companion, kind, methods)
    if (typeof companion.name !== 'string') {
      const actual = `one whose name is ${quoted(companion.name)}`
      throw new RaftError('INVALID_OPTION', { option: 'companion', expected: kind, actual })
    }
    const end = (): void => void this.#all.delete(companion)
    this.#all.add(companion)
    try {
      const nodes = [...this.#running].sort(([one], [other]) => one - other)
      await Promise.all(nodes.map((node) => this.#tell(companion, ...node)))
      return end
    } catch (error) {
      end()
      if (error instanceof RaftError) throw error
      const expected = 'one that can begin at each node that runs'
      throw new RaftError(
        'INVALID_OPTION',
        { option: 'companion', expected, actual: `one that fails: ${reasonOf(error)}` },
        error,
      )
    }
  }

  async began(nodeId: NodeId, counters: CountersRead): Promise<void> {
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const life = { counters, ended, end }
    this.#running.set(nodeId, life)
    await Promise.all([...this.#all].map((companion) => this.#tell(companion, nodeId, life)))
  }

  /** A node that failed to start has had no beginning, and its end is not told. */
  ended(nodeId: NodeId): void {
    const life = this.#running.get(nodeId)
    if (life === undefined) return
    this.#running.delete(nodeId)
    life.end()
    this.#eachTold('ended', (companion) => companion.ended(nodeId))
  }

  removed(nodeId: NodeId): void {
    this.#eachTold('removed', (companion) => companion.removed(nodeId))
  }

  shown(nodeId: NodeId, faults: readonly StandingFault[]): void {
    this.#eachTold('shown', (companion) => companion.shown(nodeId, faults))
  }

  /** Companions are told while nodes begin and end: an error of one of them must not stop that half-way. */
  #eachTold(what: keyof Companion, tell: (companion: Companion) => void): void {
    for (const companion of this.#all) told(what, () => tell(companion))
  }

  /** Resolves also when the node ends before the companion has begun. The error of a companion has its name before it. */
  async #tell(companion: Companion, nodeId: NodeId, { counters, ended }: Life): Promise<void> {
    told('shown', () => companion.shown(nodeId, this.#faultsAt(nodeId)))
    const { name } = companion
    const late = Symbol('late')
    let end: unknown
    try {
      end = await answerWithin<unknown>(
        Promise.race([companion.began(nodeId, counters), ended]),
        beganWithinMs,
        late,
      )
    } catch (error) {
      throw error instanceof RaftError ? error : new Error(name, { cause: error })
    }
    if (end !== late) return
    const remedy = 'let its promise settle sooner, and go on with the work behind it'
    throw new Error(`${name} has not begun at node ${nodeId} within ${beganWithinMs} ms: ${remedy}`)
  }
}

function told(what: keyof Companion, tell: () => void): void {
  callForeign("a companion of a cluster's nodes", what, tell)
}
