/** What a call waits that comes on a schedule, at shares of the most that the cluster does in this very run. */
import type { BenchCase, Group, RunContext, Sample } from '../suite/index.js'
import { neither } from '../suite/index.js'
import { measureLoad, sampleOf } from './measured-case.js'

const percents = [50, 80, 95]
/** Far more than there are on their way at these rates: only a stall reaches it. */
const inFlightMax = 32_768

export const openLoop: Group = {
  name: 'open-loop',
  cases: () => {
    // Of the present round: the closed loop runs before the others in each.
    let mostPerSecond: number | undefined
    const closed: BenchCase = {
      name: 'closed',
      title: 'closed loop, 1,024 clients, for comparison',
      parameters: { percent: 100 },
      run: async (context) => {
        mostPerSecond = undefined
        const measured = await measureLoad({}, context)
        mostPerSecond = measured.summary.callsPerSecond
        return sampleOf(measured)
      },
    }
    return [
      closed,
      ...percents.map((percent) => ({
        name: String(percent),
        title: `open loop at ${percent} % of the closed loop`,
        parameters: { percent },
        run: (context: RunContext) => openLoopAt(percent, mostPerSecond, context),
      })),
    ]
  },
}

async function openLoopAt(
  percent: number,
  mostPerSecond: number | undefined,
  context: RunContext,
): Promise<Sample> {
  if (mostPerSecond === undefined) throw new Error('the closed loop, whose share this is, was not measured')
  const rate = Math.max(1, Math.round((mostPerSecond * percent) / 100))
  const measured = await measureLoad({ rate, clients: inFlightMax }, context)
  const sample = sampleOf(measured)
  const { unanswered } = measured.summary
  return {
    ...sample,
    figures: [
      ...sample.figures,
      neither('rate', '1/s', rate),
      neither('unansweredAtEnd', '', unanswered ?? 0),
    ],
  }
}
