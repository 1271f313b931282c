/** The session of a handle: commands that are sent again after an unknown outcome, to nodes that the test plays. */
import { expect, test, vi } from 'vitest'
import { Caller } from '../../src/cluster/caller.js'
import { readSessionHeader } from '../../src/machine/index.js'
import type { ClientRequest } from '../../src/transport/index.js'
import { Nodes, nodesLedBy, packed } from './nodes.js'

/** The place of a call in its session: session and sequence. */
function placeOf(nodes: Nodes, { request }: ClientRequest) {
  const call = nodes.calls.get(request)
  return { session: call?.session, sequence: call?.sequence }
}

function answer(nodes: Nodes, { request }: ClientRequest, result: string): void {
  nodes.settle({ request, outcome: 'applied', index: 7, count: 1 }, result)
}

const doubts: Record<string, (nodes: Nodes, request: ClientRequest) => void> = {
  'whose node is gone': (nodes) => {
    nodes.leaderId = 2
    nodes.client.detach(1, 'node 1 was killed')
  },
  'at a node that leads no more': (nodes) => {
    nodes.leaderId = 2
    nodes.client.leaderChanged()
  },
  'of which the node does not know': (nodes, { request }) =>
    nodes.settle({ request, outcome: 'unknown', why: 'a snapshot' }),
  'that lost its place in the log': (nodes, { request }) =>
    nodes.settle({ request, outcome: 'refused', code: 'replaced', leaderId: 2 }),
  'for which the session had no room': (nodes, { request }) => {
    nodes.status = 'full'
    nodes.settle({ request, outcome: 'applied', index: 1, count: 1 }, '')
    nodes.status = 'applied'
  },
}

test.each(Object.keys(doubts))('[OU9] a command %s is sent again as the same call', async (doubt) => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  const first = await nodes.next()
  const place = placeOf(nodes, first)
  doubts[doubt]?.(nodes, first)
  const second = await nodes.next()
  expect(placeOf(nodes, second)).toEqual(place)
  expect(second.frame).toEqual(first.frame)
  answer(nodes, second, 'x')
  expect(await call).toBe('7 x')
})

/** Large enough for a frame of its own. */
const framesOf = (nodes: Nodes, ...commands: readonly string[]): Promise<string>[] =>
  commands.map((command) => nodes.call('propose', command + 'v'.repeat(300 << 10)))

test('[OU9] a leader that answers nothing gets copies of the first command alone: after a quarter of its time, and then after twice as long', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  try {
    const nodes = await nodesLedBy(1, 4000)
    const calls = framesOf(nodes, 'a', 'b', 'c')
    const sent: [number, number | undefined][] = []
    for (let ms = 0; ms < 4000; ms += 20) {
      for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
      for (let next = nodes.tryNext(); next !== undefined; next = nodes.tryNext())
        sent.push([ms, placeOf(nodes, next).sequence])
      vi.advanceTimersByTime(20)
    }
    const [, first = 0] = sent[0] ?? []
    const copies = [1000, 3000].map((ms) => [ms, first])
    expect(sent).toEqual([[0, first], [0, first + 1], [0, first + 2], ...copies])
    for (const call of calls)
      await expect(call).rejects.toMatchObject({
        code: 'UNKNOWN_OUTCOME',
        message: expect.stringContaining('no answer within 4000 ms'),
      })
  } finally {
    vi.useRealTimers()
  }
})

test('[OU9] commands that a node has passed over are sent again at once, and others are not', async () => {
  const nodes = await nodesLedBy(1)
  const calls = framesOf(nodes, 'a', 'b', 'c', 'd', 'e')
  const [a, b, c] = [await nodes.next(), await nodes.next(), await nodes.next()]
  const [d, e] = [await nodes.next(), await nodes.next()]
  answer(nodes, a, 'x')
  answer(nodes, c, 'x')
  const copy = await nodes.next()
  expect(placeOf(nodes, copy)).toEqual(placeOf(nodes, b))
  answer(nodes, d, 'x')
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
  expect(nodes.tryNext(), 'a copy is on its way').toBeUndefined()
  // The answer to a copy passes over what was sent before the copy.
  answer(nodes, copy, 'x')
  const last = await nodes.next()
  expect(placeOf(nodes, last)).toEqual(placeOf(nodes, e))
  answer(nodes, e, 'x')
  expect(await Promise.all(calls)).toEqual(Array(5).fill('7 x'))
  expect(nodes.tryNext()).toBeUndefined()
})

test('[OU9] a command from inside of the cluster passes over none from outside, nor the other way round', async () => {
  const nodes = await nodesLedBy(1)
  const inside = new Caller(nodes.client, 'inside')
  const first = nodes.call('propose', 'a')
  const one = await nodes.next()
  const second = nodes.call('propose', 'b', inside)
  const other = await nodes.next()
  const third = nodes.call('propose', 'c')
  const last = await nodes.next()
  answer(nodes, other, 'x')
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
  expect(nodes.tryNext()).toBeUndefined()
  answer(nodes, last, 'x')
  const copy = await nodes.next()
  expect(placeOf(nodes, copy)).toEqual(placeOf(nodes, one))
  answer(nodes, copy, 'x')
  expect(await Promise.all([first, second, third])).toEqual(['7 x', '7 x', '7 x'])
})

test('[OU9] commands that are sent again keep the order of their calls', async () => {
  const nodes = await nodesLedBy(1)
  const calls = framesOf(nodes, 'a', 'b', 'c')
  for (const _ of calls) await nodes.next()
  nodes.leaderId = 2
  nodes.client.detach(1, 'node 1 was killed')
  const again = [await nodes.next(), await nodes.next(), await nodes.next()]
  const sequences = again.map((request) => placeOf(nodes, request).sequence ?? 0)
  expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
  for (const request of again) answer(nodes, request, 'x')
  expect(await Promise.all(calls)).toEqual(['7 x', '7 x', '7 x'])
})

test('[OU9] each call tells from which call on the client waits for answers', async () => {
  const nodes = await nodesLedBy(1)
  const first = nodes.call('propose', 'a')
  const one = await nodes.next()
  const second = nodes.call('propose', 'b')
  const two = await nodes.next()
  const sequence = placeOf(nodes, one).sequence ?? 0
  expect(nodes.calls.get(two.request)).toMatchObject({ sequence: sequence + 1, firstOutstanding: sequence })
  answer(nodes, one, 'x')
  await first
  const third = nodes.call('propose', 'c')
  const three = await nodes.next()
  expect(nodes.calls.get(three.request)).toMatchObject({
    sequence: sequence + 2,
    firstOutstanding: sequence + 1,
  })
  answer(nodes, two, 'y')
  answer(nodes, three, 'z')
  await Promise.all([second, third])
})

test('[OU9] no more calls are on their way than the session remembers from the first without an answer on', async () => {
  const nodes = await nodesLedBy(1)
  const stuck = nodes.call('propose', 'stuck')
  const first = await nodes.next()
  const { sequence } = placeOf(nodes, first)
  /** The next request but for copies of the call that is stuck. */
  const nextOther = async (): Promise<ClientRequest> => {
    for (;;) {
      const request = await nodes.next()
      if (placeOf(nodes, request).sequence !== sequence) return request
    }
  }
  for (let call = 1; call < 1024; call++) {
    const next = nodes.call('propose', 'x')
    answer(nodes, await nextOther(), 'x')
    await next
  }
  const waiting = nodes.call('propose', 'one too many')
  const query = nodes.call('read', 'q')
  const asked = await nextOther()
  expect(asked.type).toBe('read')
  nodes.answerRead(asked, 'r')
  expect(await query).toBe('0 r')
  answer(nodes, first, 'at last')
  expect(await stuck).toBe('7 at last')
  answer(nodes, await nextOther(), 'y')
  expect(await waiting).toBe('7 y')
})

test('[OU10] a request for a session that is lost is sent again, and queries do not wait for it', async () => {
  const nodes = new Nodes()
  nodes.answersRegistrations = false
  nodes.add(1)
  nodes.add(2)
  nodes.leaderId = 1
  const call = nodes.call('propose', 'a')
  const query = nodes.call('read', 'q')
  const asked = [await nodes.next(), await nodes.next()]
  expect(asked.map(({ type, frame }) => readSessionHeader(frame)?.op ?? type)).toEqual(['register', 'read'])
  nodes.answersRegistrations = true
  nodes.leaderId = 2
  nodes.client.detach(1, 'node 1 was killed')
  const again = [await nodes.next(), await nodes.next()]
  for (const request of again) {
    if (request.type === 'read') nodes.answerRead(request, 'r')
    else answer(nodes, request, 'x')
  }
  expect(await Promise.all([call, query])).toEqual(['7 x', '0 r'])
})

test('[OU10] a session comes of the first answer, also where each answer takes longer than a request for a session waits', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  try {
    const nodes = new Nodes(4000)
    nodes.answersRegistrations = false
    nodes.add(1)
    nodes.leaderId = 1
    const call = nodes.call('propose', 'a')
    const asked: [number, ClientRequest][] = []
    for (let ms = 0; ms < 3600; ms += 20) {
      for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
      for (let next = nodes.tryNext(); next !== undefined; next = nodes.tryNext()) asked.push([ms, next])
      vi.advanceTimersByTime(20)
    }
    expect(asked.map(([ms]) => ms)).toEqual([0, 1020, 3040])
    const [first, second] = asked.map(([, request]) => request)
    if (first === undefined || second === undefined) return expect.fail()
    nodes.register(first, 11)
    const sent = await nodes.next()
    expect(placeOf(nodes, sent).session).toBe(11)
    // The session of a later answer is never used.
    nodes.register(second, 12)
    answer(nodes, sent, 'x')
    expect(await call).toBe('7 x')
    const later = nodes.call('propose', 'b')
    const last = await nodes.next()
    expect(placeOf(nodes, last).session).toBe(11)
    answer(nodes, last, 'y')
    expect(await later).toBe('7 y')
  } finally {
    vi.useRealTimers()
  }
})

test('[OU10][OU2] a command for which no session was registered in time did not happen', async () => {
  const nodes = new Nodes(300)
  nodes.answersRegistrations = false
  nodes.add(1)
  nodes.leaderId = 1
  await expect(nodes.call('propose', 'a')).rejects.toMatchObject({
    code: 'NO_SESSION',
    mayHaveHappened: 'no',
  })
})

test('[OU11] a call goes on in another session if the one it was sent in had expired before', async () => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  const first = await nodes.next()
  nodes.status = 'expired'
  answer(nodes, first, '')
  nodes.status = 'applied'
  const second = await nodes.next()
  expect(placeOf(nodes, second)).toEqual({ session: 2, sequence: 1 })
  answer(nodes, second, 'x')
  expect(await call).toBe('7 x')
})

test('[OU1][OU11] a call that is in doubt when its session expires is told as unknown, and is never sent in another one', async () => {
  const nodes = await nodesLedBy(1)
  const doubted = nodes.call('propose', 'a')
  const [first] = [await nodes.next()]
  nodes.settle({ request: first.request, outcome: 'unknown', why: 'a snapshot' })
  const second = await nodes.next()
  nodes.status = 'expired'
  answer(nodes, second, '')
  nodes.status = 'applied'
  await expect(doubted).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
  const next = nodes.call('propose', 'b')
  const third = await nodes.next()
  expect(placeOf(nodes, third)).toEqual({ session: 2, sequence: 1 })
  expect(third.frame).not.toEqual(first.frame)
  answer(nodes, third, 'y')
  expect(await next).toBe('7 y')
})

test('[OU11] a call that waits to be sent again when another one finds the session expired is told as unknown', async () => {
  const nodes = await nodesLedBy(1)
  const [one, other] = [nodes.call('propose', 'a'.repeat(300 << 10)), nodes.call('propose', 'b')]
  const [first, second] = [await nodes.next(), await nodes.next()]
  nodes.leaderId = undefined
  nodes.settle({ request: first.request, outcome: 'unknown', why: 'a snapshot' })
  nodes.status = 'expired'
  answer(nodes, second, '')
  nodes.status = 'applied'
  nodes.leaderId = 1
  nodes.client.leaderChanged()
  await expect(one).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME', mayHaveHappened: 'maybe' })
  answer(nodes, await nodes.next(), 'y')
  expect(await other).toBe('7 y')
})

test('[OU1] an answer that the session keeps no longer leaves the outcome unknown', async () => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  nodes.status = 'forgotten'
  answer(nodes, await nodes.next(), '')
  await expect(call).rejects.toMatchObject({
    code: 'UNKNOWN_OUTCOME',
    message: expect.stringContaining('no longer kept'),
  })
})

test('[OU12] a late answer to an earlier copy is the answer to the call', async () => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  const first = await nodes.next()
  nodes.leaderId = 2
  nodes.client.leaderChanged()
  await nodes.next()
  nodes.say(
    { settled: [{ request: first.request, outcome: 'applied', index: 7, count: 1 }], results: packed(['x']) },
    1,
  )
  expect(await call).toBe('7 x')
})

test('[OU9] a command of which an earlier copy is lost is not sent again while a later copy is on its way', async () => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  const first = await nodes.next()
  nodes.leaderId = 2
  nodes.client.leaderChanged()
  const second = await nodes.next()
  const lost = { request: first.request, outcome: 'refused', code: 'replaced', leaderId: 2 } as const
  nodes.say({ settled: [lost], results: packed([]) }, 1)
  const next = nodes.call('propose', 'b')
  const third = await nodes.next()
  expect(placeOf(nodes, third)).not.toEqual(placeOf(nodes, second))
  answer(nodes, second, 'x')
  answer(nodes, third, 'y')
  expect(await Promise.all([call, next])).toEqual(['7 x', '7 y'])
})

test('[OU12] an answer may come while the call waits to be sent again', async () => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  const first = await nodes.next()
  nodes.leaderId = undefined
  nodes.settle({ request: first.request, outcome: 'unknown', why: 'a snapshot' })
  answer(nodes, first, 'x')
  expect(await call).toBe('7 x')
  nodes.leaderId = 1
  nodes.client.leaderChanged()
  const next = nodes.call('propose', 'b')
  const second = await nodes.next()
  expect(second.frame.bytes).not.toEqual(first.frame.bytes)
  answer(nodes, second, 'y')
  expect(await next).toBe('7 y')
})
