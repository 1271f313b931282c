/** Where pages are put: a folder below `.clinic`, replaced as a whole once all of it is there. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { withFolder } from '../suite/index.js'
import { clinicFolder } from './tools.js'

/** `write` fills a new folder; an interrupted or failed run leaves the pages of the last one as they were. */
export async function replaceFolder(
  name: string,
  write: (folder: string, scratch: string) => Promise<void>,
): Promise<string> {
  const folder = join(clinicFolder, name)
  const next = mkdtempSync(join(clinicFolder, `${name}-next-`))
  try {
    await withFolder('profile', (scratch) => write(next, scratch))
    rmSync(folder, { recursive: true, force: true })
    renameSync(next, folder)
  } finally {
    rmSync(next, { recursive: true, force: true })
  }
  return folder
}
