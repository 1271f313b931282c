/** The links between nodes, and what faults do to each direction of them. */
import { useMemo } from 'preact/hooks'
import { keyOf, nameOf, type WayLook, wordsOfWay } from './link-look.js'
import {
  type Point,
  pointAt,
  type Spot,
  seenShare,
  wayBetween,
  wordsBeside,
  wordsLinePx,
} from './ring-geometry.js'
import { elementIdOf, isSame, linkOf, links, places, tabStop, ways } from './ring-state.js'
import { chosen, type End, shownFrame } from './store.js'

export function Links() {
  return (
    <g class="links">
      {links.value.map(([one, other]) => (
        <Link key={`${one}-${other}`} one={one} other={other} />
      ))}
    </g>
  )
}

function Link({ one, other }: { one: End; other: End }) {
  const { spots } = places.value
  const there = ways.value.get(`${one}>${other}`)
  const back = ways.value.get(`${other}>${one}`)
  const [from, to] = [spots.get(one), spots.get(other)]
  const isChosen = isSame(chosen.value, { kind: 'link', one, other })
  const isTabStop = tabStop.value === elementIdOf({ kind: 'link', one, other })
  const key = JSON.stringify([there, back, from, to, isChosen, isTabStop])
  return useMemo(
    () =>
      from === undefined || to === undefined ? null : (
        <LinkPicture {...{ one, other, there, back, from, to, isChosen, isTabStop }} />
      ),
    [key],
  )
}

interface LinkPictureProps {
  readonly one: End
  readonly other: End
  readonly there: WayLook | undefined
  readonly back: WayLook | undefined
  readonly from: Spot
  readonly to: Spot
  readonly isChosen: boolean
  readonly isTabStop: boolean
}

function LinkPicture({ one, other, there, back, from, to, isChosen, isTabStop }: LinkPictureProps) {
  const isHit = there !== undefined || back !== undefined
  const [start, end] = wayBetween(from, to)
  const told = [there, back].flatMap((way) => (way === undefined ? [] : wordsOfWay(way) || []))
  const words = `link between ${nameOf(one)} and ${nameOf(other)}${told.length === 0 ? '' : `: ${told.join('; ')}`}`
  return (
    <g class={`link${isHit ? ' hit' : ''}${isChosen ? ' chosen' : ''}`}>
      {/* biome-ignore lint/a11y/useSemanticElements: HTML has no button inside of a picture. */}
      <g
        id={elementIdOf({ kind: 'link', one, other })}
        role="button"
        tabindex={isTabStop ? 0 : -1}
        aria-label={words}
        aria-haspopup="dialog"
        data-link={`${one} ${other}`}
      >
        <path class="touch" d={`M${start.x} ${start.y}L${end.x} ${end.y}`} />
        {isHit ? (
          there?.cut === 'all' && back?.cut === 'all' ? (
            <CutBoth line={[start, end]} />
          ) : (
            <>
              <Way look={there} from={from} to={to} />
              <Way look={back} from={to} to={from} />
            </>
          )
        ) : (
          <path class="way" d={`M${start.x} ${start.y}L${end.x} ${end.y}`} />
        )}
      </g>
    </g>
  )
}

/** Both directions have the same figures, which are then told once. */
function areTwins(there: WayLook | undefined, back: WayLook | undefined): boolean {
  return there !== undefined && back !== undefined && there.figures.join() === back.figures.join()
}

interface WayProps {
  readonly look: WayLook | undefined
  readonly from: Spot
  readonly to: Spot
}

/** The two directions of a link that is hit pass each other at this distance from its middle. */
const asidePx = 3.5

function Way({ look, from, to }: WayProps) {
  const line = wayBetween(from, to, asidePx)
  const [start, end] = line
  const whole = `M${start.x} ${start.y}L${end.x} ${end.y}`
  if (look === undefined) return <path class="way" d={whole} />
  const turn = turnOf(line)
  if (look.cut !== 'all')
    return (
      <>
        <path class="way slow" d={whole} />
        <path class="head" transform={`translate(${end.x} ${end.y}) ${turn}`} d="M-8 -4L0 0L-8 4" />
      </>
    )
  const [before, middle, behind] = aroundMark(line)
  return (
    <>
      <path class="way cut" d={`M${start.x} ${start.y}L${before.x} ${before.y}`} />
      <path class="way gone" d={`M${behind.x} ${behind.y}L${end.x} ${end.y}`} />
      <path
        class="stop"
        transform={`translate(${middle.x} ${middle.y}) ${turn}`}
        d="M-6 -5V5M-2 -4L4 4M4 -4L-2 4"
      />
    </>
  )
}

/** A link that is cut in both directions has one mark. */
function CutBoth({ line }: { readonly line: Line }) {
  const [start, end] = line
  const [before, middle, behind] = aroundMark(line)
  return (
    <>
      <path class="way cut" d={`M${start.x} ${start.y}L${before.x} ${before.y}`} />
      <path class="way cut" d={`M${behind.x} ${behind.y}L${end.x} ${end.y}`} />
      <path
        class="stop"
        transform={`translate(${middle.x} ${middle.y}) ${turnOf(line)}`}
        d="M-9 -6V6M9 -6V6M-4 -4L4 4M4 -4L-4 4"
      />
    </>
  )
}

type Line = readonly [Point, Point]

function turnOf([start, end]: Line): string {
  return `rotate(${(Math.atan2(end.y - start.y, end.x - start.x) * 180) / Math.PI})`
}

/** Half of the length of the mark of a cut. */
const markPx = 9

/** Where the line ends before the mark of a cut, the mark, and where the line begins again. */
function aroundMark(line: Line): readonly [Point, Point, Point] {
  const share = seenShare(line, places.value.spots.get('clients'), 0.5)
  const half = markPx / Math.max(1, Math.hypot(line[1].x - line[0].x, line[1].y - line[0].y))
  return [
    pointAt(line, Math.max(0, share - half)),
    pointAt(line, share),
    pointAt(line, Math.min(1, share + half)),
  ]
}

/** The faults of all ways in figures. They are drawn above the nodes. */
export function Figures() {
  const { spots } = places.value
  return (
    <g class="figures">
      {[...ways.value.values()].map((look) => {
        const { from, to, figures } = look
        const [start, end] = [spots.get(from), spots.get(to)]
        const other = ways.value.get(keyOf(to, from))
        const isTwin = areTwins(look, other)
        const isTold = figures.length > 0 && !(isTwin && linkOf(from, to)[0] !== from)
        if (start === undefined || end === undefined || !isTold) return null
        return <FiguresOfWay key={keyOf(from, to)} {...{ figures, start, end, isTwin }} />
      })}
    </g>
  )
}

interface FiguresProps {
  readonly figures: readonly string[]
  readonly start: Spot
  readonly end: Spot
  /** They hold for both directions. */
  readonly isTwin: boolean
}

/**
 * The words stand beside the line of their direction, near its end, so that the ways from one node do not hide each
 * other's. Words of both directions stand beside the middle, on the outer side of the ring, where there is room.
 */
function FiguresOfWay({ figures, start, end, isTwin }: FiguresProps) {
  const line = wayBetween(start, end, isTwin ? 0 : asidePx)
  const clients = places.value.spots.get('clients')
  const at = pointAt(line, seenShare(line, clients, isTwin ? 0.5 : 0.6))
  const { x, y, anchor } = wordsBeside(line, at, figures.length, isTwin ? clients : undefined)
  return (
    <text class={`figure ${anchor}`}>
      {figures.map((words, index) => (
        <tspan key={`${index} ${words}`} x={x} y={y + index * wordsLinePx}>
          {words}
        </tspan>
      ))}
    </text>
  )
}

/** The clients in the middle: how many there are, and how many of their calls are answered in a second. */
export function Clients() {
  const spot = places.value.spots.get('clients')
  const clients = shownFrame.value?.loadClients ?? 0
  const isChosen = chosen.value?.kind === 'clients'
  if (spot === undefined) return null
  const words = clients === 0 ? 'no load' : `${clients} clients`
  return (
    <g
      class={`clients${isChosen ? ' chosen' : ''}${clients > 0 ? ' busy' : ''}`}
      transform={`translate(${spot.x} ${spot.y})`}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: HTML has no button inside of a picture. */}
      <g
        id="clients"
        role="button"
        tabindex={tabStop.value === 'clients' ? 0 : -1}
        aria-label={`clients: ${words}`}
        aria-haspopup="dialog"
        data-end="clients"
      >
        <rect class="focus" x={-42} y={-20} width={84} height={40} rx={20} />
        <rect class="body" x={-36} y={-14} width={72} height={28} rx={14} />
      </g>
      <text y={1}>{words}</text>
    </g>
  )
}
