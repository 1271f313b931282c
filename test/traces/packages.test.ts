/** The packages of OpenTelemetry are there or not. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import type * as traces from '../../src/traces/index.js'
import { temporaryFolder } from '../cluster/support.js'

/** The rooms that traces need, in a folder from which no package is found. */
async function aloneWithout(): Promise<typeof traces & { readonly folder: string }> {
  const folder = temporaryFolder()
  for (const room of ['errors', 'raft', 'telemetry', 'explain', 'traces']) {
    const from = fileURLToPath(new URL(`../../src/${room}`, import.meta.url))
    cpSync(from, join(folder, room), { recursive: true, filter: (path) => !path.endsWith('.map') })
  }
  cpSync('package.json', join(folder, 'package.json'))
  const url = pathToFileURL(join(folder, 'traces', 'index.js')).href
  return { ...((await import(url)) as typeof traces), folder }
}

test('without the packages, a collector is refused with the line that installs them', async () => {
  const { Traces } = await aloneWithout()
  await expect(Traces.open({ to: 'http://127.0.0.1:4318' })).rejects.toThrow(
    /npm install @opentelemetry\/api@1 @opentelemetry\/resources@2 @opentelemetry\/exporter-trace-otlp-http@0\.220/,
  )
})

test('without the packages, traces go to a file', async () => {
  const { Traces, folder } = await aloneWithout()
  const to = join(folder, 'traces.jsonl')
  const own = await Traces.open({ to })
  await own.close()
  expect(readFileSync(to, 'utf8')).toBe('')
})

test('the line installs the versions that the package names as its peers', () => {
  const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    peerDependencies: Record<string, string>
  }
  const told = Object.entries(peerDependencies).map(([name, range]) => {
    const [major, minor] = range.slice(1).split('.')
    return `${name}@${major === '0' ? `0.${minor}` : major}`
  })
  const line = readFileSync('src/traces/packages.ts', 'utf8')
  for (const each of told) expect(line).toContain(each)
})
