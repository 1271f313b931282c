/**
 * The parts of a node that touch the world: links, clock, ticks, store and clients. A host is handed them, so that a
 * fault can stand between the node and any of them.
 */
import { performance } from 'node:perf_hooks'
import type { Clock } from '../driver/index.js'
import type { Message } from '../raft/index.js'
import { ClientPort, type ClientWayEnd, PortLinks, type ToNode } from '../transport/index.js'
import type { NodeOptions } from './control.js'
import { type OpenedStore, openStore } from './open-store.js'

/** Links that a host connects, and whose messages it takes once a turn. */
export type NodeLinks = Pick<PortLinks, 'send' | 'connect' | 'disconnect' | 'drain' | 'close'>

/** The clients of a node, whose requests it takes once a turn. */
export type NodeClients = Pick<ClientPort, 'listen' | 'drain' | 'settle' | 'waitsIfFull'>

export interface NodeParts {
  readonly clock: Clock
  /** Calls `tick` once in `tickMs` until the function that comes back is called. */
  startTicks(tickMs: number, tick: () => void): () => void
  /** `wake` takes the first message that arrives while nobody drains, `receive` takes what is drained. */
  createLinks(wake: (first: Message) => void, receive: (message: Message) => void): NodeLinks
  openStore(options: NodeOptions): OpenedStore
  /** As with links: `wake` takes the first request that arrives, `receive` takes what is drained. */
  openClients(
    end: ClientWayEnd,
    wake: (first: ToNode) => void,
    receive: (message: ToNode) => void,
  ): NodeClients
}

/** Real time, ports and disk. */
export const realParts: NodeParts = {
  clock: {
    now: () => performance.now(),
    steady: () => performance.now(),
    defer: (callback) => void setImmediate(callback),
  },
  startTicks: (tickMs, tick) => {
    const timer = setInterval(tick, tickMs)
    return () => clearInterval(timer)
  },
  createLinks: (wake, receive) => new PortLinks(wake, receive),
  openStore,
  openClients: (end, wake, receive) => new ClientPort(end, wake, receive),
}
