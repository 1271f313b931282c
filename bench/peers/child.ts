/** Processes that are measured or measured against: none outlives this one, and each has a folder that goes with it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failed } from '../../src/terminal/index.js'

export interface Child {
  /** Resolves when it has ended, whatever it ended with. */
  readonly ended: Promise<Ended>
  /** Ends it at once, and resolves when it is gone. */
  stop(): Promise<Ended>
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv
  /** Where it starts; without it, where this process is. */
  readonly cwd?: string
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

const running = new Set<ChildProcess>()
const folders = new Set<string>()

// A second Ctrl-C leaves without waiting for what is under way: this is what it leaves behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) removeFolder(folder)
})

/** A program that cannot be started has ended, with `code` null and the reason on `stderr`. */
export function startChild(
  command: string,
  args: readonly string[],
  { env, cwd }: Pick<RunOptions, 'env' | 'cwd'>,
): Child {
  const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      // Only the end of it is of use: a server may talk for hours.
      texts[name] = (texts[name] + text).slice(-1_000_000)
    })
  }
  const ended = new Promise<Ended>((resolve) => {
    child.on('error', ({ message }) => resolve({ code: null, stdout: '', stderr: message }))
    child.on('close', (code) => resolve({ code, ...texts }))
  }).finally(() => running.delete(child))
  const stop = (): Promise<Ended> => {
    child.kill('SIGKILL')
    return ended
  }
  return { ended, stop }
}

/** Resolves to what it printed; rejects with a `Failed` that holds the reason it gave. */
export async function runChild(
  command: string,
  args: readonly string[],
  { signal, timeoutMs, ...start }: RunOptions,
): Promise<string> {
  signal.throwIfAborted()
  const child = startChild(command, args, start)
  const tooLong = AbortSignal.timeout(timeoutMs)
  const ended = AbortSignal.any([signal, tooLong])
  const onEnd = (): void => void child.stop()
  ended.addEventListener('abort', onEnd)
  const { code, stdout, stderr } = await child.ended
  ended.removeEventListener('abort', onEnd)
  signal.throwIfAborted()
  if (tooLong.aborted) throw new Failed(`no end after ${Math.round(timeoutMs / 1000)} s`)
  if (code !== 0) throw new Failed(firstLineOf(stderr) ?? `it ended with exit code ${code}`)
  return stdout
}

function firstLineOf(text: string): string | undefined {
  return text.split('\n').find((line) => line.trim() !== '')
}

/** Programs put their files where temporary ones go: into a folder that is removed afterwards. */
export async function withScratch<T>(
  run: (folder: string, env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'raftbox-peers-'))
  folders.add(folder)
  try {
    return await run(folder, { ...process.env, TMPDIR: folder })
  } finally {
    removeFolder(folder)
    folders.delete(folder)
  }
}

/** What was killed a moment ago may still be writing. */
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}
