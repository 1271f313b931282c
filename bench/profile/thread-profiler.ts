/**
 * Profiles the threads of this process from outside of them: the main thread's inspector also reaches each
 * worker, and tells the name that the worker was started with. So no node carries code for it.
 */
import type { InspectorNotification, NodeWorker, Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { atModules } from './module-frames.js'

/** Fine enough for calls of some ten microseconds, over seconds. */
const samplingIntervalMicroseconds = 500

interface Answer {
  readonly id: number
  readonly result?: { readonly profile?: Profiler.Profile }
  readonly error?: { readonly message: string }
}

interface Waiting {
  readonly sessionId: string
  answered(answer: Answer): void
}

export class ThreadProfiler {
  readonly #session = new Session()
  /** Session of a worker to the name of its thread. */
  readonly #workers = new Map<string, string>()
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  /** Threads that start from now on are seen. */
  async open(): Promise<void> {
    this.#session.connect()
    this.#session.on(
      'NodeWorker.attachedToWorker',
      ({ params }: InspectorNotification<NodeWorker.AttachedToWorkerEventDataType>) => {
        // The title is made by Node: `[worker 1] node 1`.
        this.#workers.set(params.sessionId, params.workerInfo.title.replace(/^\[worker \d+\] /, ''))
      },
    )
    this.#session.on(
      'NodeWorker.detachedFromWorker',
      ({ params }: InspectorNotification<NodeWorker.DetachedFromWorkerEventDataType>) => {
        this.#workers.delete(params.sessionId)
        // An ended thread answers no more.
        const error = { message: 'the thread ended' }
        for (const [id, { sessionId, answered }] of this.#waiting) {
          if (sessionId === params.sessionId) answered({ id, error })
        }
      },
    )
    this.#session.on(
      'NodeWorker.receivedMessageFromWorker',
      ({ params }: InspectorNotification<NodeWorker.ReceivedMessageFromWorkerEventDataType>) => {
        const answer = JSON.parse(params.message) as Answer
        this.#waiting.get(answer.id)?.answered(answer)
        this.#waiting.delete(answer.id)
      },
    )
    await this.#session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  }

  /** Begins with every thread that runs now. */
  async start(): Promise<void> {
    const interval = { interval: samplingIntervalMicroseconds }
    await this.#inWorkers('Profiler.enable')
    await this.#inWorkers('Profiler.setSamplingInterval', interval)
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.setSamplingInterval', interval)
    await Promise.all([this.#inWorkers('Profiler.start'), this.#session.post('Profiler.start')])
  }

  /** One profile a thread, by the thread's name; this thread is `main`. */
  async stop(): Promise<Map<string, Profiler.Profile>> {
    const [{ profile: own }, ofWorkers] = await Promise.all([
      this.#session.post('Profiler.stop'),
      this.#inWorkers('Profiler.stop'),
    ])
    const profiles = new Map([['main', own]])
    for (const [name, { result }] of ofWorkers) {
      if (result?.profile !== undefined) profiles.set(name, atModules(result.profile))
    }
    return profiles
  }

  close(): void {
    this.#session.disconnect()
  }

  async #inWorkers(method: string, params: object = {}): Promise<Map<string, Answer>> {
    const answers = new Map<string, Answer>()
    await Promise.all(
      [...this.#workers].map(async ([sessionId, name]) => {
        const id = ++this.#lastId
        const answered = new Promise<Answer>((resolve) => {
          this.#waiting.set(id, { sessionId, answered: resolve })
        })
        const message = JSON.stringify({ id, method, params })
        await this.#session.post('NodeWorker.sendMessageToWorker', { sessionId, message })
        const answer = await answered
        if (answer.error !== undefined) throw new Error(`${method} in ${name}: ${answer.error.message}`)
        answers.set(name, answer)
      }),
    )
    return answers
  }
}
