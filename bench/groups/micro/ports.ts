/** What it costs to hand something to another thread. */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { runOf } from './puts.js'
import type { Part } from './task.js'

/** A message to another thread and back, which wakes both. */
export function roundTrip(): Part {
  const { port1, port2 } = new MessageChannel()
  const worker = new Worker(new URL('./echo.js', import.meta.url), {
    workerData: { port: port2 },
    transferList: [port2],
  })
  return {
    run: () =>
      new Promise<void>((resolve) => {
        port1.once('message', () => resolve())
        port1.postMessage(0)
      }),
    close: async () => {
      port1.close()
      await worker.terminate()
    },
  }
}

/** A run of 256 puts posted and taken in the same thread: copying it, without waking anybody. */
export function postAndTake(): Part {
  const { port1, port2 } = new MessageChannel()
  const run = runOf(256)
  return {
    run: () => {
      port1.postMessage(run)
      if (receiveMessageOnPort(port2) === undefined) throw new Error('nothing arrived')
    },
    close: () => port1.close(),
  }
}
