/** The lines that a person typed in earlier sandboxes of a directory, kept beside the logs of its nodes. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { historyMax } from './prompt.js'

const fileName = 'sandbox-history'

/** The newest first; none where there is no such file. */
export function readHistory(dir: string): string[] {
  try {
    return readFileSync(join(dir, fileName), 'utf8').split('\n').filter(Boolean).slice(0, historyMax)
  } catch {
    return []
  }
}

/** A history that cannot be kept is no reason to end with an error. */
export function writeHistory(dir: string, history: readonly string[]): void {
  try {
    // Only its owner reads it: lines hold values, as the logs do.
    writeFileSync(join(dir, fileName), history.slice(0, historyMax).join('\n'), { mode: 0o600 })
  } catch {
    // As after a removal of the directory.
  }
}
