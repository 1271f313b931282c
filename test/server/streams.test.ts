import { createConnection } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { read, Served, type StreamEvent, some } from './served.js'

const numbers = (events: readonly StreamEvent[]) => events.flatMap(({ id }) => id ?? [])

/** Kills the only node and brings it back: some events come of it. */
async function happen(served: Served): Promise<void> {
  await served.cluster.kill(1)
  await served.cluster.restart(1)
  await served.do('put a 1')
}

test('all that happened since the beginning is told, each with its number and its cause', async () => {
  const served = await Served.start()
  await served.do('put a 1')
  const { happened } = served.cluster.story()
  const [head, ...events] = await read(await served.get('/api/events'), some('message', happened.length))
  expect(head).toMatchObject({ event: 'head', data: { run: served.observer.head.run } })
  const told = events.slice(0, happened.length)
  expect(told.map(({ data }) => data)).toEqual(JSON.parse(JSON.stringify(happened)))
  expect(numbers(told)).toEqual(happened.map(({ sequence }) => sequence))
})

test('a reader that comes back goes on where it was: nothing is missed and nothing told twice', async () => {
  const served = await Served.start()
  await happen(served)
  const first = numbers(await read(await served.get('/api/events'), some('message', 3))).slice(0, 3)
  await happen(served)
  const { happened } = served.cluster.story()
  const headers = { 'last-event-id': String(first.at(-1)) }
  const rest = await read(await served.get('/api/events', { headers }), some('message', happened.length - 3))
  const told = [...first, ...numbers(rest)].slice(0, happened.length)
  expect(told).toEqual(happened.map(({ sequence }) => sequence))
  expect(rest.some(({ event }) => event === 'missed')).toBe(false)
})

test('an id that is none begins from the start', async () => {
  const served = await Served.start()
  await served.do('put a 1')
  const headers = { 'last-event-id': '1 or 2' }
  const events = await read(await served.get('/api/events', { headers }), some('message'))
  expect(numbers(events)[0]).toBe(served.cluster.story().happened[0]?.sequence)
})

test('frames begin with a head, and go on with numbers that count up', async () => {
  const served = await Served.start({ nodes: 3 })
  const [head, ...frames] = await read(await served.get('/api/frames'), some('frame', 4))
  expect(head).toMatchObject({ event: 'head', data: { electionTimeoutMs: 500, dir: served.cluster.dir } })
  const [first = 0, ...others] = numbers(frames)
  expect(others).toEqual([first + 1, first + 2, first + 3])
  expect(frames.at(-1)?.data).toMatchObject({ number: first + 3, nodes: [{ nodeId: 1 }, {}, {}] })
})

test('with history, the frames that are kept come first', async () => {
  const served = await Served.start()
  await read(await served.get('/api/frames'), some('frame', 3))
  const [, first] = await read(await served.get('/api/frames?history=1'), some('frame', 1))
  expect(first?.id).toBe(1)
})

test('a stream has no answer without its body, and the 65th reader is told so', async () => {
  const served = await Served.start()
  expect(await served.raw('HEAD', '/api/events')).toMatchObject({ status: 405 })
  const leaving = new AbortController()
  onTestFinished(() => leaving.abort())
  // A response that nobody holds is collected, and its stream ends with it.
  const held: Response[] = []
  while (held.length < 64) held.push(await served.get('/api/events', { signal: leaving.signal }))
  expect(await served.raw('GET', '/api/frames')).toMatchObject({ status: 503, code: 'TOO_MANY_READERS' })
  expect(await served.do('put a 1')).toMatchObject({ ok: true })
  expect(held.map(({ status }) => status)).toEqual(Array(64).fill(200))
  leaving.abort()
  while (
    (await served.get('/api/events', { method: 'GET', signal: AbortSignal.timeout(5000) })).status !== 200
  );
})

test('a close ends all streams and connections at once', async () => {
  const served = await Served.start()
  const frames = await served.get('/api/frames')
  const socket = createConnection(served.server.port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  await served.server.close()
  await expect(frames.text()).rejects.toThrow()
  await ended
  await expect(fetch(served.server.url)).rejects.toThrow()
})

test('changes of keys are told as the leader has them, and as a follower that is cut off has them', async () => {
  const served = await Served.start({ nodes: 3 })
  await served.do('put a1 old')
  await served.do('put b1 other')
  const leaderId = served.cluster.leaderId ?? 0
  const follower = leaderId === 1 ? 2 : 1
  // A node that has not learned since its start how far it is knows no age.
  const knowsItsAge = async () => {
    const { answer, ageMs } = await served.cluster.get('b1', { from: follower, stale: true })
    return answer !== undefined && Number.isFinite(ageMs)
  }
  while (!(await knowsItsAge()));
  await served.do(`isolate ${follower}`)
  await served.do('put a1 new')
  await served.do('put a2 more')
  const put = async (query: string) =>
    (await read(await served.get(`/api/watch?prefix=a${query}`), some('keys')))[0]?.data
  expect(await put('')).toEqual({
    put: [
      { key: 'a1', value: 'new', version: 2, modRevision: 3 },
      { key: 'a2', value: 'more', version: 1, modRevision: 4 },
    ],
    gone: [],
    hasMore: false,
  })
  expect(await put(`&from=${follower}`)).toMatchObject({
    put: [{ key: 'a1', value: 'old' }],
    index: expect.any(Number),
    ageMs: expect.any(Number),
  })
})

test('one stream tells what the leader has and what a node beside it has', async () => {
  const served = await Served.start({ nodes: 3 })
  await served.do('put a 1')
  const isBoth = (events: readonly StreamEvent[]) =>
    new Set(events.flatMap(({ event, data }) => (event === 'keys' ? [data['from']] : []))).size === 2
  const events = await read(await served.get('/api/watch?beside=2'), isBoth)
  const keys = events.filter(({ event }) => event === 'keys').map(({ data }) => data)
  expect(keys).toContainEqual(expect.objectContaining({ from: 2, index: expect.any(Number) }))
  expect(keys).toContainEqual({ put: [expect.objectContaining({ key: 'a' })], gone: [], hasMore: false })
  expect(await served.raw('GET', '/api/watch?beside=9')).toMatchObject({ status: 400, code: 'BAD_INPUT' })
})

test('a watch tells what changed since', async () => {
  const served = await Served.start()
  await served.do('put a 1')
  await served.do('put b 1')
  const state = new Map<unknown, unknown>()
  const isChanged = (events: readonly StreamEvent[]) => {
    for (const { event, data } of events) {
      if (event !== 'keys') continue
      for (const { key, value } of data['put'] as Record<string, unknown>[]) state.set(key, value)
      for (const { key } of data['gone'] as Record<string, unknown>[]) state.delete(key)
    }
    return state.get('a') === '2' && !state.has('b')
  }
  const reading = read(await served.get('/api/watch?prefix='), isChanged)
  await served.do('put a 2')
  await served.do('delete b')
  await reading
  expect([...state]).toEqual([['a', '2']])
})

test('a watch tells once what is in its way', async () => {
  const served = await Served.start({ nodes: 1, requestTimeoutMs: 300 })
  await served.do('put a 1')
  const reading = read(await served.get('/api/watch'), some('trouble'))
  await served.do('kill 1')
  const told = (await reading).at(-1)?.data
  expect(told).toMatchObject({ ok: false, code: expect.stringMatching(/NO_LEADER|READ_TIMEOUT/) })
})

test('a watch of a node that is none is refused', async () => {
  const served = await Served.start()
  for (const from of ['9', 'leader'])
    expect(await served.raw('GET', `/api/watch?from=${from}`)).toMatchObject({
      status: 400,
      code: 'BAD_INPUT',
    })
})
