/** Where things are, seen from this compiled file. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the project. */
export const top = fileURLToPath(new URL('../../../', import.meta.url))
/** `raftbox`, for a process of its own. */
export const commandLine = join(top, 'dist', 'src', 'cli', 'main.js')
