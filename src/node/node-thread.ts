/**
 * A node in its worker thread, seen from the main thread. A call to a dead worker would never settle:
 * every call ends with the thread's exit or at its deadline, as a value.
 */
import { accessSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { type Remote, transfer, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { failure, RaftError, type Result, reasonOf, unwrap } from '../errors/index.js'
import type { LogIndex, MembershipChange, NodeId } from '../raft/index.js'
import { type ClientWayEnd, type LinkEnd, portsOf } from '../transport/index.js'
import type { NodeControl, NodeOptions } from './control.js'
import type { ControlledNode } from './controlled-node.js'
import { answerWithin, snapshotWithinMs } from './deadline.js'
import { flagsOfThread } from './thread-flags.js'

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
  /** How each call that waits for an answer ends with the thread, and why the thread has ended, once it has. */
  readonly #waiting = new Set<(why: string) => void>()
  #endedBy: string | undefined

  /** The thread of a node with a machine of its user loads modules as the user's program does. */
  constructor(nodeId: number, hasMachine: boolean, exited: (why: string) => void) {
    this.#nodeId = nodeId
    this.#worker = startThread(nodeId, hasMachine)
    const ended = (why: string): void => {
      if (this.#endedBy !== undefined) return
      this.#endedBy = why
      for (const end of this.#waiting) end(why)
      exited(why)
    }
    this.#worker.once('error', (error: NodeJS.ErrnoException) => ended(threadReasonOf(error)))
    this.#worker.once('exit', () => ended('its thread ended'))
    this.#remote = wrap<NodeControl>(nodeEndpoint(this.#worker))
  }

  start(
    options: NodeOptions,
    client: ClientWayEnd,
    links: readonly LinkEnd[],
  ): Promise<Result<string | undefined>> {
    const handedOver = transfer([...links], links.flatMap(portsOf))
    return this.#call(
      'the start',
      startWithinMs,
      this.#remote.start(options, transfer(client, [client.port]), handedOver),
    )
  }

  connect(link: LinkEnd): Promise<Result<undefined>> {
    return this.#call('a new link', answerWithinMs, this.#remote.connect(transfer(link, portsOf(link))))
  }

  disconnect(peerId: NodeId) {
    return this.#call('the end of a link', answerWithinMs, this.#remote.disconnect(peerId))
  }

  changeMembership(changes: readonly MembershipChange[], withinMs: number) {
    return this.#call('the change of members', withinMs, this.#remote.changeMembership([...changes]))
  }

  transfer(to: NodeId | undefined, withinMs: number) {
    return this.#call('the transfer', withinMs, this.#remote.transfer(to))
  }

  look() {
    return this.#call('the news of its faults', answerWithinMs, this.#remote.look())
  }

  hash() {
    return this.#call('the question for its hash', answerWithinMs, this.#remote.hash())
  }

  takeSnapshot() {
    return this.#call('the snapshot', snapshotWithinMs, this.#remote.takeSnapshot())
  }

  readSnapshot(index: LogIndex, offset: number, length: number) {
    return this.#call(
      'the read of its snapshot',
      answerWithinMs,
      this.#remote.readSnapshot(index, offset, length),
    )
  }

  losePower(): Promise<Result<undefined>> {
    return this.#call('the loss of its power', crashWithinMs, this.#remote.losePower())
  }

  takeHeartbeatLateness() {
    return this.#call(
      'the question for its late heartbeats',
      answerWithinMs,
      this.#remote.takeHeartbeatLateness(),
    )
  }

  /**
   * As in a crash, nothing more leaves the node or is written. Its disk is let go of before the thread ends,
   * for a thread that is ended in the middle of a native write can take the process with it.
   */
  async end(): Promise<void> {
    const crashed = await this.#call('its end', crashWithinMs, this.#remote.crash())
    await this.#worker.terminate()
    // A thread that did not answer, or was gone, has let go of all it had by its end.
    if (!crashed.ok && crashed.code === 'STORAGE_FAILED') unwrap(crashed)
  }

  /** `what` names the call to people: the error of its deadline is told to them. */
  async #call<T>(what: string, deadlineMs: number, answer: Promise<Result<T>>): Promise<Result<T>> {
    const nodeId = this.#nodeId
    const late = failure('NO_ANSWER', { nodeId, what, deadlineMs })
    let end: (why: string) => void = () => undefined
    const exited = new Promise<Result<T>>((resolve) => {
      end = (why) => resolve(failure('NODE_FAILED', { nodeId, why }))
    })
    if (this.#endedBy !== undefined) end(this.#endedBy)
    this.#waiting.add(end)
    try {
      return await answerWithin<Result<T>>(Promise.race([answer, exited]), deadlineMs, late)
    } catch (error) {
      return failure('NODE_FAILED', { nodeId, why: reasonOf(error) })
    } finally {
      this.#waiting.delete(end)
    }
  }
}

/** MiB of the heap of a node, as V8 sees it at the start; they take no memory before they are used. */
const initialHeapMiB = 128

function startThread(nodeId: number, hasMachine: boolean): Worker {
  // Messages count for the heap of the thread that receives them, and V8 lets a small heap grow by some megabytes between
  // two full collections, each of which goes through all that lives. In this heap the quick collections come first. V8
  // reads the flag where a heap begins, so no other heap changes but those of threads that the program starts later.
  setFlagsFromString(`--initial-heap-size=${initialHeapMiB}`)
  try {
    return new Worker(threadFile(), { name: `node ${nodeId}`, ...flagsOfThread(hasMachine) })
  } catch (error) {
    throw new RaftError('NODE_FAILED', { nodeId, why: threadReasonOf(error as NodeJS.ErrnoException) }, error)
  }
}

/** The body of a node's thread, built from `worker.ts`. The file is not there where a bundler has moved this code. */
function threadFile(): URL {
  try {
    const file = new URL('../../threads/node.js', import.meta.url)
    accessSync(file)
    return file
  } catch (cause) {
    const remedy = 'a bundler has to leave raftbox where it is installed (esbuild: --external:raftbox)'
    throw new Error(`threads/node.js is not where raftbox put it, and ${remedy}`, { cause })
  }
}

/** Why a thread did not start or did not live, and what to change where the system or Node refused it something. */
function threadReasonOf(error: NodeJS.ErrnoException): string {
  const { code, message } = error
  if (code === 'ERR_WORKER_INIT_FAILED') {
    return `its thread cannot be started (${message}): raise the limit on threads (ulimit -u), start fewer nodes, or run all in one thread with host inline`
  }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return 'its thread is out of memory: raise the limit with node --max-old-space-size, or store less'
  }
  return reasonOf(error)
}
