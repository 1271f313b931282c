/** The packages of OpenTelemetry are there or not. */
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../cluster/support.js'

/** The error of a program that opens traces in a folder from which no package is found. */
function saidAlone(to: string): string {
  const folder = temporaryFolder()
  for (const room of ['errors', 'raft', 'telemetry', 'explain', 'traces']) {
    const from = fileURLToPath(new URL(`../../src/${room}`, import.meta.url))
    cpSync(from, join(folder, room), { recursive: true })
  }
  cpSync('package.json', join(folder, 'package.json'))
  const program = `import { Traces } from './traces/index.js'
    const traces = await Traces.open({ to: '${to}' }).catch(({ message }) => console.log(message))
    console.log(await traces?.close())`
  writeFileSync(join(folder, 'program.js'), program)
  const { stdout } = spawnSync(process.execPath, ['program.js'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 50_000,
  })
  return stdout
}

test('without the packages, a collector is refused with the line that installs them', () => {
  expect(saidAlone('http://127.0.0.1:4318')).toMatch(
    /npm install @opentelemetry\/api@1 @opentelemetry\/resources@2 @opentelemetry\/exporter-trace-otlp-http@0\.220/,
  )
})

test('without the packages, traces go to a file', () => {
  expect(saidAlone('traces.jsonl')).toMatch(/spansDropped: 0/)
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
