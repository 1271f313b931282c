/** Where a run leaves its record. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { BadInput } from '../../src/terminal/index.js'

export const resultsFolder = join('bench', 'results')

/**
 * The value of `--out`, or without one a file named by the time, behind a prefix that says whose it is.
 * Looked at before anything runs, so that no hour of measuring is lost to a misspelt folder.
 */
export function recordFile(out: string | undefined, prefix: string): string {
  if (out === undefined) {
    mkdirSync(resultsFolder, { recursive: true })
    // Colons are not for file names everywhere.
    return join(resultsFolder, `${prefix}${new Date().toISOString().replaceAll(':', '-')}.json`)
  }
  if (out === '' || isFolder(out)) throw new BadInput(`--out: give the name of a file, not '${out}'`)
  if (!isFolder(dirname(resolve(out)))) {
    throw new BadInput(`--out: there is no folder ${dirname(out)}; make it, or choose another`)
  }
  return out
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
