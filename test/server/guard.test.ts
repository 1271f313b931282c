import { Server } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { checkRequest, hostOf } from '../../src/server/guard.js'
import { PageServer } from '../../src/server/index.js'
import { Served } from './served.js'

const line = { 'content-type': 'text/plain' }

test('a request is answered at the address and at localhost, and under no other name', async () => {
  const served = await Served.start()
  const { port } = served.server
  const ask = (host: string) => served.raw('GET', '/api/status', { host })
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`])
    expect(await ask(host)).toMatchObject({ status: 200 })
  for (const host of [
    '127.0.0.1',
    `evil.example:${port}`,
    `127.0.0.1.evil.example:${port}`,
    `127.0.0.1:${port + 1}`,
  ])
    expect(await ask(host)).toMatchObject({ status: 403, code: 'FOREIGN_ORIGIN' })
})

test('an IPv6 address is known however it was spelled, and without the port where browsers leave it out', () => {
  const isKnown = (address: string, host: string, port = 7007): boolean => {
    try {
      checkRequest({ headers: { host } }, { address, port, token: undefined })
      return true
    } catch {
      return false
    }
  }
  for (const address of ['::1', '0:0:0:0:0:0:0:1', '0::1']) {
    expect(hostOf({ address, port: 7007 })).toBe('[::1]:7007')
    expect(isKnown(address, '[::1]:7007')).toBe(true)
  }
  expect(isKnown('FD00::1', '[fd00::1]:7007')).toBe(true)
  expect(isKnown('FD00::1', '[fd00::2]:7007')).toBe(false)
  expect(isKnown('fe80::1%eth0', '[fe80::1]:7007')).toBe(true)
  expect(isKnown('::1', '[::1]', 80)).toBe(true)
  expect(isKnown('::1', '[::1]')).toBe(false)
  expect(isKnown('::0', 'box.lan:7007')).toBe(true)
  expect(hostOf({ address: '::0', port: 7007 })).toBe('[::1]:7007')
})

test('a page of another site can neither act nor read, and leads here only by a link to the page', async () => {
  const served = await Served.start()
  const own = `http://127.0.0.1:${served.server.port}`
  const put = (headers: Record<string, string>) =>
    served.raw('POST', '/api/do', { ...line, ...headers }, Buffer.from('put a 1'))
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1', own.replace('http', 'https')])
    expect(await put({ origin })).toMatchObject({ status: 403, code: 'FOREIGN_ORIGIN' })
  for (const site of ['cross-site', 'same-site'])
    expect(await put({ 'sec-fetch-site': site })).toMatchObject({ status: 403, code: 'FOREIGN_ORIGIN' })
  const { entries } = await served.cluster.range()
  expect(entries).toEqual([])
  expect(await put({ origin: own, 'sec-fetch-site': 'same-origin' })).toMatchObject({ status: 200 })

  const get = (path: string, headers: Record<string, string>) => served.raw('GET', path, headers)
  expect(await get('/', { 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 200 })
  expect(await get('/api/events', { 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 })
  expect(await get('/page.js', { origin: 'http://evil.example' })).toMatchObject({ status: 403 })
})

test('with a token, nothing is told without it', async () => {
  const served = await Served.start({ nodes: 1 }, { token: 'open.Sesame' })
  const ask = (path: string, headers: Record<string, string> = {}) => served.raw('GET', path, headers)
  for (const path of ['/', '/page.js', '/api/status', '/api/events', '/api/record', '/metrics', '/nothing'])
    expect(await ask(path)).toMatchObject({ status: 401, code: 'TOKEN_NEEDED' })
  expect(await served.do('put a 1')).toMatchObject({ status: 401 })
  for (const [path, authorization] of [
    ['/api/status', 'Bearer open.Sesam'],
    ['/api/status', 'open.Sesame'],
    ['/api/status?token=', ''],
    ['/api/status?token=open.Sesame2', ''],
  ] as const)
    expect(await ask(path, { authorization })).toMatchObject({ status: 401 })
  expect(await ask('/api/status', { authorization: 'Bearer open.Sesame' })).toMatchObject({ status: 200 })
  expect(await ask('/api/status?token=open.Sesame')).toMatchObject({ status: 200 })
  expect(await ask('/api/complete?line=put%20a?&token=open.Sesame')).toMatchObject({ status: 200 })
})

test('a browser that showed the token once needs it no more', async () => {
  const served = await Served.start({ nodes: 1 }, { token: 'open.Sesame' })
  const cookie = (await served.get('/?token=open.Sesame')).headers.get('set-cookie') ?? ''
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict/)
  const [pair = ''] = cookie.split(';')
  expect(await served.raw('GET', '/page.js', { cookie: `a=b; ${pair}` })).toMatchObject({ status: 200 })
  expect(await served.raw('GET', '/page.js', { cookie: `${pair}x` })).toMatchObject({ status: 401 })
})

test('at all addresses of the machine, every name is taken with the token', async () => {
  const served = await Served.start({ nodes: 1 }, { address: '0.0.0.0', token: 'open.Sesame' })
  const ask = (headers: Record<string, string>) =>
    served.raw('GET', '/api/status', { host: 'box.lan', ...headers })
  expect(await ask({})).toMatchObject({ status: 401 })
  expect(await ask({ authorization: 'Bearer open.Sesame' })).toMatchObject({ status: 200 })
})

test('a connection that cannot be accepted ends nothing', async () => {
  const listening = vi.spyOn(Server.prototype, 'listen')
  onTestFinished(() => listening.mockRestore())
  const { server } = await Served.start()
  const [listener] = listening.mock.contexts as Server[]
  listener?.emit('error', new Error('accept EMFILE'))
  expect(listening).toHaveBeenCalledOnce()
  expect((await fetch(`${server.url}api/status`)).status).toBe(200)
})

test('requests wait for a cluster that starts, and are ended when none comes', async () => {
  const server = await PageServer.listen({ address: '127.0.0.1', port: 0, token: undefined })
  const waiting = fetch(`${server.url}api/status`)
  const refused = await fetch(`${server.url}api/status`, { headers: { origin: 'http://evil.example' } })
  expect(refused.status).toBe(403)
  await server.close()
  await expect(waiting).rejects.toThrow()
})
