/** Minutes under full load: whether speed, memory and disk stay as they were. */
import type { Phase } from '../../src/load/index.js'
import { type Extent, type Group, lower, neither, type SampleFigure, withFolder } from '../suite/index.js'
import { measureLoad, sampleOf } from './measured-case.js'
import { sizeOf } from './scratch.js'
import { slopeOf } from './slope.js'

const secondsOf: Readonly<Record<Extent, number>> = { quick: 10, usual: 60, long: 600 }

/** Of this process, with all its threads, and of the directory with every node's log. */
interface Usage {
  readonly memory: number
  readonly disk: number
}

export const stability: Group = {
  name: 'stability',
  cases: (extent) => {
    const seconds = secondsOf[extent]
    return [
      {
        name: `${seconds}`,
        title: `${seconds} seconds under the load of 1,024 clients`,
        parameters: { seconds },
        run: (context) =>
          withFolder('bench', async (dir) => {
            const usages: Usage[] = []
            const look = ({ name }: Phase): void => {
              if (name === 'measure') usages.push({ memory: process.memoryUsage.rss(), disk: sizeOf(dir) })
            }
            const sample = sampleOf(await measureLoad({ dir }, { ...context, seconds }, look))
            return { ...sample, figures: [...sample.figures, ...figuresOf(usages)] }
          }),
      },
    ]
  },
}

/** One look a second. */
function figuresOf(usages: readonly Usage[]): SampleFigure[] {
  const memory = usages.map((usage) => usage.memory)
  const disk = usages.map((usage) => usage.disk)
  return [
    lower('memoryMostBytes', 'bytes', Math.max(...memory)),
    lower('memoryGrowthBytesPerMinute', 'bytes', slopeOf(memory.slice(memory.length >> 1)) * 60),
    // A look at each quarter, for who wants to see the course.
    ...[25, 50, 75, 100].map((percent) =>
      neither(
        `memoryAt${percent}PercentBytes`,
        'bytes',
        memory[Math.ceil((memory.length * percent) / 100) - 1]!,
      ),
    ),
    lower('diskMostBytes', 'bytes', Math.max(...disk)),
    neither('diskAtEndBytes', 'bytes', disk.at(-1)!),
  ]
}
