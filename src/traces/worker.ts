/** The thread of the traces. The cluster's own threads have nothing to do with a trace but to tell of it. */
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { reasonOf } from '../errors/index.js'
import { storyNow } from '../telemetry/index.js'
import { OtlpFile } from './otlp-file.js'
import { OtlpHttp } from './otlp-http.js'
import { Outbox } from './outbox.js'
import type { FromWorker, Place, ToWorker } from './protocol.js'
import { Tracing } from './tracing.js'

/** The time between two looks. Under full load, the rows of nodes are kept for about a second. */
const lookMs = { least: 50, most: 400 }
/** The largest share of the time for which the thread runs: alone on a core, or on one that a node misses meanwhile. */
const timeShareMax = { alone: 0.5, shared: 0.1 }

function tell(message: FromWorker): void {
  parentPort?.postMessage(message)
}

async function begin(place: Place): Promise<void> {
  const sink = 'file' in place ? await OtlpFile.open(place.file) : await OtlpHttp.open(place.url)
  const warn = (line: string): void => tell({ type: 'warning', line })
  const outbox = new Outbox(sink, warn)
  const tracing = new Tracing(outbox, warn)
  const look = (): void => {
    tracing.look()
    tell({ type: 'done', ...tracing.done })
  }
  let timer: NodeJS.Timeout | undefined
  let before = performance.eventLoopUtilization()
  const lookIn = (ms: number): void => {
    timer = setTimeout(() => {
      look()
      const now = performance.eventLoopUtilization()
      const busyMs = now.active - before.active
      before = now
      // Each node has a thread, and so has the program.
      const isAlone = availableParallelism() > tracing.nodes + 1
      const restMs = busyMs / (isAlone ? timeShareMax.alone : timeShareMax.shared)
      lookIn(Math.min(lookMs.most, Math.max(lookMs.least, restMs)))
    }, ms)
  }
  lookIn(lookMs.least)
  parentPort?.on('message', async (message: ToWorker) => {
    if (message.type !== 'close') return tracing.take(message)
    clearTimeout(timer)
    await delay(Math.max(0, Math.min(tracing.dueMs - storyNow(), message.withinMs / 2)))
    tracing.close()
    await outbox.close(message.withinMs / 2)
    tell({ type: 'done', ...tracing.done })
    tell({ type: 'closed' })
    parentPort?.close()
  })
  tell({ type: 'ready' })
}

begin(workerData as Place).catch((error: unknown) => tell({ type: 'failed', why: reasonOf(error) }))
