/** Frames of the bundled files of a node's thread, told by the modules that were bundled. */
import { existsSync, readFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

type Frame = Profiler.ProfileNode['callFrame']

/** The profile with each frame at its place in a module, where a map beside its file tells it. */
export function atModules(profile: Profiler.Profile): Profiler.Profile {
  const maps = new Map<string, SourceMap | undefined>()
  const nodes = profile.nodes.map((node) => {
    const { url } = node.callFrame
    if (!maps.has(url)) maps.set(url, mapOf(url))
    return { ...node, callFrame: atModule(node.callFrame, maps.get(url)) }
  })
  return { ...profile, nodes }
}

function mapOf(url: string): SourceMap | undefined {
  if (!/\/dist\/threads\/[^/]+\.js$/.test(url)) return undefined
  const file = `${fileURLToPath(url)}.map`
  return existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined
}

function atModule(frame: Frame, map: SourceMap | undefined): Frame {
  const entry = map?.findEntry(frame.lineNumber, frame.columnNumber)
  if (entry === undefined || !('originalSource' in entry)) return frame
  const { originalSource, originalLine, originalColumn } = entry
  const url = new URL(originalSource, frame.url).href
  return { ...frame, url, lineNumber: originalLine, columnNumber: originalColumn }
}
