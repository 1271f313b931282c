/** The figures of a running sandbox on standard output, and what is told when there are none. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run, type Started, start, temporaryFolder } from './raftbox.js'

async function sandbox(args: readonly string[]): Promise<{ readonly page: string } & Started> {
  const started = start(['sandbox', '--json', '--nodes', '1', ...args], null)
  const [line] = await started.said(/\{"ready":true.*\n/)
  return { ...started, page: (JSON.parse(line) as { page: string }).page }
}

test('the figures of a running sandbox are found by its page and by its directory', async () => {
  const dir = join(temporaryFolder(), 'kept')
  const { page, child, ended } = await sandbox(['--dir', dir, '--listen', '127.0.0.2'])
  expect(page).toContain('127.0.0.2')
  for (const where of [
    ['--url', page],
    ['--dir', dir],
  ]) {
    const { code, stdout, stderr } = await run(['metrics', ...where])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^etcd_server_is_leader\{node="1"\} 1$/m)
  }
  child.stdin?.end()
  expect(await ended).toMatchObject({ code: 0 })
  const { code, stdout, stderr } = await run(['metrics', '--dir', dir])
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toBe(
    `raftbox: no sandbox answers at ${page.slice(0, -1)}: is it running, and is this the address of its page?\n`,
  )
})

test('a token is taken from the address of the page, or by itself', async () => {
  const { page, child, ended } = await sandbox(['--listen', '0.0.0.0', '--token', 'open.Sesame'])
  const { origin } = new URL(page)
  expect(await run(['metrics', '--url', origin])).toMatchObject({
    ...{ code: 2, stdout: '' },
    stderr: `raftbox: the page at ${origin} asks for a token: give it with --token\n`,
  })
  expect(await run(['metrics', '--url', origin, '--token', 'open.sesame'])).toMatchObject({
    ...{ code: 2, stdout: '' },
    stderr: `raftbox: --token: the page at ${origin} has another token\n`,
  })
  for (const where of [[page], [origin, '--token', 'open.Sesame']])
    expect(await run(['metrics', '--url', ...where])).toMatchObject({ code: 0, stderr: '' })
  child.stdin?.end()
  expect(await ended).toMatchObject({ code: 0 })
})

test('another program is told from a sandbox', async () => {
  const server = createServer((_, response) => response.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  expect(await run(['metrics', '--url', url])).toMatchObject({
    ...{ code: 1, stdout: '' },
    stderr: `raftbox: ${url} is no page of a sandbox: it answered 200 to GET /metrics\n`,
  })
})

test.each([
  [[], /^raftbox: whose\? give the address of a page with --url/],
  [['--url', 'here'], /^raftbox: --url: give the address of a page, such as .* not 'here'\n$/],
  [['--url', 'file:///etc/passwd'], /^raftbox: --url: give the address of a page/],
  [['--url', 'http://127.0.0.1:1', '--dir', 'x'], /^raftbox: give --url or --dir, not both\n$/],
  [['--dir', 'not-there'], /^raftbox: not-there remembers no page: give the address/],
])('%j is refused in one line', async (flags, line) => {
  const { code, stdout, stderr } = await run(['metrics', ...flags])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(line)
})
