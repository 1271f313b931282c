/** The head of every record: when, on which machine and by which versions the record was made. */
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { dirname } from 'node:path'
import type { BenchRecord } from '../../src/report/index.js'

interface Package {
  readonly version: string
  readonly dependencies: { readonly lmdb: string }
}

/** By its own name, so that it is found from the sources' place and from the compiled one. */
const require = createRequire(import.meta.url)
const { version, dependencies } = require('raftbox/package.json') as Package
const top = dirname(require.resolve('raftbox/package.json'))

/** For a run that began then and ends now. */
export function recordHead(startedAt: Date): Omit<BenchRecord, 'settings' | 'results'> {
  return {
    format: 'raftbox-bench',
    version: 1,
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    machine: describeMachine(),
    versions: describeVersions(),
  }
}

function describeMachine(): BenchRecord['machine'] {
  return {
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
  }
}

function describeVersions(): BenchRecord['versions'] {
  return {
    raftbox: version,
    commit: presentCommit(),
    node: process.version,
    v8: process.versions.v8,
    // Pinned: what is asked for is what is installed.
    lmdb: dependencies.lmdb,
  }
}

function presentCommit(): string | null {
  try {
    const commit = git('rev-parse', 'HEAD').trim()
    return git('status', '--porcelain') === '' ? commit : `${commit} with changes`
  } catch {
    return null
  }
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}
