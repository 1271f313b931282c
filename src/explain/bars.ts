/** Faults, and other things that last, as bars above the lines of the nodes, each with its shade over the nodes that it hits. */
import type { NodeId } from '../raft/index.js'
import { electionsIn } from './election.js'
import type { Frame } from './frame.js'
import { span } from './phrases.js'
import { overlaps, type Stretch } from './stretch.js'
import { element, label } from './svg.js'
import type { Timeline } from './timeline.js'

export interface Bar extends Stretch {
  readonly words: string
  readonly nodes: readonly NodeId[]
  readonly isFault: boolean
}

const barsMax = 12

export function barsOf(timeline: Timeline, window: Stretch): Bar[] {
  const elections = electionsIn(timeline).map(
    ({ leaderlessSinceMs: sinceMs, atMs: untilMs, leaderlessMs }): Bar => {
      const words = `no majority has a leader, for ${span(leaderlessMs)}`
      return { sinceMs, untilMs, words, nodes: [], isFault: false }
    },
  )
  const hosts = timeline.obstacles
    .filter(({ type }) => type === 'hostBlocked')
    .map((each): Bar => ({ ...each, words: 'the program stands still', nodes: [], isFault: false }))
  const faults = timeline.faults.map(
    ({ fault, sinceMs, untilMs }): Bar => ({
      sinceMs,
      untilMs,
      words: fault.line,
      nodes: fault.nodes,
      isFault: true,
    }),
  )
  const all = [...elections, ...hosts, ...faults].filter((each) => overlaps(each, window))
  if (all.length <= barsMax) return all
  const more = { ...window, words: `and ${all.length - barsMax + 1} more`, nodes: [], isFault: false }
  return [...all.slice(0, barsMax - 1), more]
}

export function drawBars(
  bars: readonly Bar[],
  frame: Frame,
  top: number,
  height: number,
  bottom: number,
): string[] {
  const { window, x, y, left, timeline } = frame
  return bars.flatMap(({ sinceMs, untilMs, words, nodes, isFault }, at) => {
    const from = Math.max(left, x(Math.max(sinceMs, window.sinceMs)))
    const to = Math.max(from + 2, x(Math.min(untilMs, window.untilMs)))
    const rowTop = top + at * height
    const bar = { x: from, y: rowTop, width: to - from, height: height - 4 }
    const drawn = [element('rect', { ...bar, class: isFault ? 'shade bar' : 'still' })]
    drawn.push(label(from + 4, rowTop + 12, 'ink small halo', words))
    if (!isFault) return drawn
    const rows = timeline.story.nodeIds.filter((id) => nodes.includes(id)).map(y)
    const [highest, lowest] = [Math.min(...rows, bottom), Math.max(...rows, 0)]
    if (rows.length > 0) {
      const area = { x: from, y: highest - 26, width: to - from, height: lowest - highest + 52 }
      drawn.push(element('rect', { ...area, class: 'shade' }))
    }
    return drawn
  })
}
