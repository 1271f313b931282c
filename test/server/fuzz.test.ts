/** Requests by strangers: whatever they send, each has an answer of a known kind, and nothing has changed. */
import { createConnection } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errors } from '../../src/cluster/index.js'
import { parse } from '../../src/verbs/index.js'
import { Served } from './served.js'

const codes = new Set([
  ...Object.keys(errors),
  ...['BAD_INPUT', 'FAILED', 'TOKEN_NEEDED', 'FOREIGN_ORIGIN', 'NOT_FOUND', 'WRONG_METHOD', 'WRONG_TYPE'],
  ...['RUNNING_ALREADY', 'TOO_MANY_READERS'],
])

const paths = [
  ...['/', '/page.js', '/page.css', '/api/status', '/api/verbs', '/api/complete', '/api/do', '/api/log'],
  ...['/api/watch', '/api/scenarios', '/api/scenarios/run', '/api/scenarios/run/frames', '/metrics'],
  ...['/api/scenarios/run/events', '/api/picture'],
]

const word = fc.oneof(
  fc.constantFrom(
    'put',
    'get',
    'kill',
    'cut',
    'delay',
    '1->2',
    '9',
    '10%',
    'for',
    '1s',
    'leader',
    '\0',
    '|',
    'é',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
)

/** Lines that no verb takes: those that one takes may well change something. */
const badLine = fc
  .array(word, { minLength: 1, maxLength: 6 })
  .map((words) => words.join(' ').replaceAll(/[\r\n]/g, ''))
  .filter(isRefused)

function isRefused(line: string): boolean {
  try {
    parse(line)
    return false
  } catch {
    return true
  }
}

const printable = fc.string({ unit: fc.constantFrom(...'abz09/.%2f\\?&=:;#@*<>"\'~'), maxLength: 30 })

const path = fc
  .tuple(fc.constantFrom(...paths, ''), printable, printable)
  .map(([known, more, query]) => `${known}${more === '' ? '' : `/${more}`}?${query}`)
  .map((text) => (text.startsWith('/') ? text : `/${text}`))

const headers = fc.dictionary(
  fc.constantFrom(
    'host',
    'origin',
    'sec-fetch-site',
    'content-type',
    'authorization',
    'cookie',
    'last-event-id',
  ),
  fc
    .string({ unit: fc.constantFrom(...'abc019:/.-; =,'), minLength: 1, maxLength: 30 })
    .map((text) => text.trim()),
)

async function stateOf(served: Served): Promise<unknown> {
  const { entries } = await served.cluster.range()
  const { faults, membership } = served.cluster
  const nodes = served.cluster.status().map(({ nodeId, state }) => ({ nodeId, state }))
  return { entries, faults, membership, nodes, clients: served.subject.loadClients, quits: served.quits }
}

test('of any method, path, headers and body: a known answer, and nothing changed', async () => {
  const served = await Served.start()
  await served.do('put a 1')
  const before = await stateOf(served)
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND')
  await fc.assert(
    fc.asyncProperty(method, path, headers, fc.uint8Array({ maxLength: 40 }), async (...request) => {
      const [method, path, headers, body] = request
      const isStream = method === 'GET' && /^\/api\/watch(?:\?|$)/.test(path)
      fc.pre(!isStream)
      const sent = method === 'GET' || method === 'HEAD' ? undefined : body
      const { status, code } = await served.raw(method, path, headers, sent)
      expect(status).toBeLessThan(500)
      if (status >= 400 && method !== 'HEAD') expect(codes).toContain(code)
    }),
    { numRuns: 400, seed: 5 },
  )
  expect(await stateOf(served)).toEqual(before)
})

test('of foreign lines, each is refused with the code and the words of the prompt', async () => {
  const served = await Served.start()
  await served.do('put a 1')
  const before = await stateOf(served)
  await fc.assert(
    fc.asyncProperty(badLine, async (line) => {
      const { status, code, message } = await served.do(line)
      expect([status, code]).toEqual([400, 'BAD_INPUT'])
      expect(message).toMatch(/^[^\n]+$/)
    }),
    { numRuns: 300, seed: 6 },
  )
  expect(await stateOf(served)).toEqual(before)
})

test('bytes that are no request at all are answered or cut off, and the server goes on', async () => {
  const served = await Served.start()
  await served.do('put a 1')
  const before = await stateOf(served)
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc.tuple(printable, fc.uint8Array({ maxLength: 60 })).map(([target, rest]) => {
      const head = `GET ${target} HTTP/1.1\r\nhost: 127.0.0.1:${served.server.port}\r\nconnection: close\r\n`
      return Buffer.concat([Buffer.from(head), rest, Buffer.from('\r\n\r\n')])
    }),
    fc
      .constantFrom('GET http://[ HTTP/1.1\r\n\r\n', 'OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n')
      .map(Buffer.from),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      const socket = createConnection(served.server.port, '127.0.0.1')
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.on('error', () => undefined).resume()
      socket.end(sent)
      await closed
    }),
    { numRuns: 200, seed: 7 },
  )
  expect(await stateOf(served)).toEqual(before)
  expect(await served.do('get a')).toMatchObject({ ok: true, value: '1' })
})
