/** The profilers, which live in `.clinic` with an install of their own: clinic alone brings some 600 packages. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failed } from '../../src/terminal/index.js'
import { runChild, top } from '../suite/index.js'

export const clinicFolder = join(top, '.clinic')
export const clinicProgram = toolPath('clinic', 'bin.js')
export const zeroxProgram = toolPath('0x', 'cmd.js')

/** Long profiles take minutes to be drawn. */
const toolMs = 30 * 60_000

/** Installs what `.clinic/package.json` pins, unless it is there. */
export async function installProfilers(signal: AbortSignal): Promise<void> {
  if (areInstalled()) return
  console.log('Installing clinic and 0x into .clinic, for the first time here: some 600 packages.')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const args = ['install', '--prefix', clinicFolder, '--no-package-lock', '--no-audit', '--no-fund']
  await runTool(npm, [...args, '--loglevel', 'error'], { cwd: clinicFolder, signal })
  if (!areInstalled()) throw new Failed('npm ended without the profilers that .clinic/package.json names')
}

function areInstalled(): boolean {
  // npm writes this file last: without it, an install was interrupted.
  if (!existsSync(join(clinicFolder, 'node_modules', '.package-lock.json'))) return false
  const pinned = manifestOf(clinicFolder).dependencies ?? {}
  return Object.entries(pinned).every(([name, version]) => {
    const folder = join(clinicFolder, 'node_modules', name)
    return existsSync(folder) && manifestOf(folder).version === version
  })
}

function manifestOf(folder: string): { version?: string; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as ReturnType<typeof manifestOf>
}

function toolPath(name: string, file: string): string {
  return join(clinicFolder, 'node_modules', name, file)
}

/** Runs one of the profilers to its end; its last lines say why it failed. */
export async function runTool(
  program: string,
  args: readonly string[],
  { cwd, signal, env = {} }: { cwd: string; signal: AbortSignal; env?: NodeJS.ProcessEnv },
): Promise<void> {
  await runChild(program, args, {
    env: { ...process.env, ...env },
    ...{ cwd, signal, timeoutMs: toolMs },
    why: ({ code, stdout, stderr }) => {
      const words = (stdout + stderr).trim().split('\n').slice(-3).join(' ') || 'it said nothing'
      return `${program} ${args.join(' ')} ended with exit code ${code}: ${words}`
    },
  })
}
