/** The lmdb that runs here, and whether this folder was tested with the layout of its pages. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import { join } from 'node:path'
import * as lmdb from 'lmdb'

/** The npm package, the library inside it, and the machine that lays out the library's structures. */
export interface LmdbVersion {
  readonly lmdb: string
  readonly library: string
  readonly machine: string
}

/** A release is added here after the tests of `test/storage` ran with it. The machines share one layout. */
const tested = {
  lmdb: ['3.5.6'],
  library: ['LMDB 0.9.90'],
  machine: ['x64 LE', 'arm64 LE'],
} as const satisfies Record<keyof LmdbVersion, readonly string[]>

export function installedLmdb(): LmdbVersion {
  return { lmdb: packageVersion(), library: libraryVersion(), machine: `${process.arch} ${endianness()}` }
}

/** The first thing that is not as it was tested, in words; `undefined` when all is. */
export function untestedPart(version: LmdbVersion): string | undefined {
  if (!isIn(tested.lmdb, version.lmdb)) return `lmdb ${version.lmdb}`
  if (!isIn(tested.library, version.library)) return version.library
  if (!isIn(tested.machine, version.machine)) return `lmdb on ${version.machine}`
  return undefined
}

function isIn(list: readonly string[], value: string): boolean {
  return list.includes(value)
}

/** The package does not export its package.json, so the file is found beside the package's entry point. */
function packageVersion(): string {
  try {
    const entryPoint = createRequire(import.meta.url).resolve('lmdb')
    const text = readFileSync(join(entryPoint, '..', '..', 'package.json'), 'utf8')
    return String((JSON.parse(text) as { version?: unknown }).version)
  } catch {
    return 'of an unknown version'
  }
}

/** The package tells the library's version, and its types do not. */
function libraryVersion(): string {
  const { version } = lmdb as unknown as { version?: { versionString?: string } }
  return version?.versionString?.split(':')[0] ?? 'LMDB of an unknown version'
}
