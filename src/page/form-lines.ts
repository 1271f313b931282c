/** Lines out of what is typed into the forms of panels, or the reason for which there is none. */
import type { NodeId } from '../raft/index.js'

/** `line` is what stands at the prompt; without one, `why` says what is missing or wrong. */
export type FormLine = { readonly line: string } | { readonly line?: undefined; readonly why: string }

/** A key is one word of a line, and a value is the rest of it. */
export function putLine(key: string, value: string): FormLine {
  const wrong = keyTrouble(key)
  if (wrong !== undefined) return { why: wrong }
  if (/[\r\n]/.test(value)) return { why: 'a value is the rest of one line: it has no line break' }
  if (value.trim() === '') return { why: 'give a value' }
  return { line: `put ${key} ${value}` }
}

export function deleteLine(key: string): FormLine {
  const wrong = keyTrouble(key)
  return wrong === undefined ? { line: `delete ${key}` } : { why: wrong }
}

/** `from` undefined: a linearizable read, at the leader. */
export function getLine(key: string, from: NodeId | undefined): FormLine {
  const wrong = keyTrouble(key)
  if (wrong !== undefined) return { why: wrong }
  return { line: from === undefined ? `get ${key}` : `get ${key} from ${from} stale` }
}

export function rangeLine(prefix: string, from: NodeId | undefined): FormLine {
  if (/\s/.test(prefix)) return { why: 'a prefix is one word: it has no spaces' }
  if (prefix === 'from' || prefix === 'stale')
    return {
      why: `a line reads the word ${prefix} as the beginning of where to read: leave out its last letter`,
    }
  return { line: ['range', prefix, from === undefined ? '' : `from ${from} stale`].filter(isSaid).join(' ') }
}

function keyTrouble(key: string): string | undefined {
  if (key === '') return 'give a key'
  return /\s/.test(key) ? 'a key is one word: it has no spaces' : undefined
}

/** As typed: the sandbox itself judges the figures. */
export interface LoadForm {
  readonly clients: string
  readonly size: string
  readonly rate: string
}

/** A number alone counts bytes, or calls a second. */
export function loadLine({ clients, size, rate }: LoadForm): FormLine {
  const [count, bytes, calls] = [clients.trim(), size.trim(), rate.trim()]
  if (!/^\d+$/.test(count)) return { why: 'give the number of clients' }
  if (/\s/.test(bytes) || /\s/.test(calls)) return { why: 'size and rate are one word each' }
  const sized = bytes === '' ? '' : `size ${/^\d+$/.test(bytes) ? `${bytes}B` : bytes}`
  const rated = calls === '' ? '' : `rate ${/^\d+$/.test(calls) ? `${calls}/s` : calls}`
  return { line: [`load ${count}`, sized, rated].filter(isSaid).join(' ') }
}

function isSaid(part: string): boolean {
  return part !== ''
}
