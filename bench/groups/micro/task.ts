/** A small part by itself, run again and again by tinybench. */
import { Bench } from 'tinybench'
import { LatencyHistogram } from '../../../src/telemetry/index.js'
import {
  type BenchCase,
  higher,
  lower,
  nanoseconds,
  type RunContext,
  type Sample,
} from '../../suite/index.js'

/** Longer tells no more: these parts do not wait for anything but a disk. */
const secondsMax = 2

/** A part that is ready to run, and how to let go of what it holds. */
export interface Part {
  run(): unknown
  close?(): unknown
}

/** `open` makes everything anew for each round, so that no round begins where another ended. */
export function microCase(
  name: string,
  title: string,
  open: () => Part | Promise<Part>,
  parameters: BenchCase['parameters'] = {},
): BenchCase {
  return { name, title, parameters, run: (context) => runPart(open, context) }
}

async function runPart(open: () => Part | Promise<Part>, { seconds, signal }: RunContext): Promise<Sample> {
  const part = await open()
  try {
    const ms = Math.min(seconds, secondsMax) * 1000
    const bench = new Bench({
      time: ms,
      warmupTime: ms / 4,
      retainSamples: true,
      // It leaves its listeners on the signal: one of its own goes away with it.
      signal: AbortSignal.any([signal]),
    })
    bench.add('part', () => part.run())
    const [task] = await bench.run()
    signal.throwIfAborted()
    const result = task?.result
    if (result?.state === 'errored') throw result.error
    if (result?.state !== 'completed') throw new Error(`it ended as ${result?.state}`)
    const { latency } = result
    const histogram = new LatencyHistogram()
    for (const sampleMs of latency.samples ?? []) histogram.record(Math.round(sampleMs * 1e6), 1)
    return {
      figures: [
        // What most runs took: a mean would tell of the collections and interruptions in between.
        lower('p50ms', 'ms', latency.p50),
        lower('p99ms', 'ms', latency.p99),
        lower('meanMs', 'ms', latency.mean),
        higher('runsPerSecond', '1/s', 1000 / latency.mean),
      ],
      distributions: [{ name: 'run', histogram, toMs: nanoseconds }],
    }
  } finally {
    await part.close?.()
  }
}
