/** A seed in a thread of its own, so that the caller's thread stays free for signals meanwhile. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { poolOf } from './pool.js'
import type { Replay, Replayed } from './replay-job.js'

export interface ReplayOptions {
  readonly seed: number
  /** Called with a line for each thing that happens. */
  readonly trace: ((line: string) => void) | undefined
  /** Path of a file that takes a recording of the run. */
  readonly record?: string | undefined
  /** Whether the story of the run is asked for. Default false. */
  readonly isTold?: boolean
  /** Ends the run early: the promise rejects. */
  readonly signal: AbortSignal
}

export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { seed, trace, record, isTold = false, signal } = options
  const pool = poolOf<Replay, Replayed>('./replay-job.js', 1)
  const { port1: lines, port2 } = new MessageChannel()
  if (trace !== undefined) lines.on('message', trace)
  const task: Replay = { seed, trace: trace && port2, record, isTold }
  try {
    return await pool.run(task, { signal, ...(trace !== undefined && { transferList: [port2] }) })
  } finally {
    // The result can arrive before the last lines do, and the last lines explain an error of the simulator.
    if (trace !== undefined) drain(lines, trace)
    lines.close()
    await pool.destroy()
  }
}

function drain(lines: MessagePort, trace: (line: string) => void): void {
  for (let next = receiveMessageOnPort(lines); next !== undefined; next = receiveMessageOnPort(lines)) {
    trace(next.message as string)
  }
}
