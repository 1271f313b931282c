/** The page of a sandbox: its flags, its address, and what is left when it cannot be had. */
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run, type Started, start, temporaryFolder } from './raftbox.js'

interface Ready {
  readonly page: string
  readonly api: string
  readonly dir: string
  readonly token: string | null
}

async function ready(args: readonly string[]): Promise<Ready & Started> {
  const started = start(['sandbox', '--json', '--nodes', '1', ...args], null)
  const [line] = await started.said(/\{"ready":true.*\n/)
  return { ...started, ...(JSON.parse(line) as Ready) }
}

/** A port that somebody else has. */
async function takenPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as { port: number }).port
}

test('the ready line tells where the page and the verbs are, and both answer', async () => {
  const { page, api, token, child, ended } = await ready([])
  expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
  expect([api, token]).toEqual([`${page}api`, null])
  expect(await (await fetch(page)).text()).toContain('<div id="page">')
  const asked = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'put a 1' }
  expect(await (await fetch(`${api}/do`, asked)).json()).toMatchObject({ ok: true, revision: 1 })
  child.stdin?.end('get a\n')
  expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('"value":"1"'), left: [] })
})

test('a page and a prompt are one sandbox: quit ends it from either', async () => {
  const { page, ended } = await ready([])
  const asked = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'quit' }
  expect(await (await fetch(`${page}api/do`, asked)).json()).toMatchObject({ ok: true })
  expect(await ended).toMatchObject({ code: 0, stderr: '', left: [] })
})

test('an interrupt ends streams that are read and a scenario that runs, and leaves nothing', async () => {
  const { page, api, child, ended } = await ready([])
  const events = await fetch(`${page}api/events`)
  const asked = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'pause-leader' }
  expect(await (await fetch(`${api}/scenarios/run`, asked)).json()).toMatchObject({ ok: true })
  child.kill('SIGTERM')
  await expect(events.text()).rejects.toThrow()
  expect(await ended).toMatchObject({ code: 143, left: [] })
})

test('for people, the address is among the first lines', async () => {
  const { stdout } = await run(['sandbox', '--nodes', '1'], 'status\n')
  expect(stdout.split('\n').slice(0, 3).join('\n')).toMatch(/^The page: http:\/\/127\.0\.0\.1:\d+\/$/m)
})

test('with --page off there is none', async () => {
  const { page, api, child, ended } = await ready(['--page', 'off'])
  expect([page, api]).toEqual([null, null])
  child.stdin?.end()
  expect(await ended).toMatchObject({ code: 0 })
})

test('a port in use is told in one line, and nothing is left behind', async () => {
  const port = await takenPort()
  const dir = join(temporaryFolder(), 'new')
  for (const where of [[], ['--dir', dir]])
    expect(await run(['sandbox', '--page', String(port), ...where])).toEqual({
      ...{ code: 2, stdout: '', left: [] },
      stderr: `raftbox: port ${port} of 127.0.0.1 is in use: end the program that has it, or choose another port with --page\n`,
    })
  expect(existsSync(dir)).toBe(false)
})

test('a directory keeps its port, also when its sandbox was killed', async () => {
  const dir = join(temporaryFolder(), 'kept')
  const first = await ready(['--dir', dir])
  first.child.kill('SIGKILL')
  await first.ended
  const second = await ready(['--dir', dir])
  expect(second.page).toBe(first.page)
  // The directory comes before the port: its own sandbox has both.
  expect(await run(['sandbox', '--dir', dir])).toMatchObject({
    ...{ code: 2, stdout: '' },
    stderr: expect.stringMatching(/is in use by process \d+: stop it, or choose another directory\n$/),
  })
  second.child.stdin?.end()
  expect(await second.ended).toMatchObject({ code: 0 })
})

test('a port that was only remembered and is in use is told, and how to choose another', async () => {
  const dir = join(temporaryFolder(), 'kept')
  const { page, child, ended } = await ready(['--dir', dir])
  child.stdin?.end()
  await ended
  const { port } = new URL(page)
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(Number(port), '127.0.0.1', resolve))
  onTestFinished(() => void other.close())
  const { code, stderr } = await run(['sandbox', '--dir', dir])
  expect([code, stderr]).toEqual([
    2,
    `raftbox: port ${port} of 127.0.0.1, which ${dir} remembers, is in use: end the program that has it, or choose another port with --page\n`,
  ])
  const elsewhere = await ready(['--dir', dir, '--page', '0'])
  expect(elsewhere.page).not.toBe(page)
  elsewhere.child.stdin?.end()
  await elsewhere.ended
})

test('another address takes a token, which is then asked for and told', async () => {
  const { page, token, child, ended } = await ready(['--listen', '0.0.0.0', '--token', 'open.Sesame'])
  const { port } = new URL(page)
  expect([page, token]).toEqual([`http://127.0.0.1:${port}/?token=open.Sesame`, 'open.Sesame'])
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401)
  expect((await fetch(`http://127.0.0.1:${port}/?token=open.Sesame`)).status).toBe(200)
  child.stdin?.end()
  expect(await ended).toMatchObject({ code: 0 })
})

test.each([
  [
    ['--listen', '0.0.0.0'],
    '--listen: other machines reach 0.0.0.0: choose a token and give it with --token, which the page then asks for',
  ],
  [['--listen', 'here'], "--listen: give an address such as 127.0.0.1, 0.0.0.0 or ::1, not 'here'"],
  [
    ['--listen', '203.0.113.7', '--token', 'a'],
    expect.stringMatching(/^the page cannot listen at 203\.0\.113\.7, port 0: .*EADDRNOTAVAIL/),
  ],
  [['--token', 'a b'], '--token: give 1 to 200 letters, digits or any of - . _ ~'],
  [['--page', '65536'], "--page: give a whole number from 0 to 65535, or off, not '65536'"],
  [['--etcd', 'on'], "--etcd: give a whole number from 0 to 65535, or off, not 'on'"],
  [['--page', 'off', '--open'], '--open: there is no page to open with --page off'],
])('%j is refused in one line', async (flags, line) => {
  const { code, stdout, stderr, left } = await run(['sandbox', ...flags])
  expect([code, stdout, left]).toEqual([2, '', []])
  expect(stderr.replace(/^raftbox: /, '').trimEnd()).toEqual(line)
})

test('a recording holds frames, and is still explained', async () => {
  const file = join(temporaryFolder(), 'run.story')
  await run(['sandbox', '--nodes', '1', '--record', file], 'put a 1\nkill 1\nrestart 1\nput a 2\n')
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines.filter((line) => line.startsWith('{"frame":')).length).toBeGreaterThan(0)
  expect(await run(['explain', file, 'election'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/won/),
  })
})
