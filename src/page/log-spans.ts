/** The log of a node as spans of entries that are drawn alike: never more spans than the window has pixels. */
import type { NodeFrame } from '../observer/index.js'
import type { LogIndex, Term } from '../raft/index.js'
import { indexAt, type LogWindow, xOf } from './log-window.js'

/** Entries from `from` to `to`, both included. */
export interface LogSpan {
  readonly from: LogIndex
  readonly to: LogIndex
  /** `undefined`: the frame does not tell the term of entries that old. */
  readonly term: Term | undefined
  readonly isCommitted: boolean
}

type LogFigures = Pick<NodeFrame, 'firstIndex' | 'lastIndex' | 'commitIndex' | 'terms'>

/** The spans in sight. Of spans that begin within one pixel, the last one is told. */
export function spansOf(log: LogFigures, window: LogWindow, widthPx: number): LogSpan[] {
  const from = Math.max(log.firstIndex, indexAt(window, 0))
  const to = Math.min(log.lastIndex, indexAt(window, widthPx))
  const spans: LogSpan[] = []
  for (const [first, last, term] of runsOf(log)) {
    const committedTo = Math.min(last, log.commitIndex)
    put(spans, window, {
      from: Math.max(first, from),
      to: Math.min(committedTo, to),
      term,
      isCommitted: true,
    })
    const openFrom = Math.max(first, committedTo + 1, from)
    put(spans, window, { from: openFrom, to: Math.min(last, to), term, isCommitted: false })
  }
  return spans
}

/** The first and the last entry of each term, and of the entries before them whose terms are not told. */
function runsOf({ firstIndex, lastIndex, terms }: LogFigures): [LogIndex, LogIndex, Term | undefined][] {
  const toldFrom = terms[0]?.firstIndex ?? lastIndex + 1
  const told = terms.map(({ firstIndex: from, term }, at): [LogIndex, LogIndex, Term] => {
    return [from, (terms[at + 1]?.firstIndex ?? lastIndex + 1) - 1, term]
  })
  return [[firstIndex, toldFrom - 1, undefined], ...told]
}

function put(spans: LogSpan[], window: LogWindow, span: LogSpan): void {
  if (span.from > span.to) return
  const before = spans.at(-1)
  const hides = before !== undefined && pixelOf(window, before.from) === pixelOf(window, span.from)
  if (hides) spans.pop()
  spans.push(hides ? { ...span, from: before.from } : span)
}

function pixelOf(window: LogWindow, index: number): number {
  return Math.floor(xOf(window, index))
}

/** The term of an entry, as far as the frame tells it. */
export function termAt({ firstIndex, lastIndex, terms }: LogFigures, index: LogIndex): Term | undefined {
  if (index < firstIndex || index > lastIndex) return undefined
  return terms.findLast((run) => run.firstIndex <= index)?.term
}
