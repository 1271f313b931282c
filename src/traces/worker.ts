/** The thread of the traces. The cluster's own threads have nothing to do with a trace but to tell of it. */
import { constants, setPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { reasonOf } from '../errors/index.js'
import { storyNow } from '../telemetry/index.js'
import { OtlpFile } from './otlp-file.js'
import { OtlpHttp } from './otlp-http.js'
import { Outbox } from './outbox.js'
import type { FromWorker, Place, ToWorker } from './protocol.js'
import { Tracing } from './tracing.js'

/** Under full load, the rows of nodes are kept for about a second. */
const lookMs = 50

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
  const timer = setInterval(look, lookMs)
  parentPort?.on('message', async (message: ToWorker) => {
    if (message.type !== 'close') return tracing.take(message)
    clearInterval(timer)
    await delay(Math.min(tracing.dueMs - storyNow(), message.withinMs / 2))
    tracing.close()
    await outbox.close(message.withinMs / 2)
    tell({ type: 'done', ...tracing.done })
    tell({ type: 'closed' })
    parentPort?.close()
  })
  tell({ type: 'ready' })
}

// On Linux a thread has a priority of its own: traces are made in the time that nobody else wants.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW)
begin(workerData as Place).catch((error: unknown) => tell({ type: 'failed', why: reasonOf(error) }))
