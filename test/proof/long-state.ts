/** The state of a long proof in a file: a proof that was stopped goes on from there, unless the sources are others. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { noSweep, type SweepResult } from '../../src/jobs/index.js'
import type { Result } from '../mutants/run.js'

export interface ProofState {
  /** Of all sources, mutants among them. */
  readonly digest: string
  readonly seeds: {
    /** The seeds from 1 to this one were run. */
    done: number
    seconds: number
    sum: SweepResult
  }
  /** The labs of test/labs. */
  readonly labs: {
    /** The seeds from 1 to this one were played by each lab. */
    done: number
    seconds: number
    readonly failures: string[]
  }
  /** Left out until the search has ended. */
  search?: {
    readonly states: number
    readonly depth: number
    /** The steps to it and the rule that it breaks, a line each; empty where none was found. */
    readonly violation: readonly string[]
  }
  readonly losses: {
    /** The first power losses of all, which were gone through. */
    done: number
    seconds: number
    readonly violations: string[]
  }
  readonly mutants: { seconds: number; readonly results: Result[] }
}

/** Over the paths and the bytes of all files of these folders, in the order of their paths, and of the lock file. */
export function digestOf(folders: readonly string[]): string {
  const hash = createHash('sha256').update(readFileSync('package-lock.json'))
  for (const folder of folders) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) =>
      each.isFile(),
    )
    const paths = files.map(({ parentPath, name }) => join(parentPath, name))
    for (const path of paths.sort()) hash.update(path).update(readFileSync(path))
  }
  return hash.digest('hex')
}

/** The state in the file; a new one where there is none, or where the file is of other sources. */
export function readState(file: string, digest: string): ProofState {
  const found = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ProofState) : undefined
  if (found?.digest === digest) return found
  return {
    digest,
    seeds: { done: 0, seconds: 0, sum: noSweep },
    labs: { done: 0, seconds: 0, failures: [] },
    losses: { done: 0, seconds: 0, violations: [] },
    mutants: { seconds: 0, results: [] },
  }
}

/** The file is whole at any moment. */
export function writeState(file: string, state: ProofState): void {
  writeFileSync(`${file}.new`, JSON.stringify(state))
  renameSync(`${file}.new`, file)
}
