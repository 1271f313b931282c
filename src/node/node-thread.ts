/**
 * A node in its worker thread, seen from the main thread. A call to a dead worker would never settle:
 * every call ends with the thread's exit or at its deadline, as a value.
 */
import { type MessagePort, Worker } from 'node:worker_threads'
import { type Remote, transfer, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { failure, type Result } from '../errors/index.js'
import { type LinkEnd, portsOf } from '../transport/index.js'
import type { NodeControl, NodeOptions } from './control.js'
import type { ControlledNode } from './controlled-node.js'

/** How long a node may take to answer on its control port, and to open a long log. */
const answerWithinMs = 10_000
const startWithinMs = 120_000
/** How long a node may take to let go of its disk before its thread is ended from outside. */
const crashWithinMs = 2000

export class NodeThread implements ControlledNode {
  readonly #nodeId: number
  readonly #worker: Worker
  /** Kept here: a proxy that is collected closes its port in the middle of a call. */
  readonly #remote: Remote<NodeControl>
  readonly #exited: Promise<string>

  constructor(nodeId: number, exited: (why: string) => void) {
    this.#nodeId = nodeId
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { name: `node ${nodeId}` })
    this.#exited = new Promise((resolve) => {
      this.#worker.once('error', (error: Error) => resolve(error.message))
      this.#worker.once('exit', () => resolve('its thread ended'))
    })
    void this.#exited.then(exited)
    this.#remote = wrap<NodeControl>(nodeEndpoint(this.#worker))
  }

  start(options: NodeOptions, client: MessagePort, links: readonly LinkEnd[]): Promise<Result<undefined>> {
    const handedOver = transfer([...links], links.flatMap(portsOf))
    return this.#call(
      'start',
      startWithinMs,
      this.#remote.start(options, transfer(client, [client]), handedOver),
    )
  }

  connect(link: LinkEnd): Promise<Result<undefined>> {
    return this.#call('connect', answerWithinMs, this.#remote.connect(transfer(link, portsOf(link))))
  }

  hash() {
    return this.#call('hash', answerWithinMs, this.#remote.hash())
  }

  takeHeartbeatLateness() {
    return this.#call('takeHeartbeatLateness', answerWithinMs, this.#remote.takeHeartbeatLateness())
  }

  /**
   * As in a crash, nothing more leaves the node or is written. Its disk is let go of before the thread ends,
   * for a thread that is ended in the middle of a native write can take the process with it.
   */
  async end(): Promise<void> {
    await this.#call('crash', crashWithinMs, this.#remote.crash())
    await this.#worker.terminate()
  }

  async #call<T>(what: string, deadlineMs: number, answer: Promise<Result<T>>): Promise<Result<T>> {
    const nodeId = this.#nodeId
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<Result<T>>((resolve) => {
      timer = setTimeout(() => resolve(failure('NO_ANSWER', { nodeId, what, deadlineMs })), deadlineMs)
    })
    const exited = this.#exited.then((why) => failure('NODE_FAILED', { nodeId, why }))
    try {
      return await Promise.race([answer, exited, deadline])
    } finally {
      clearTimeout(timer)
    }
  }
}
