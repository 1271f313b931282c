/** Files of the cluster's directory that remember what clients were told. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../storage/index.js'

/** The content of a file; `undefined` where there is none, or none that is whole. */
export function readRemembered(dir: string, name: string): unknown {
  try {
    return JSON.parse(readFileSync(join(dir, name), 'utf8'))
  } catch {
    return undefined
  }
}

/** A file that cannot be written is no reason to end with an error. */
export function writeRemembered(dir: string, name: string, value: unknown): void {
  try {
    writeWhole(dir, name, Buffer.from(`${JSON.stringify(value)}\n`))
  } catch {
    // As on a full disk, of which the nodes themselves tell.
  }
}
