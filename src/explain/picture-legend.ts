/** The legend of a picture: its lines, colours and shapes. */
import type { Arrow } from './arrows.js'
import type { Frame } from './frame.js'
import { staysOf } from './life-lines.js'
import { termClass } from './picture-style.js'
import { element, label, widthOf } from './svg.js'

const sample = 34
const gap = 20
const rowHeight = 16

/** Narrower than its legend's rows a picture is not. */
export const legendWidth = 900

/** Rows of samples with their meanings, from `top` on. */
export function drawLegend(frame: Frame, arrows: readonly Arrow[], top: number): string[] {
  const { timeline, window } = frame
  const stays = timeline.story.nodeIds.flatMap((nodeId) => staysOf(timeline, nodeId, window))
  const terms = [...new Set([...stays, ...arrows].map(({ term }) => term))].filter((term) => term > 0)
  const looks = termClass(Math.min(...terms, Number.MAX_SAFE_INTEGER))
  const entries: [className: string, words: string][] = [
    ...terms
      .sort((a, b) => a - b)
      .slice(0, 8)
      .map((term): [string, string] => [`${termClass(term)} plain`, `term ${term}`]),
    [`${looks} leader`, 'leader'],
    [`${looks} candidate`, 'candidate'],
    [`${looks} preCandidate`, 'asks whether it would win'],
    [`${looks} follower`, 'follower'],
    ['edge down', 'does not run'],
    [`${looks} faint`, 'heartbeat'],
    [`${looks} arrow answer`, 'answer'],
    ['badline', 'lost at the cross'],
  ]
  let [x, y] = [24, top]
  return entries.map(([className, words]) => {
    const width = sample + 6 + widthOf(words, 10) + gap
    if (x + width > legendWidth) [x, y] = [24, y + rowHeight]
    const line = element('line', { x1: x, x2: x + sample, y1: y, y2: y, class: className })
    const text = label(x + sample + 6, y + 4, 'soft small', words)
    x += width
    return line + text
  })
}
