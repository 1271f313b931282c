/** Programs and temporary folders that end with this process. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
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

/**
 * The process group of a program. `own`: the program leads a group and a session, so that Ctrl-C reaches it through this
 * process and once only, and what it leaves behind ends with it. `ours`: the program shares the session of this process,
 * and with it one share of the cores; it must start no other, and whoever started this process ends both.
 */
export type Group = 'own' | 'ours'

interface StartOptions {
  readonly env: NodeJS.ProcessEnv
  /** Where it starts; without it, where this process is. */
  readonly cwd?: string
  /** Default `own`. */
  readonly group?: Group
  /**
   * Called with each line of its standard output. Once the call resolves, the program finds an empty line on its standard
   * input.
   */
  readonly answer?: (line: string) => Promise<void>
}

interface RunOptions extends StartOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** Why it failed; without it, the first line of its standard error. */
  readonly why?: (ended: Ended) => string
}

const hasGroups = process.platform !== 'win32'
/** Programs that run, and the groups that they lead. */
const running = new Map<ChildProcess, Group>()
const folders = new Set<string>()

// A second Ctrl-C leaves without waiting for what is under way: this is what it leaves behind.
process.on('exit', () => {
  for (const child of running.keys()) kill(child)
  for (const folder of folders) removeFolder(folder)
})

/** A program that cannot be started has ended, with `code` null and the reason on `stderr`. */
export function startChild(
  command: string,
  args: readonly string[],
  { env, cwd, group = 'own', answer }: StartOptions,
): Child {
  const detached = hasGroups && group === 'own'
  const child = spawn(command, args, { env, cwd, stdio: 'pipe', detached })
  running.set(child, detached ? 'own' : 'ours')
  // A program that has ended reads nothing, and its end is told elsewhere.
  child.stdin.on('error', () => undefined)
  if (answer === undefined) child.stdin.end()
  else answerLines(child, answer)
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      // Only the end of it is of use: a server may talk for hours.
      texts[name] = (texts[name] + text).slice(-1_000_000)
    })
  }
  const ended = new Promise<Ended>((resolve) => {
    child.on('error', ({ message }) => resolve({ code: null, stdout: '', stderr: message }))
    // Programs that it has started may hold its output open.
    child.on('exit', () => kill(child))
    child.on('close', (code) => resolve({ code, ...texts }))
  }).finally(() => running.delete(child))
  const stop = (): Promise<Ended> => {
    kill(child)
    return ended
  }
  return { ended, stop }
}

function answerLines(
  { stdin, stdout }: ChildProcessWithoutNullStreams,
  answer: (line: string) => Promise<void>,
): void {
  createInterface({ input: stdout }).on('line', async (line) => {
    await answer(line)
    stdin.write('\n')
  })
}

/** The whole group that a program leads, for its own children would outlive it. */
function kill(child: ChildProcess): void {
  const group = running.get(child)
  if (child.pid === undefined || group === undefined) return
  try {
    if (group === 'own') process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  } catch {
    // The program has ended meanwhile.
  }
}

/** Resolves to what it printed; rejects with a `Failed` that holds the reason it gave. */
export async function runChild(
  command: string,
  args: readonly string[],
  { signal, timeoutMs, why = firstLineOf, ...start }: RunOptions,
): Promise<string> {
  signal.throwIfAborted()
  const child = startChild(command, args, start)
  const tooLong = AbortSignal.timeout(timeoutMs)
  const ended = AbortSignal.any([signal, tooLong])
  const onEnd = (): void => void child.stop()
  ended.addEventListener('abort', onEnd)
  const end = await child.ended
  ended.removeEventListener('abort', onEnd)
  signal.throwIfAborted()
  if (tooLong.aborted) throw new Failed(`no end after ${Math.round(timeoutMs / 1000)} s`)
  if (end.code !== 0) throw new Failed(why(end))
  return end.stdout
}

function firstLineOf({ code, stderr }: Ended): string {
  return stderr.split('\n').find((line) => line.trim() !== '') ?? `it ended with exit code ${code}`
}

/** Calls `run` with a new folder, which is removed afterwards. */
export async function withFolder<T>(purpose: string, run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), `raftbox-${purpose}-`))
  folders.add(folder)
  try {
    return await run(folder)
  } finally {
    removeFolder(folder)
    folders.delete(folder)
  }
}

/** What was killed a moment ago may still be writing. */
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}
