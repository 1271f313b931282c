/** A node of the ring: colour is the term, the arc around it its election timer, the ring around that its lease. */
import { useMemo } from 'preact/hooks'
import { arcGap } from './message-marks.js'
import type { NodeLook } from './node-look.js'
import { termInCss } from './palette.js'
import type { Spot } from './ring-geometry.js'

export interface RingNodeProps {
  readonly look: NodeLook
  readonly spot: Spot
  readonly hasWords: boolean
  readonly isChosen: boolean
  readonly isTabStop: boolean
}

/** Made anew only when something of it is new: frames come ten times a second. */
export function RingNode(props: RingNodeProps) {
  const { look, spot, hasWords, isChosen, isTabStop } = props
  const key = JSON.stringify([look, spot, hasWords, isChosen, isTabStop])
  return useMemo(() => <Picture {...props} />, [key])
}

function Picture({ look, spot, hasWords, isChosen, isTabStop }: RingNodeProps) {
  const { nodeId, life, role, term, isLearner, words } = look
  const { x, y, r } = spot
  const classes = ['node', life, role ?? '', isLearner ? 'learner' : '', isChosen ? 'chosen' : '']
  const hasTerm = r > 18 && look.votes === undefined
  return (
    <g
      class={classes.filter((each) => each !== '').join(' ')}
      transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
      style={{ '--term': termInCss(term) }}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: HTML has no button inside of a picture. */}
      <g
        id={`node-${nodeId}`}
        role="button"
        tabindex={isTabStop ? 0 : -1}
        aria-label={words}
        aria-haspopup="dialog"
        data-end={nodeId}
      >
        <circle class="focus" r={r + 14} />
        {role === 'leader' ? <circle class={look.isLeaseHeld ? 'lease held' : 'lease'} r={r + 9} /> : null}
        <circle class="timer-track" r={r + arcGap} />
        <circle class="body" r={r} />
        <Marks look={look} r={r} />
      </g>
      <text class="name" y={hasTerm ? -3 : 1} font-size={Math.min(19, r * 0.8)}>
        {nodeId}
      </text>
      {hasTerm ? (
        <text class="term" y={13}>
          t {term}
        </text>
      ) : null}
      <Badges look={look} r={r} />
      {hasWords ? <Caption look={look} spot={spot} /> : null}
    </g>
  )
}

/** Marks that tell a node apart without its colour. */
function Marks({ look, r }: { look: NodeLook; r: number }) {
  const { life, role, votes } = look
  return (
    <>
      {role === 'leader' ? (
        <path class="crown" transform={`translate(0 ${-r - 1})`} d="M-9 2V-8l4.5 4L0-10l4.5 6L9-8V2Z" />
      ) : null}
      {votes === undefined ? null : <Votes {...votes} r={r} />}
      {life === 'paused' ? <Ice r={r} /> : null}
      {life === 'stopped' || life === 'failed' ? (
        <path
          class="cross"
          d={`M${-r * 0.7} ${-r * 0.7}L${r * 0.7} ${r * 0.7}M${r * 0.7} ${-r * 0.7}L${-r * 0.7} ${r * 0.7}`}
        />
      ) : null}
    </>
  )
}

/** The faults of its disk and its clock. */
function Badges({ look, r }: { look: NodeLook; r: number }) {
  return (
    <>
      {look.badges.map((badge, at) => (
        <g key={badge.words} class={`badge ${badge.kind}`} transform={`translate(0 ${r + 9 + 15 * at})`}>
          <rect x={-24} y={-7.5} width={48} height={15} rx={7.5} />
          <text>{badge.text}</text>
        </g>
      ))}
    </>
  )
}

/** A dot for each voter, full for a vote that was granted. */
function Votes({ granted, of, r }: { granted: number; of: number; r: number }) {
  return (
    <>
      {Array.from({ length: of }, (_, at) => {
        const angle = (2 * Math.PI * at) / of - Math.PI / 2
        const [x, y] = [Math.cos(angle) * r * 0.68, Math.sin(angle) * r * 0.68]
        return (
          <circle
            key={at}
            class={at < granted ? 'vote granted' : 'vote'}
            cx={x}
            cy={y}
            r={Math.min(3.4, r / 6)}
          />
        )
      })}
    </>
  )
}

function Ice({ r }: { r: number }) {
  const arm = r * 0.92
  return (
    <g class="ice">
      {[0, 60, 120].map((degrees) => (
        <path
          key={degrees}
          transform={`rotate(${degrees})`}
          d={`M0 ${-arm}V${arm}M-4 ${-arm + 2}L0 ${-arm + 7}L4 ${-arm + 2}M-4 ${arm - 2}L0 ${arm - 7}L4 ${arm - 2}`}
        />
      ))}
    </g>
  )
}

function Caption({ look, spot }: { look: NodeLook; spot: Spot }) {
  const { r, side } = spot
  const below = look.badges.length * 15
  const at = {
    below: { x: 0, y: r + 24 + below },
    left: { x: -r - 17, y: 0 },
    right: { x: r + 17, y: 0 },
  }[side]
  return (
    <text class={`caption ${side}`} {...at}>
      {look.caption}
    </text>
  )
}
