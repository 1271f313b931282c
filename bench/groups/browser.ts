/** A sandbox with its page in a Chromium of its own, and what both take of the machine. Linux only: see `/proc`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type BrowserServer, chromium, type Page } from 'playwright-core'
import { Failed } from '../../src/terminal/index.js'
import { commandLine } from '../suite/index.js'

const chromiumPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find((path) => existsSync(path))

export interface Sandbox {
  readonly pid: number
  readonly url: string
  doLine(line: string): Promise<void>
  /** Commands that the node that leads has applied. */
  applied(): Promise<number>
}

interface StatusTold {
  readonly nodes: readonly { readonly role: string; readonly commandsApplied: number }[]
}

/** Calls `run` with a sandbox that has just told that it is ready. */
export async function withSandbox<T>(run: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const child = spawn(process.execPath, [commandLine, 'sandbox', '--json'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  try {
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const { page: url, api } = JSON.parse(line) as { page: string; api: string }
    return await run({
      ...{ pid: child.pid ?? 0, url },
      async doLine(body) {
        const headers = { 'content-type': 'text/plain' }
        const answer = await fetch(`${api}/do`, { method: 'POST', headers, body })
        if (!answer.ok) throw new Error(await answer.text())
      },
      async applied() {
        const { nodes } = (await (await fetch(`${api}/status`)).json()) as StatusTold
        return nodes.find(({ role }) => role === 'leader')?.commandsApplied ?? 0
      },
    })
  } finally {
    await ended(child)
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

export interface OpenPage {
  readonly page: Page
  /** Of the browser's first process. */
  readonly pid: number
}

/** Calls `run` with a page that shows who leads. */
export function withPage<T>(url: string, run: (open: OpenPage) => Promise<T>): Promise<T> {
  return withBrowser(async (open) => {
    await showLeader(open, url)
    return run(open)
  })
}

export async function showLeader({ page }: OpenPage, url: string): Promise<void> {
  await page.goto(url)
  await page.getByRole('button', { name: /^node \d+, leader/ }).waitFor()
}

/** Calls `run` with an empty page. */
export async function withBrowser<T>(run: (open: OpenPage) => Promise<T>): Promise<T> {
  if (chromiumPath === undefined)
    throw new Failed('Chromium is not installed: install it, or choose other groups with --only')
  const server: BrowserServer = await chromium.launchServer({
    executablePath: chromiumPath,
    chromiumSandbox: false,
    args: [
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  try {
    const browser = await chromium.connect(server.wsEndpoint())
    const page = await browser.newPage({ viewport: { width: 1366, height: 768 } })
    return await run({ page, pid: server.process().pid ?? 0 })
  } finally {
    await server.close()
  }
}

const ticksPerSecond = 100

/** Seconds of processors that a process has used until now, with all its threads and with the processes it started. */
export function processorSeconds(pid: number): number {
  const [ticks, parents] = [new Map<number, number>(), new Map<number, number>()]
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(Number(name))
    if (fields === undefined) continue
    parents.set(Number(name), Number(fields[1]))
    ticks.set(Number(name), Number(fields[11]) + Number(fields[12]))
  }
  const isOfIt = (each: number | undefined): boolean =>
    each !== undefined && each > 1 && (each === pid || isOfIt(parents.get(each)))
  return [...ticks].reduce((sum, [each, used]) => sum + (isOfIt(each) ? used : 0), 0) / ticksPerSecond
}

/** The fields behind the name of the program, which may hold spaces. `undefined`: the process has ended. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

export function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}
