/** The last line that a measured program prints: one JSON object, the same fields whoever prints it. */
import { Failed } from '../../src/terminal/index.js'
import { type Figures, isOwn, type ProgramName } from './measurement.js'

/** Throws a `Failed` that says what is wrong with the line. */
export function figuresOf(program: ProgramName, stdout: string): Figures {
  const fields = parseLine(stdout)
  const number = (name: string): number | undefined => {
    const value = fields[name]
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
  }
  const required = (name: string): number => {
    const value = number(name)
    if (value === undefined) throw new Failed(`it printed no ${name}`)
    return value
  }
  const commitsPerSecond = required('commitsPerSecond')
  const figures: Figures = {
    commitsPerSecond,
    callsPerSecond: number('callsPerSecond') ?? commitsPerSecond,
    p50ms: required('p50ms'),
    p99ms: required('p99ms'),
    firstHundredP50ms: number('firstHundredP50ms'),
    elections: number('elections') ?? 0,
    heartbeatLateP999ms: number('heartbeatLateP999ms'),
  }
  if (figures.callsPerSecond === 0) throw new Failed('it answered no call')
  // To raftbox's own disadvantage: its elections are shown, and the ratio stands.
  if (!isOwn(program) && figures.elections > 0) {
    throw new Failed('it lost its leader in the measured window')
  }
  return figures
}

function parseLine(stdout: string): Record<string, unknown> {
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed }
  } catch {
    // Told below, as what is JSON and no object.
  }
  throw new Failed(`it printed no figures, but '${line.slice(0, 80)}'`)
}
