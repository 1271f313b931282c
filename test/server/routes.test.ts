import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ErrorCode, errors, RaftError } from '../../src/cluster/index.js'
import type { Rooms } from '../../src/server/rooms.js'
import { appOf } from '../../src/server/routes.js'
import { verbs } from '../../src/verbs/index.js'
import { Served } from './served.js'

test('the page and its two files are served, and nothing else of the disk', async () => {
  const served = await Served.start()
  const types = ['/', '/page.js', '/page.css'].map(async (path) => {
    const response = await served.get(path)
    return [response.status, response.headers.get('content-type')?.split(';')[0]]
  })
  expect(await Promise.all(types)).toEqual([
    [200, 'text/html'],
    [200, 'text/javascript'],
    [200, 'text/css'],
  ])
  for (const path of [
    '/index.html',
    '/..%2fserver%2fserver.js',
    '/../server/server.js',
    '/%2e%2e/package.json',
    '/page.js/../../package.json',
    '//etc/passwd',
    '/.%2f..%2f..%2fpackage.json',
    '/page.js%00',
  ])
    expect(await served.raw('GET', path, { host: `127.0.0.1:${served.server.port}` })).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
    })
})

test('every answer forbids what a page of another site could do with it', async () => {
  const served = await Served.start()
  for (const path of ['/', '/api/status', '/nothing']) {
    const { headers } = await served.get(path)
    expect(headers.get('content-security-policy')).toMatch(/default-src 'self'.*frame-ancestors 'none'/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  }
  expect((await served.get('/api/status')).headers.get('cache-control')).toBe('no-store')
})

test('a line is answered as at the prompt, with its words', async () => {
  const served = await Served.start()
  const index = expect.any(Number)
  expect(await served.do('put a one two')).toEqual({
    ...{ status: 200, ok: true, index, revision: 1 },
    words: expect.stringMatching(/^applied at index \d+, revision 1$/),
  })
  expect(await served.do('get a\r\n')).toMatchObject({ ok: true, value: 'one two' })
  expect(await served.do('')).toEqual({ status: 200, ok: true, words: '' })
  expect(await served.do('help put')).toMatchObject({ ok: true, verbs: [{ name: 'put' }] })
  expect(await served.do('events off')).toMatchObject({ ok: true, events: 'off' })
})

test('no file is written for a line that came over HTTP', async () => {
  const served = await Served.start()
  const file = join(served.cluster.dir, 'taken')
  expect(await served.do(`snapshot leader ${file}`)).toMatchObject({ status: 400, code: 'BAD_INPUT' })
  expect(existsSync(file)).toBe(false)
})

test('a line that is refused has the code and the words of the prompt, and has changed nothing', async () => {
  const served = await Served.start()
  await served.do('put a 1')
  const before = await served.json('/api/status')
  expect(await served.do('pot')).toEqual({
    ...{ status: 400, ok: false, code: 'BAD_INPUT' },
    message: "there is no verb 'pot' (did you mean put?); help lists all",
  })
  expect(await served.do('kill 9')).toEqual({
    ...{ status: 409, ok: false, code: 'INVALID_FAULT' },
    message: expect.stringMatching(/^target 9: there is node 1, /),
  })
  expect(await served.do('promote 1')).toMatchObject({ status: 409, code: 'INVALID_CHANGE' })
  expect(await served.do('restart 1')).toMatchObject({ status: 409, code: 'INVALID_FAULT' })
  expect(await served.do('log 1 --follow')).toMatchObject({ status: 400, code: 'BAD_INPUT' })
  for (const [line, message] of [
    ['put b 1\nput c 1', 'the body has more than one line; give one line a request'],
    [Buffer.from('put b \xff', 'latin1'), 'line 1, column 7: byte 0xff is not UTF-8; give the line in UTF-8'],
    [`put b ${'x'.repeat(1 << 20)}`, 'line 1: the line has more than 1048576 bytes; put less on a line'],
  ] as const)
    expect(await served.do(line)).toEqual({ status: 400, ok: false, code: 'BAD_INPUT', message })
  expect(await served.json('/api/status')).toEqual(before)
})

test('each error of the cluster is told by its code, and an unknown outcome as unknown', async () => {
  const served = await Served.start()
  const failing = (code: ErrorCode) => {
    served.subject.put = () => Promise.reject(new RaftError(code, { why: 'of a test' }))
    return served.do('put a 1')
  }
  for (const code of Object.keys(errors) as ErrorCode[])
    expect(await failing(code)).toMatchObject({ status: expect.any(Number), ok: false, code })
  for (const code of ['STOPPED', 'INVALID_FAULT', 'INVALID_CHANGE'] as const)
    expect(await failing(code)).toMatchObject({ status: 409 })
  expect(await failing('UNKNOWN_OUTCOME')).toEqual({
    ...{ status: 504, ok: false, code: 'UNKNOWN_OUTCOME' },
    message: 'the call may or may not have taken effect (look before you try again): of a test',
  })
  expect(await failing('OVERLOADED')).toMatchObject({ status: 429 })
  expect(await failing('NO_LEADER')).toMatchObject({ status: 503 })
  expect(await failing('INVALID_COMMAND')).toMatchObject({ status: 400 })
})

test('only text is a line', async () => {
  const served = await Served.start()
  const ask = (type?: string) =>
    served.raw('POST', '/api/do', type === undefined ? {} : { 'content-type': type }, Buffer.from('put a 1'))
  expect(await ask('application/json')).toMatchObject({ status: 415, code: 'WRONG_TYPE' })
  expect(await ask('application/x-www-form-urlencoded')).toMatchObject({ status: 415 })
  expect(await ask()).toMatchObject({ status: 415 })
  for (const type of ['text/plain;charset=UTF-8', 'Text/Plain; format=flowed; charset="utf8"'])
    expect(await ask(type)).toMatchObject({ status: 200, ok: true })
})

test.each(['/api/do', '/api/scenarios/run'])(
  'a line in another charset or encoding is refused, and nothing is done (%s)',
  async (path) => {
    const served = await Served.start()
    const ask = (headers: Record<string, string>) =>
      served.raw('POST', path, { 'content-type': 'text/plain', ...headers }, Buffer.from('put a 1'))
    const refused = { status: 415, ok: false, code: 'WRONG_TYPE' }
    for (const charset of ['utf-16', '"ISO-8859-1"', 'latin1'])
      expect(await ask({ 'content-type': `text/plain; charset=${charset}` })).toMatchObject({
        ...refused,
        message: `give the line as UTF-8, not as ${charset.replaceAll('"', '').toLowerCase()}`,
      })
    for (const encoding of ['gzip', 'br', 'identity, gzip'])
      expect(await ask({ 'content-encoding': encoding })).toMatchObject({
        ...refused,
        message: expect.stringMatching(/^give the line as it is, not in Content-Encoding (gzip|br)$/),
      })
    expect(await ask({ 'content-encoding': 'identity' })).not.toMatchObject({ status: 415 })
    expect(await served.cluster.get('a')).toEqual(path === '/api/do' ? expect.anything() : undefined)
  },
)

test('quit is answered, and then told to who started the server', async () => {
  const served = await Served.start()
  expect(await served.do('quit')).toMatchObject({ status: 200, ok: true })
  while (served.quits === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(served.quits).toBe(1)
})

test('status tells what the verb tells, and who leads', async () => {
  const served = await Served.start({ nodes: 3 })
  await served.do('cut 1->2')
  const { ok, words, status, nodes, ...data } = await served.do('status')
  const { nodes: told, leaderId, ...others } = await served.json('/api/status')
  expect(others).toEqual({ ...data, dir: served.cluster.dir })
  expect([leaderId, told]).toEqual([expect.toBeOneOf([1, 2, 3, null]), expect.any(Array)])
  expect(data['faults']).toMatchObject([{ line: 'cut 1->2' }])
})

test('all verbs are listed with their words, and lines are completed', async () => {
  const served = await Served.start()
  const { verbs: told } = (await served.json('/api/verbs')) as { verbs: { name: string }[] }
  expect(told.map(({ name }) => name)).toEqual(verbs.map(({ name }) => name))
  expect(told.find(({ name }) => name === 'delay')).toMatchObject({
    usage: 'delay LINK DURATION [jitter DURATION] [MESSAGE] [for DURATION]',
    slots: [
      { kind: 'link', as: 'link', isOptional: false },
      { kind: 'duration', as: 'delayMs' },
    ],
    suffixes: [
      { word: 'jitter', as: 'jitterMs' },
      { as: 'messages', words: expect.arrayContaining(['heartbeat']) },
      { word: 'for', as: 'forMs' },
    ],
  })
  expect(await served.json('/api/complete?line=kill%20le')).toEqual({ offers: ['leader '], typed: 'le' })
  expect(await served.json('/api/complete')).toMatchObject({ typed: '' })
})

test('entries of a log are told, and a place that is none is refused', async () => {
  const served = await Served.start()
  await served.do('put a 1')
  const { log } = (await served.json('/api/log?node=1&from=1&to=2')) as { log: { entries: object[] } }
  expect(log.entries).toMatchObject([{ index: 1, term: 1 }, { index: 2 }])
  for (const query of ['', '?node=x', '?node=9', '?node=1&from=-1', '?node=1&from=2&to=1'])
    expect(await served.raw('GET', `/api/log${query}`)).toMatchObject({ status: 400, ok: false })
})

test('a picture of a stretch of time is drawn, and a stretch that is none is refused', async () => {
  const served = await Served.start()
  await served.do('put a 1')
  const drawn = await served.get('/api/picture')
  expect(drawn.headers.get('content-disposition')).toBeNull()
  expect(await served.raw('HEAD', '/api/picture')).toMatchObject({ status: 405 })
  expect(drawn.headers.get('content-type')).toBe('image/svg+xml')
  expect(await drawn.text()).toMatch(/^<svg .*leads term 1/s)
  for (const query of ['?since=x', '?since=9000000000000', '?until=1', '?since=2&until=2'])
    expect(await served.raw('GET', `/api/picture${query}`)).toMatchObject({ status: 400, code: 'BAD_INPUT' })
})

test('what is not there is told in one line', async () => {
  const served = await Served.start()
  expect(await served.raw('GET', '/api/nothing')).toEqual({
    ...{ status: 404, ok: false, code: 'NOT_FOUND' },
    message: 'there is no GET /api/nothing',
  })
  expect(await served.raw('DELETE', '/api/nothing')).toMatchObject({ status: 404, code: 'NOT_FOUND' })
})

test('a path that takes other methods names them, in the line and in the header', async () => {
  const served = await Served.start()
  for (const [method, path, allow] of [
    ['DELETE', '/api/status', 'GET'],
    ['POST', '/', 'GET'],
    ['GET', '/api/do', 'POST'],
    ['PUT', '/api/scenarios/run?x=1', 'POST, DELETE, GET'],
    ['OPTIONS', '/metrics', 'GET'],
  ] as const) {
    const response = await served.get(path, { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow])
    const message = `${path.split('?')[0]} takes ${allow.replaceAll(',', ' or')}, not ${method}`
    expect(await response.json()).toEqual({ ok: false, code: 'WRONG_METHOD', message })
  }
  for (const path of ['/api/events', '/api/do']) {
    const { status, headers } = await served.get(path, { method: 'HEAD' })
    expect([status, headers.get('allow')]).toEqual([405, path === '/api/do' ? 'POST' : 'GET'])
  }
})

test('the figures of the cluster are told as Prometheus reads them, with what readers were not sent', async () => {
  const served = await Served.start()
  const response = await served.get('/metrics')
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const text = await response.text()
  expect(text).toMatch(/^etcd_server_has_leader\{node="1"\} [01]$/m)
  for (const what of ['frames', 'events'])
    expect(text).toMatch(new RegExp(`^raftbox_dropped_total\\{what="${what}"\\} 0$`, 'm'))
})

test('the guide lists every route', () => {
  const guide = readFileSync('docs/http.md', 'utf8')
  const listed = [...guide.matchAll(/`([A-Z]+) (\/[^`?]*)/g)].map(([, method, path]) => `${method} ${path}`)
  const { routes } = appOf({ metrics: {} } as Rooms)
  expect(new Set(listed)).toEqual(new Set(routes.map(({ method, path }) => `${method} ${path}`)))
})
