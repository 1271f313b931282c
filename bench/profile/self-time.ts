/** What a CPU profile says, as plain figures; and whether a page that was drawn holds raftbox's own functions. */
import type { Profiler } from 'node:inspector'

export interface HotFunction {
  readonly name: string
  /** A source file, a package, a module of Node; for native code, where it was called from. Empty: V8 itself. */
  readonly place: string
  /** Of the profiled time, 0 to 1. */
  readonly share: number
}

/** A room of `src` and one of its functions that a page shows. */
export interface OwnFunction {
  readonly room: string
  readonly name: string
}

/** How much of the time the thread was not idle, 0 to 1. A wait for the disk or for a core counts as busy. */
export function busyShare(profile: Profiler.Profile): number {
  const times = selfTimes(profile)
  const all = sum(times.values())
  if (all === 0) return 0
  const idle = profile.nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)')
  return 1 - sum(idle.map(({ id }) => times.get(id) ?? 0)) / all
}

/** Functions by self time, the hottest first, without the time in which the thread was idle. */
export function hottest(profile: Profiler.Profile, count: number): HotFunction[] {
  const times = selfTimes(profile)
  const all = sum(times.values())
  const callers = callersOf(profile)
  const functions = new Map<string, { name: string; place: string; time: number }>()
  for (const { id, callFrame } of profile.nodes) {
    const time = times.get(id) ?? 0
    if (time === 0 || callFrame.functionName === '(idle)') continue
    const [name, place] = describe(callFrame, callers.get(id))
    const found = functions.get(`${name} ${place}`)
    if (found === undefined) functions.set(`${name} ${place}`, { name, place, time })
    else found.time += time
  }
  return [...functions.values()]
    .sort((a, b) => b.time - a.time)
    .slice(0, count)
    .map(({ name, place, time }) => ({ name, place, share: time / all }))
}

/** Microseconds by node: a sample stands for the time until the next one. */
function selfTimes({ samples = [], timeDeltas = [] }: Profiler.Profile): Map<number, number> {
  const times = new Map<number, number>()
  samples.forEach((id, at) => {
    times.set(id, (times.get(id) ?? 0) + Math.max(0, timeDeltas[at + 1] ?? 0))
  })
  return times
}

type Frame = Profiler.ProfileNode['callFrame']

function callersOf({ nodes }: Profiler.Profile): Map<number, Frame> {
  const callers = new Map<number, Frame>()
  for (const { callFrame, children = [] } of nodes) {
    for (const child of children) callers.set(child, callFrame)
  }
  return callers
}

/** Native code has no place and often no name: then its caller tells what it is. */
function describe(frame: Frame, caller: Frame | undefined): [name: string, place: string] {
  const { functionName, url } = frame
  if (url !== '') return [functionName || '(anonymous)', placeOf(frame)]
  const isOfV8 = caller === undefined || caller.functionName === '(root)'
  const name = functionName || `native code in ${caller?.functionName || '(anonymous)'}`
  return [name, isOfV8 || caller.url === '' ? '' : `from ${placeOf(caller)}`]
}

/** Where people look it up: our own by its source file, a package by its name. */
function placeOf({ url, lineNumber }: Frame): string {
  const own = /\/dist\/((?:src|bench)\/.*)\.js$/.exec(url)?.[1]
  if (own !== undefined) return `${own}.ts`
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/.*$/.exec(url)?.[1]
  return inPackage ?? `${url.replace(/^file:\/\/.*\//, '')}:${lineNumber + 1}`
}

/** As both clinic and 0x write a frame into their pages. */
const ownFrame = /"name":"([^" ]+) file:[^" ]*\/dist\/src\/([a-z]+)\/[^"/ ]+\.js:\d+/g

/** The functions of raftbox that a drawn page holds. */
export function ownFunctions(page: string): OwnFunction[] {
  const found = new Map<string, OwnFunction>()
  for (const [, name = '', room = ''] of page.matchAll(ownFrame)) {
    if (!name.startsWith('(')) found.set(`${room} ${name}`, { room, name })
  }
  return [...found.values()]
}

/**
 * Rooms of which a page shows no function: a thread under load runs through each of them. Rooms and not
 * functions are asked for, so that renaming one breaks nothing.
 */
export function missingRooms(page: string, expected: readonly string[]): string[] {
  const rooms = new Set(ownFunctions(page).map(({ room }) => room))
  return expected.filter((room) => !rooms.has(room))
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
