/**
 * The profilers, which live in `.clinic` with an install of their own: clinic alone brings some 600 packages.
 * Other programs run in a process group of their own, so that Ctrl-C reaches them through us and once only.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failed } from '../../src/terminal/index.js'
import { top } from '../suite/index.js'

export const clinicFolder = join(top, '.clinic')
export const clinicProgram = toolPath('clinic', 'bin.js')
export const zeroxProgram = toolPath('0x', 'cmd.js')

/** How long a program may take to clean up after it was told to end. */
const endWithinMs = 5000

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

export interface ProgramOptions {
  readonly cwd: string
  readonly signal: AbortSignal
  readonly env?: Readonly<Record<string, string>>
}

/** Runs it to its end and gives what it said; its last lines are the error when it fails. */
export async function runTool(
  program: string,
  args: readonly string[],
  { cwd, signal, env = {} }: ProgramOptions,
): Promise<string> {
  signal.throwIfAborted()
  const child = spawn(program, args, {
    cwd,
    detached: process.platform !== 'win32',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const stop = (): void => endGroup(child.pid)
  signal.addEventListener('abort', stop)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    signal.throwIfAborted()
    if (code === 0) return said
    throw new Failed(`${program} ${args.join(' ')} ended with exit code ${code}: ${lastWords(said)}`)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** The whole group is told, for a profiler's child would outlive it; who does not listen is ended. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  const end = (name: NodeJS.Signals): void => {
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, name)
    } catch {
      // It ended in the meantime.
    }
  }
  end('SIGTERM')
  setTimeout(() => end('SIGKILL'), endWithinMs).unref()
}

function lastWords(said: string): string {
  return said.trim().split('\n').slice(-3).join(' ') || 'it said nothing'
}
