/** What the lines, colours and shapes of a picture mean. */
import type { Arrow } from './arrows.js'
import type { Frame } from './frame.js'
import { staysOf } from './life-lines.js'
import { termClass } from './picture-style.js'
import { element, label, widthOf } from './svg.js'

const top = 54
const sample = 34
const gap = 22

export function drawLegend(frame: Frame, arrows: readonly Arrow[]): string[] {
  const { timeline, window } = frame
  const stays = timeline.story.nodeIds.flatMap((nodeId) => staysOf(timeline, nodeId, window))
  const terms = [...new Set([...stays, ...arrows].map(({ term }) => term))].filter((term) => term > 0)
  const last = termClass(terms[0] ?? 1)
  const entries: [className: string, words: string][] = [
    ...terms
      .sort((a, b) => a - b)
      .slice(0, 12)
      .map((term): [string, string] => [`${termClass(term)} plain`, `term ${term}`]),
    [`${last} leader`, 'leader'],
    [`${last} candidate`, 'candidate'],
    [`${last} preCandidate`, 'asks whether it would win'],
    [`${last} follower`, 'follower'],
    ['edge down', 'does not run'],
    [`${last} faint`, 'heartbeat'],
    [`${last} arrow answer`, 'answer'],
    ['badline', 'lost at the cross'],
  ]
  let x = 24
  return entries.map(([className, words]) => {
    const line = element('line', { x1: x, x2: x + sample, y1: top, y2: top, class: className })
    const text = label(x + sample + 6, top + 4, 'soft small', words)
    x += sample + 6 + widthOf(words, 10) + gap
    return line + text
  })
}
