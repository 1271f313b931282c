/**
 * What a page of clinic doctor holds. It names no functions: that it saw raftbox at work shows in how long its
 * samples lasted and how busy the thread was.
 */
import { medianOf } from '../../src/report/index.js'

interface Sample {
  readonly timestamp: number
  readonly delay: number
  readonly cpu: number
  readonly loopUtilization: number
}

interface ClinicData {
  readonly processStat: readonly Sample[]
  readonly analysis: { readonly issueCategory: string }
}

export interface DoctorFigures {
  readonly samples: number
  readonly seconds: number
  /** Medians. */
  readonly cpu: number
  readonly loopUtilization: number
  readonly delayMs: number
  readonly verdict: string
}

/** `undefined` when the page has no samples. */
export function doctorFigures(page: string): DoctorFigures | undefined {
  const text = /<script type="application\/json" id="clinic-data">([\s\S]*?)<\/script>/.exec(page)?.[1]
  if (text === undefined) return undefined
  const { processStat, analysis } = JSON.parse(text) as ClinicData
  const [first, last] = [processStat[0], processStat.at(-1)]
  if (first === undefined || last === undefined) return undefined
  return {
    samples: processStat.length,
    seconds: (last.timestamp - first.timestamp) / 1000,
    cpu: medianOf(processStat.map(({ cpu }) => cpu)),
    loopUtilization: medianOf(processStat.map(({ loopUtilization }) => loopUtilization)),
    delayMs: medianOf(processStat.map(({ delay }) => delay)),
    verdict: analysis.issueCategory,
  }
}

/** Why this can be no load of so many seconds; `undefined` when it can. */
export function seemsIdle(
  { seconds, loopUtilization }: DoctorFigures,
  loadSeconds: number,
): string | undefined {
  if (seconds < loadSeconds) return `its samples cover ${seconds.toFixed(1)} s, not ${loadSeconds}`
  if (loopUtilization < 50) return `the loop was used ${loopUtilization.toFixed(0)} % at the median`
  return undefined
}
