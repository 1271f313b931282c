/** A real Chromium that shows the page of a sandbox. Each test has a sandbox and an empty profile of its own. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { type Started, start } from '../../cli/raftbox.js'

const names = ['chromium', 'chromium-browser', 'google-chrome']
/** `undefined`: Chromium is not installed. */
const chromiumPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find((path) => existsSync(path))

/** A test that is skipped where Chromium is not installed, and nowhere else. */
export function browserTest(name: string, body: () => Promise<void>): void {
  test.skipIf(chromiumPath === undefined)(name, { timeout: 4 * 60_000 }, body)
}

const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** A machine that is busy draws slowly. */
const timeoutMs = 40_000

let launched: Promise<Browser> | undefined

afterAll(async () => (await launched)?.close())

function browser(): Promise<Browser> {
  launched ??= chromium.launch({ executablePath: chromiumPath ?? '', chromiumSandbox: false, args: flags })
  return launched
}

/**
 * An empty page. The test fails if the page asks for anything at another address than `url`, or has an error of its own.
 * A test that fails leaves a picture of the page.
 */
export async function emptyPage(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await (await browser()).newContext({ viewport: { width: 1280, height: 800 }, ...options })
  context.setDefaultTimeout(timeoutMs)
  const wrong: string[] = []
  const { host } = new URL(url)
  await context.route(
    (asked) => asked.host !== host,
    (route) => {
      wrong.push(`the page asks for ${route.request().url()}`)
      return route.abort()
    },
  )
  const page = await context.newPage()
  page.on('pageerror', ({ message }) => wrong.push(message))
  page.on('console', (message) => {
    // The browser says so of each answer that is a refusal, and of a sandbox that is away.
    const isOfNetwork = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isOfNetwork) wrong.push(message.text())
  })
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail')
      await page.screenshot({ path: `dist/failed/${task.name.replaceAll(/\W+/g, '-')}.png` }).catch(() => {})
    await context.close()
    expect(wrong).toEqual([])
  })
  return page
}

export interface Sandbox extends Started {
  /** The address of the page. */
  readonly url: string
  /** Carries out a line, as at the prompt. */
  doLine(line: string): Promise<Record<string, unknown>>
  leaders(): Promise<readonly number[]>
}

interface StatusTold {
  readonly nodes: readonly { readonly nodeId: number; readonly state: string; readonly role: string }[]
}

export async function sandbox(...args: string[]): Promise<Sandbox> {
  const started = start(['sandbox', '--json', ...args], null)
  onTestFinished(async () => {
    started.child.kill('SIGTERM')
    await started.ended
  })
  const [line] = await started.said(/\{"ready":true.*\n/)
  const { page: url, api, token } = JSON.parse(line) as { page: string; api: string; token: string | null }
  const headers = {
    'content-type': 'text/plain',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  }
  return {
    ...started,
    url,
    async doLine(body) {
      const answer = await fetch(`${api}/do`, { method: 'POST', headers, body })
      return (await answer.json()) as Record<string, unknown>
    },
    async leaders() {
      const { nodes } = (await (await fetch(`${api}/status`, { headers })).json()) as StatusTold
      return nodes.flatMap(({ nodeId, state, role }) =>
        state === 'running' && role === 'leader' ? [nodeId] : [],
      )
    },
  }
}

/** A sandbox, and a page that shows it. */
export async function shown(
  args: readonly string[] = [],
  options: BrowserContextOptions = {},
): Promise<Sandbox & { readonly page: Page }> {
  const started = await sandbox(...calm, ...args)
  const page = await emptyPage(started.url, options)
  // A key does nothing before the page knows the verbs.
  await Promise.all([page.waitForResponse(/\/api\/verbs$/), page.goto(started.url)])
  return { ...started, page }
}

/** On a machine that is busy for a second, nobody campaigns. */
export const calm = ['--election-timeout', '1500']
