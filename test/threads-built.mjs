/** Before the tests: the files of threads are built anew where a module is newer, as after `npx tsc -b` alone. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const changedMs = (file) => statSync(file).mtimeMs

export async function setup() {
  const built = 'dist/threads/node.js'
  const modules = readdirSync('dist/src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js'))
    .map((path) => join('dist/src', path))
  if (existsSync(built) && modules.every((file) => changedMs(file) <= changedMs(built))) return
  await build({ root: 'src/node', configFile: 'src/node/vite.config.ts' })
}
