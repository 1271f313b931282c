/** The way of one command across all nodes, drawn: a row a node, time from left to right. */
import type { CommandWay } from '../explain/index.js'
import { msInWords } from './figure-words.js'
import { type PlacedStep, type Step, shapeOf } from './way-shape.js'

const width = 300
const labelWidth = 46
const rowHeight = 34
const top = 14
const margin = 10

const letters: Readonly<Record<Step['stage'], string>> = {
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
  const firstMs = way.steps[0]?.atMs ?? 0
  const height = top + rows.length * rowHeight + 14
  const place = ({ x, row }: PlacedStep) => ({
    x: labelWidth + x * (width - labelWidth - margin),
    y: top + row * rowHeight + rowHeight / 2,
  })
  return (
    <figure class="way">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`the way of index ${way.index}`}>
        {rows.map((nodeId, row) => {
          const y = top + row * rowHeight + rowHeight / 2
          return (
            <g key={nodeId}>
              <text x={0} y={y + 4}>
                node {nodeId}
              </text>
              <line class="way-row" x1={labelWidth} x2={width - margin} y1={y} y2={y} />
            </g>
          )
        })}
        {arrows.map(([from, to]) => {
          const [a, b] = [place(from), place(to)]
          const key = `${to.step.nodeId} ${to.step.stage} ${to.step.peer}`
          return <line key={key} class={`way-arrow ${to.step.stage}`} x1={a.x} y1={a.y} x2={b.x} y2={b.y} />
        })}
        {steps.map((placed) => {
          const { nodeId, stage, peer, atMs } = placed.step
          const { x, y } = place(placed)
          const { to: end } = way.slowest ?? {}
          const isOfSlowest = end?.nodeId === nodeId && end.stage === stage && end.peer === peer
          return (
            <circle
              key={`${nodeId} ${stage} ${peer}`}
              class={`way-step ${stage}${isOfSlowest ? ' slowest' : ''}`}
              cx={x}
              cy={y}
              r={4.5}
            >
              <title>{`+${msInWords(atMs - firstMs)}: node ${nodeId}, ${letters[stage]}`}</title>
            </circle>
          )
        })}
        <text class="way-time" x={labelWidth} y={height - 2}>
          0
        </text>
        <text class="way-time end" x={width - margin} y={height - 2}>
          {msInWords(tookMs)}
        </text>
      </svg>
      <figcaption>
        {(Object.keys(letters) as Step['stage'][]).map((stage) => (
          <span key={stage}>
            <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
              <circle class={`way-step ${stage}`} cx="5" cy="5" r="4" />
            </svg>{' '}
            {letters[stage]}
          </span>
        ))}
        <span>
          <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
            <circle class="way-step slowest" cx="5" cy="5" r="3.5" />
          </svg>{' '}
          end of the slowest part
        </span>
        <span class="soft">steps that come close are drawn apart</span>
      </figcaption>
    </figure>
  )
}
