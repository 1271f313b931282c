/** Files of the cluster's directory that remember what clients were told. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'

/** The content of a file; `undefined` where there is none, or none that is whole. */
export function readRemembered(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** A reader finds the whole file, before or after. A file that cannot be written is no reason to end with an error. */
export function writeRemembered(path: string, value: unknown): void {
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`)
    renameSync(`${path}.new`, path)
  } catch {
    // As on a full disk, of which the nodes themselves tell.
  }
}
