/** The way of one command across all nodes, drawn: a row a node, time from left to right. */
import { type CommandWay, span } from '../explain/index.js'
import { type PlacedStep, type Step, shapeOf } from './way-shape.js'

const width = 300
const labelWidth = 46
const rowHeight = 34
const top = 14
const margin = 10

const words: Readonly<Record<Step['stage'], string>> = {
  appended: 'in the log',
  sent: 'sent',
  received: 'received',
  flushed: 'on disk',
  acknowledged: 'acknowledged',
  committed: 'committed',
  applied: 'applied',
  answered: 'answered',
}

export function WayPicture({ way }: { way: CommandWay }) {
  const { rows, steps, arrows, tookMs } = shapeOf(way)
  const height = top + rows.length * rowHeight + 14
  return (
    <figure class="way">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`the way of index ${way.index}`}>
        {rows.map((nodeId, row) => (
          <g key={nodeId}>
            <text x={0} y={yOf(row) + 4}>
              node {nodeId}
            </text>
            <line class="way-row" x1={labelWidth} x2={width - margin} y1={yOf(row)} y2={yOf(row)} />
          </g>
        ))}
        {arrows.map(([from, to]) => (
          <line
            key={keyOf(to.step)}
            class={`way-arrow ${to.step.stage}`}
            x1={xOf(from)}
            y1={yOf(from.row)}
            x2={xOf(to)}
            y2={yOf(to.row)}
          />
        ))}
        {steps.map((placed) => (
          <StepMark key={keyOf(placed.step)} placed={placed} way={way} />
        ))}
        <text class="way-time" x={labelWidth} y={height - 2}>
          0
        </text>
        <text class="way-time end" x={width - margin} y={height - 2}>
          {span(tookMs)}
        </text>
      </svg>
      <Legend />
    </figure>
  )
}

function StepMark({ placed, way }: { placed: PlacedStep; way: CommandWay }) {
  const { step, row } = placed
  const firstMs = way.steps[0]?.atMs ?? 0
  const isOfSlowest = way.slowest !== undefined && keyOf(way.slowest.to) === keyOf(step)
  return (
    <circle
      class={`way-step ${step.stage}${isOfSlowest ? ' slowest' : ''}`}
      cx={xOf(placed)}
      cy={yOf(row)}
      r={4.5}
    >
      <title>{`+${span(step.atMs - firstMs)}: node ${step.nodeId}, ${words[step.stage]}`}</title>
    </circle>
  )
}

function xOf({ x }: PlacedStep): number {
  return labelWidth + x * (width - labelWidth - margin)
}

function yOf(row: number): number {
  return top + row * rowHeight + rowHeight / 2
}

/** A node passes each stage once, with each of its peers. */
function keyOf({ nodeId, stage, peer }: Step): string {
  return `${nodeId} ${stage} ${peer}`
}

function Legend() {
  const marks = [...Object.entries(words), ['slowest', 'end of the slowest part']]
  return (
    <figcaption>
      {marks.map(([mark, meaning]) => (
        <span key={mark}>
          <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
            <circle class={`way-step ${mark}`} cx="5" cy="5" r="3.5" />
          </svg>{' '}
          {meaning}
        </span>
      ))}
      <span>steps that come close are drawn apart</span>
    </figcaption>
  )
}
