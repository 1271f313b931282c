/** Runs one of clinic's tools on the inline host under a durable load, and gives the page that it draws. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failed } from '../../src/terminal/index.js'
import { commandLine } from '../suite/index.js'
import { clinicProgram, runTool } from './tools.js'

export const inlineClients = 1024
export const inlineSeconds = 5

/**
 * Of a process with worker threads, clinic sees one, picked by chance: so all nodes run in the main thread.
 * `folder` is a temporary one, where clinic and V8 may leave their raw data.
 */
export async function clinicPage(
  tool: 'flame' | 'doctor',
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const load = ['--threads', 'off', '--clients', `${inlineClients}`, '--seconds', `${inlineSeconds}`]
  const bench = [process.execPath, commandLine, 'bench', ...load]
  await runTool(process.execPath, [clinicProgram, tool, '--open=false', '--dest', folder, '--', ...bench], {
    cwd: folder,
    signal,
    // Without it clinic asks for consent first, and ends silently where it can not ask.
    env: { NO_INSIGHT: 'true', TMPDIR: folder },
  })
  const pages = readdirSync(folder).filter((name) => name.endsWith('.html'))
  if (pages.length !== 1) throw new Failed(`clinic ${tool} left ${pages.length} pages, not one`)
  return readFileSync(join(folder, pages[0]!), 'utf8')
}
