/** Operations as bars on the lines of their clients, as SVG. Times stand in their order, not to scale: gaps would hide what is short. */
import type { Failure, KeyValueOperation } from '../check/index.js'
import { operationLine, shownOf } from './history-words.js'
import { escaped } from './html.js'

const labelWidth = 110
const stepWidthMin = 44
const stepWidthMax = 110
/** Few times are drawn so that they fill it. */
const usualWidth = 760
const laneHeight = 30
const barHeight = 22
const axisHeight = 24
/** Operations beside those of the window. */
const othersMax = 60

interface Bar {
  readonly operation: KeyValueOperation
  readonly lane: number
}

interface Lines {
  readonly bars: readonly Bar[]
  /** The client of each lane; none where it goes on with the client of the lane above. */
  readonly clients: readonly string[]
}

/** `history`: the operations of all keys. */
export function timeLines(
  history: readonly KeyValueOperation[],
  failure: Failure<KeyValueOperation>,
): string {
  const window = shownOf(failure)
  const kept = new Set(window)
  const stuck = new Set(failure.stuck.map(({ operation }) => operation))
  const shown = [...window, ...othersOf(history, failure, kept)]
  const { bars, clients } = linesOf(shown)
  const times = [...new Set(shown.flatMap((operation) => [operation.call, endOf(operation)]))]
    .filter(Number.isFinite)
    .sort((one, other) => one - other)
  const stepWidth = Math.max(stepWidthMin, Math.min(stepWidthMax, Math.floor(usualWidth / times.length)))
  const placeOf = new Map(times.map((time, at) => [time, labelWidth + at * stepWidth]))
  const width = labelWidth + times.length * stepWidth
  const height = axisHeight + clients.length * laneHeight
  const drawn = bars.map(({ operation, lane }) => {
    const kind = stuck.has(operation) ? 'stuck' : kept.has(operation) ? 'kept' : 'other'
    const left = placeOf.get(operation.call) ?? labelWidth
    const right = placeOf.get(endOf(operation)) ?? width
    return barOf(operation, kind, left, axisHeight + lane * laneHeight, Math.max(6, right - left))
  })
  const names = clients.map((name, lane) => textAt(0, axisHeight + lane * laneHeight + 16, name, 'client'))
  const ticks = times.map((time) => {
    const x = placeOf.get(time) ?? 0
    return `<line x1="${x}" x2="${x}" y1="${axisHeight - 6}" y2="${height}"/>${textAt(x + 3, 12, String(time), 'tick')}`
  })
  const label = `Time lines of the operations on ${failure.key}`
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(label)}">
<svg class="lines" role="img" aria-label="${escaped(label)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
${[...ticks, ...names, ...drawn].join('\n')}
</svg></div>`
}

export const timeLinesStyle = `
.lines { font-size: 11px; fill: var(--ink) } .lines line { stroke: var(--grid) } .lines .tick { fill: var(--soft); font-size: 9px }
.lines rect { fill: var(--paper); stroke: var(--soft); rx: 3px } .lines .open rect { stroke-dasharray: 4 3 }
.lines .kept rect { stroke: var(--line-1); stroke-width: 2.5px } .lines .stuck rect { stroke: var(--bad); stroke-width: 2.5px; fill: var(--grid) }
.lines .other { opacity: 0.6 }
`

/** Operations of the key that overlap the window, those first which were called last. */
function othersOf(
  history: readonly KeyValueOperation[],
  { key }: Failure<KeyValueOperation>,
  kept: ReadonlySet<KeyValueOperation>,
): readonly KeyValueOperation[] {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (const operation of kept) {
    from = Math.min(from, operation.call)
    to = Math.max(to, endOf(operation))
  }
  return history
    .filter((operation) => operation.key === key && !kept.has(operation))
    .filter((operation) => operation.call <= to && endOf(operation) >= from)
    .sort((one, other) => other.call - one.call)
    .slice(0, othersMax)
}

/** A client whose operations overlap has several lanes. */
function linesOf(shown: readonly KeyValueOperation[]): Lines {
  const byClient = new Map<string, KeyValueOperation[]>()
  for (const operation of [...shown].sort((one, other) => one.call - other.call)) {
    const name = String(operation.client)
    byClient.set(name, [...(byClient.get(name) ?? []), operation])
  }
  const bars: Bar[] = []
  const clients: string[] = []
  const names = [...byClient.keys()].sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
  for (const name of names) {
    const first = clients.length
    const ends: number[] = []
    for (const operation of byClient.get(name) ?? []) {
      const free = ends.findIndex((end) => end < operation.call)
      const lane = free === -1 ? ends.length : free
      ends[lane] = endOf(operation)
      bars.push({ operation, lane: first + lane })
    }
    clients.push(`client ${name}`, ...ends.slice(1).map(() => ''))
  }
  return { bars, clients }
}

/** An operation of unknown outcome never ends. */
function endOf({ outcome, call, return: end }: KeyValueOperation): number {
  if (outcome === 'unknown') return Number.POSITIVE_INFINITY
  return end ?? call
}

/** Its words are cut off where the bar ends, and shown whole when it is pointed at. */
function barOf(operation: KeyValueOperation, kind: string, x: number, y: number, width: number): string {
  const { outcome, client, call, return: end } = operation
  const words = operationLine(operation)
  const ends = outcome === 'ok' ? `${call} to ${end}` : `called at ${call}, ${outcome}`
  const title = `<title>${escaped(`${words}, client ${client}, ${ends}`)}</title>`
  const box = `<rect x="${x}" y="${y}" width="${width}" height="${barHeight}"/>`
  const text = `<svg x="${x}" y="${y}" width="${width}" height="${barHeight}">${textAt(4, 15, words, '')}</svg>`
  return `<g class="${kind}${outcome === 'unknown' ? ' open' : ''}">${title}${box}${text}</g>`
}

function textAt(x: number, y: number, text: string, name: string): string {
  return `<text x="${x}" y="${y}"${name === '' ? '' : ` class="${name}"`}>${escaped(text)}</text>`
}
