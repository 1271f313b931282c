/** Runs the compiled command line as a user would, in a folder for temporary files of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFailed, onTestFinished } from 'vitest'

export const program = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const suite = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

/** Warnings that tell how busy the machine is, and nothing of what a command did. */
const ofBusyMachine = /^raftbox: warning: .*(?:electionTimeoutMs|event loop).*\n/gm

/** Characters at the end of what a program said that are told when its test fails. */
const toldMax = 8000

export type Input = string | Uint8Array | null

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** What the command left where temporary files go. */
  readonly left: readonly string[]
}

export interface Started {
  readonly child: ChildProcess
  /** Where its temporary files go. */
  readonly folder: string
  readonly ended: Promise<Ended>
  /** Resolves once it has said so, on either output, with what it said. */
  said(pattern: RegExp): Promise<RegExpExecArray>
}

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'raftbox-test-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function temporaryFile(name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, content)
  return path
}

/** Standard input holds the given text and ends; with `null` it stays open, as a terminal does. */
export function start(args: readonly string[], input?: Input): Started {
  return startProgram(program, args, input)
}

/** What `npm run bench` does once all is built. */
export function startSuite(args: readonly string[]): Started {
  return startProgram(suite, args)
}

/** Another program than the compiled command line. */
export function startProgram(file: string, args: readonly string[], input?: Input): Started {
  const folder = temporaryFolder()
  const env = { ...process.env, TMPDIR: folder, NO_COLOR: '1' }
  const child = spawn(process.execPath, [file, ...args], { env, stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  if (input !== null) child.stdin.end(input ?? '')
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
    })
  }
  onTestFailed(() => {
    const said = [texts.stdout, texts.stderr].join('\n').slice(-toldMax)
    process.stderr.write(`raftbox ${args.join(' ')} had said:\n${said}\n`)
  })
  const ended = once(child, 'close').then(
    ([code]): Ended => ({
      code: code as number | null,
      stdout: texts.stdout,
      stderr: texts.stderr.replaceAll(ofBusyMachine, ''),
      // A test that ran out of time has taken its folder away.
      left: existsSync(folder) ? readdirSync(folder) : [],
    }),
  )
  const said = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(texts.stdout) ?? pattern.exec(texts.stderr)
      if (match !== null) return match
      if (child.exitCode !== null)
        throw new Error(`it ended without saying ${pattern}: ${JSON.stringify(texts)}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  return { child, folder, ended, said }
}

export function run(args: readonly string[], input?: Input): Promise<Ended> {
  return start(args, input).ended
}

/** The last line of standard output, as programs read it. */
export function lastLine(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>
}
