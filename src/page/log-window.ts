/** The part of the logs that is seen: a place on the line of all indexes, and how wide an entry is drawn. */
import type { LogIndex } from '../raft/index.js'

export interface LogWindow {
  /** The place at the left edge, in entries: entry 7 reaches from 7 to 8. */
  readonly left: number
  readonly entryPx: number
  /** True while the window moves along with the end of the longest log. */
  readonly isFollowing: boolean
}

/** The room in which a window moves. */
export interface LogRoom {
  /** The end of the longest log. */
  readonly lastIndex: LogIndex
  readonly widthPx: number
}

/** Entries that are seen at the nearest zoom. */
const entriesMin = 10

/** Free pixels behind the last entry: the arrow of the next one stands there. */
const freePx = 28

export const firstWindow: LogWindow = { left: 1, entryPx: 26, isFollowing: true }

/** Where an entry begins. */
export function xOf({ left, entryPx }: LogWindow, index: number): number {
  return (index - left) * entryPx
}

/** The entry at a place, also before the first one and after the last one. */
export function indexAt({ left, entryPx }: LogWindow, x: number): LogIndex {
  return Math.floor(left + x / entryPx)
}

/** The window, moved as little as possible to stay within the logs. A window that follows stands at their end. */
export function settled(window: LogWindow, room: LogRoom): LogWindow {
  const entryPx = Math.min(Math.max(window.entryPx, entryPxMin(room)), room.widthPx / entriesMin)
  const end = leftAtEnd(entryPx, room)
  const left = window.isFollowing ? end : Math.min(Math.max(window.left, 1), end)
  return { left, entryPx, isFollowing: window.isFollowing }
}

/** The window with entries drawn wider by a factor. The entry at `x` stays there; a window that follows keeps its end. */
export function zoomed(window: LogWindow, factor: number, x: number, room: LogRoom): LogWindow {
  const at = window.left + x / window.entryPx
  const { entryPx } = settled({ ...window, entryPx: window.entryPx * factor }, room)
  return settled({ ...window, entryPx, left: at - x / entryPx }, room)
}

/** The window moved by so many entries. At the end of the logs the window begins to follow, elsewhere it stays. */
export function moved(window: LogWindow, entries: number, room: LogRoom): LogWindow {
  const { left, entryPx } = settled({ ...window, left: window.left + entries, isFollowing: false }, room)
  return { left, entryPx, isFollowing: left >= leftAtEnd(entryPx, room) }
}

/** The window moved as little as possible to show an entry as a whole. */
export function showing(window: LogWindow, index: LogIndex, room: LogRoom): LogWindow {
  const least = index + 1 - room.widthPx / window.entryPx
  if (window.left >= least && window.left <= index) return window
  return settled({ ...window, left: window.left < least ? least : index, isFollowing: false }, room)
}

/** The whole of the logs. */
export function whole(room: LogRoom): LogWindow {
  return settled({ left: 1, entryPx: 0, isFollowing: true }, room)
}

function leftAtEnd(entryPx: number, { lastIndex, widthPx }: LogRoom): number {
  return Math.max(1, lastIndex + 1 - (widthPx - freePx) / entryPx)
}

function entryPxMin({ lastIndex, widthPx }: LogRoom): number {
  return (widthPx - freePx) / Math.max(entriesMin, lastIndex)
}
