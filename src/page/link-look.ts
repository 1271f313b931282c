/** How the ways between nodes look under the faults that stand, as plain data. */
import type { FaultFrame, Frame } from '../observer/index.js'
import { shortMs } from './node-look.js'
import type { End } from './store.js'

export interface WayLook {
  readonly from: End
  readonly to: End
  /** `some`: only messages of one kind are cut. */
  readonly cut: 'no' | 'some' | 'all'
  /** Delay, loss and the like, as short words. */
  readonly figures: readonly string[]
  /** Milliseconds that faults may add. */
  readonly slowMs: number
  /** The numbers of the faults that act on it. */
  readonly faultIds: readonly number[]
}

/** The ways on which a fault acts, by `keyOf`. */
export function waysHit({ faults }: Frame): ReadonlyMap<string, WayLook> {
  const looks = new Map<string, WayLook>()
  for (const fault of faults)
    for (const { from, to } of fault.ways) {
      const before = looks.get(keyOf(from, to)) ?? untouched(from, to)
      looks.set(keyOf(from, to), withFault(before, fault))
    }
  return looks
}

export function keyOf(from: End, to: End): string {
  return `${from}>${to}`
}

/** A way without a fault. */
export function untouched(from: End, to: End): WayLook {
  return { from, to, cut: 'no', figures: [], slowMs: 0, faultIds: [] }
}

function withFault(look: WayLook, fault: FaultFrame): WayLook {
  const { type, figures, messages, id } = fault
  const isCut = type === 'cut' || type === 'partition' || type === 'isolate'
  const limited = messages === undefined ? '' : `${messages} `
  const figure = isCut ? (messages === undefined ? '' : `no ${messages}`) : figureOf(type, figures)
  return {
    ...look,
    cut: isCut ? (messages === undefined || look.cut === 'all' ? 'all' : 'some') : look.cut,
    figures: figure === '' ? look.figures : [...look.figures, isCut ? figure : `${limited}${figure}`],
    slowMs: look.slowMs + (figures['delayMs'] ?? 0) + (figures['jitterMs'] ?? 0),
    faultIds: [...look.faultIds, id],
  }
}

function figureOf(type: string, figures: Readonly<Record<string, number>>): string {
  const { delayMs = 0, jitterMs = 0, share = 0, bytesPerSecond = 0 } = figures
  const percent = `${Math.round(share * 1000) / 10} %`
  switch (type) {
    case 'delay':
      return `+${shortMs(delayMs)}${jitterMs > 0 ? ` ± ${shortMs(jitterMs)}` : ''}`
    case 'drop':
      return `${percent} lost`
    case 'duplicate':
      return `${percent} twice`
    case 'reorder':
      return `${percent} overtaken`
    case 'throttle':
      return `${shortBytes(bytesPerSecond)}/s`
    default:
      return type
  }
}

function shortBytes(bytes: number): string {
  if (bytes >= 1e6) return `${Math.round(bytes / 1e5) / 10} MB`
  return bytes >= 1e3 ? `${Math.round(bytes / 100) / 10} kB` : `${bytes} B`
}

/** The way in words, for who does not see it; empty for one without a fault. */
export function wordsOfWay({ from, to, cut, figures }: WayLook): string {
  const parts = [...(cut === 'all' ? ['cut'] : []), ...figures]
  return parts.length === 0 ? '' : `${nameOf(from)} to ${nameOf(to)}: ${parts.join(', ')}`
}

export function nameOf(end: End): string {
  return end === 'clients' ? 'clients' : `node ${end}`
}
