import { expect, test, vi } from 'vitest'
import { reading, readingOfOne } from '../../src/cluster/readings.js'
import type { RaftError } from '../../src/errors/index.js'
import { ResultBuilder } from '../../src/machine/index.js'
import { Nodes, nodesLedBy } from './nodes.js'

test('[CA3] the calls of one turn travel in one frame, and each gets its own result', async () => {
  const nodes = await nodesLedBy(1)
  const calls = ['a', 'b', 'c'].map((command) => nodes.call('propose', command))
  const { request, frame } = await nodes.next()
  expect(frame.count).toBe(3)
  nodes.settle({ request, outcome: 'applied', index: 7, count: 3 }, 'x', 'y', 'z')
  expect(await Promise.all(calls)).toEqual(['7 x', '8 y', '9 z'])
})

test('[CA7] a full frame leaves at once, and what the turn adds goes behind it', async () => {
  const nodes = await nodesLedBy(1)
  const calls = ['v'.repeat(300 << 10), 'a', 'b'].map((command) => nodes.call('propose', command))
  const [full, rest] = [await nodes.next(), await nodes.next()]
  expect(nodes.messages).toEqual([1, 1])
  expect([full.frame.count, rest.frame.count]).toEqual([1, 2])
  nodes.settle({ request: full.request, outcome: 'applied', index: 7, count: 1 }, 'x')
  nodes.settle({ request: rest.request, outcome: 'applied', index: 8, count: 2 }, 'y', 'z')
  expect(await Promise.all(calls)).toEqual(['7 x', '8 y', '9 z'])
})

/** More than queries wait for when nothing keeps them. */
const manyQueryBytes = 'k'.repeat(13 << 10)

test('[CA7] queries alone leave before their turn is over', async () => {
  const nodes = await nodesLedBy(1)
  const calls = [manyQueryBytes, 'a', 'b'].map((query) => nodes.call('read', query))
  const [ahead, rest] = [await nodes.next(), await nodes.next()]
  expect(nodes.messages).toEqual([1, 1])
  expect([ahead.frame.count, rest.frame.count]).toEqual([1, 2])
  nodes.answerRead(rest, 'y', 'z')
  nodes.answerRead(ahead, 'x')
  expect(await Promise.all(calls)).toEqual(['0 x', '0 y', '1 z'])
})

test('the buffers of answers go back to the nodes once those who asked have read them', async () => {
  const nodes = await nodesLedBy(1)
  const answer = 'x'.repeat(10_000)
  for (let round = 0; round < 3; round++) {
    const calls = ['a', 'b'].map((query) => nodes.call('read', query))
    nodes.answerRead(await nodes.next(), answer, answer)
    expect(await Promise.all(calls)).toEqual([`0 ${answer}`, `1 ${answer}`])
  }
  const write = nodes.call('propose', 'c')
  const { request } = await nodes.next()
  // One with each message, of two answers behind their lengths.
  const bytes = nodes.givenBack[0] ?? 0
  expect(bytes).toBeGreaterThanOrEqual(20_008)
  expect(nodes.givenBack).toEqual([bytes, bytes, bytes])
  nodes.settle({ request, outcome: 'applied', index: 7, count: 1 }, 'y')
  expect(await write).toBe('7 y')
  // Results of commands may be looked at later.
  const last = nodes.call('read', 'd')
  const asked = await nodes.next()
  expect(nodes.givenBack).toEqual([bytes, bytes, bytes])
  // Short answers have a buffer that is not worth its way.
  nodes.answerRead(asked, 'z')
  await last
  const next = nodes.call('read', 'e')
  nodes.answerRead(await nodes.next(), 'z')
  await next
  expect(nodes.givenBack).toEqual([bytes, bytes, bytes])
})

test('a client that is answered by many and asks no more keeps few of their buffers', async () => {
  const nodes = await nodesLedBy(1)
  const calls = Array.from({ length: 9 }, () => nodes.call('read', 'k'.repeat(300 << 10)))
  for (const _ of calls) nodes.answerRead(await nodes.next(), 'x'.repeat(20_000))
  await Promise.all(calls)
  nodes.givenBack.length = 0
  const last = nodes.call('read', 'a')
  nodes.answerRead(await nodes.next(), 'y')
  await last
  expect(nodes.givenBack.length).toBe(4)
})

test('[CA7] queries beside commands wait with them', async () => {
  const nodes = await nodesLedBy(1)
  const command = nodes.call('propose', 'a')
  const queries = [manyQueryBytes, 'b'].map((query) => nodes.call('read', query))
  const [commands, asked] = [await nodes.next(), await nodes.next()]
  expect(nodes.messages).toEqual([2])
  nodes.settle({ request: commands.request, outcome: 'applied', index: 7, count: 1 }, 'x')
  nodes.answerRead(asked, 'y', 'z')
  expect(await Promise.all([command, ...queries])).toEqual(['7 x', '0 y', '1 z'])
})

test('[CA7] queries leave ahead of their turn only while the leader has few requests to answer', async () => {
  const nodes = await nodesLedBy(1)
  const calls = Array.from({ length: 6 }, () => nodes.call('read', manyQueryBytes))
  const counts: number[] = []
  while (counts.length < 5) {
    const asked = await nodes.next()
    const { count } = asked.frame
    counts.push(count)
    nodes.answerRead(asked, ...Array<string>(count).fill('x'))
  }
  expect(counts).toEqual([1, 1, 1, 1, 2])
  await Promise.all(calls)
})

test('[CA4] calls of several commands, and one that fails at its answer, leave the others theirs', async () => {
  const nodes = await nodesLedBy(1)
  const pair = nodes.caller.call(
    reading('propose', 2, (answers) => {
      answers.skip()
      return answers.index
    }),
    (frame) => ['a', 'b'].forEach((command) => void frame.append(Buffer.from(command))),
  )
  const failing = nodes.caller.call(
    readingOfOne('propose', () => {
      throw new Error('not to be read')
    }),
    (frame) => frame.append(Buffer.from('c')),
  )
  const last = nodes.call('propose', 'd')
  const { request, frame } = await nodes.next()
  expect(frame.count).toBe(4)
  nodes.settle({ request, outcome: 'applied', index: 7, count: 4 }, 'w', 'x', 'y', 'z')
  expect(await pair).toBe(8)
  await expect(failing).rejects.toThrow('not to be read')
  expect(await last).toBe('10 z')
})

test('[CA1] a call that cannot be written rejects, and the frame goes without it', async () => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  const broken = nodes.caller.call(
    readingOfOne('propose', () => undefined),
    () => {
      throw new Error('no such command')
    },
  )
  await expect(broken).rejects.toThrow('no such command')
  const { request, frame } = await nodes.next()
  expect(frame.count).toBe(1)
  nodes.settle({ request, outcome: 'applied', index: 1, count: 1 }, 'x')
  expect(await call).toBe('1 x')
})

test('[OU4] a refusal on arrival brings the frame back, and it goes to the next leader', async () => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  const first = await nodes.next()
  const bytes = first.frame.bytes.slice()
  nodes.leaderId = 2
  nodes.settle({
    request: first.request,
    outcome: 'refused',
    code: 'notLeader',
    leaderId: 2,
  })
  const second = await nodes.next()
  expect(second.frame.bytes).toEqual(bytes)
  nodes.settle({ request: second.request, outcome: 'applied', index: 3, count: 1 }, 'x')
  expect(await call).toBe('3 x')
})

test('[OU4] an overloaded leader is asked again', async () => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  const { request } = await nodes.next()
  nodes.settle({ request, outcome: 'refused', code: 'overloaded', leaderId: 1 })
  const again = await nodes.next()
  nodes.settle({ request: again.request, outcome: 'applied', index: 1, count: 1 }, 'x')
  expect(await call).toBe('1 x')
})

test('[OU4] an overloaded leader is asked again after pauses that grow up to a bound, and then told as such', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  try {
    const nodes = await nodesLedBy(1, 2000)
    const call = nodes.call('propose', 'a')
    call.catch(() => undefined)
    const askedAtMs: number[] = []
    let isOver = false
    void call
      .finally(() => {
        isOver = true
      })
      .catch(() => undefined)
    while (!isOver) {
      const asked = nodes.tryNext()
      if (asked === undefined) vi.advanceTimersByTime(1)
      else {
        askedAtMs.push(performance.now())
        const { request } = asked
        nodes.settle({ request, outcome: 'refused', code: 'overloaded', leaderId: 1 })
      }
      // The nodes' ports and the client's turn.
      for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
    }
    const pauses = askedAtMs.slice(1).map((atMs, at) => atMs - askedAtMs[at]!)
    for (const [at, pauseMs] of pauses.entries()) {
      const longest = Math.min(100, 2 * 2 ** at)
      expect(pauseMs).toBeGreaterThanOrEqual(longest / 2)
      expect(pauseMs).toBeLessThanOrEqual(longest + 2)
    }
    expect(pauses.length).toBeGreaterThan(20)
    await expect(call).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: 'too much is waiting already: the leader refused the call for 2000 ms',
      mayHaveHappened: 'no',
    })
  } finally {
    vi.useRealTimers()
  }
})

test('[OU4] a leader that takes something again is soon asked, and a new leader at once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const nodes = await nodesLedBy(1)
    const call = nodes.call('propose', 'a')
    let asked = await nodes.next()
    for (let refusal = 0; refusal < 6; refusal++) {
      nodes.settle({ ...asked, outcome: 'refused', code: 'overloaded', leaderId: 1 })
      vi.advanceTimersByTime(100)
      asked = await nodes.next()
    }
    nodes.settle({ request: asked.request, outcome: 'applied', index: 1, count: 1 }, 'x')
    expect(await call).toBe('1 x')
    const second = nodes.call('propose', 'b')
    nodes.settle({ ...(await nodes.next()), outcome: 'refused', code: 'overloaded', leaderId: 1 })
    // The first pause again.
    vi.advanceTimersByTime(2)
    nodes.settle({ ...(await nodes.next()), outcome: 'refused', code: 'overloaded', leaderId: 1 })
    nodes.leaderId = 2
    nodes.client.leaderChanged()
    nodes.settle({ request: (await nodes.next()).request, outcome: 'applied', index: 2, count: 1 }, 'y')
    expect(await second).toBe('2 y')
  } finally {
    vi.useRealTimers()
  }
})

test('[CA10] requests that a node refused leave again in the order of their calls', async () => {
  const nodes = await nodesLedBy(1)
  const sizes = [301, 302, 303, 304].map((kib) => kib << 10)
  const calls = sizes.slice(0, 3).map((size) => nodes.call('propose', 'v'.repeat(size)))
  const refused = [await nodes.next(), await nodes.next(), await nodes.next()]
  for (const { request } of [refused[1], refused[0], refused[2]] as typeof refused) {
    nodes.settle({ request, outcome: 'refused', code: 'overloaded', leaderId: 1 })
  }
  calls.push(nodes.call('propose', 'v'.repeat(sizes[3] ?? 0)))
  const again = [await nodes.next(), await nodes.next(), await nodes.next(), await nodes.next()]
  const lengths = again.map(({ frame }) => (frame.bytes.byteLength >> 10) << 10)
  expect(lengths).toEqual(sizes)
  for (const [at, { request }] of again.entries()) {
    nodes.settle({ request, outcome: 'applied', index: 1 + at, count: 1 }, 'x')
  }
  expect(await Promise.all(calls)).toEqual(['1 x', '2 x', '3 x', '4 x'])
})

test('[OU2] a command that lost its place in the log until its deadline was certainly not applied', async () => {
  const nodes = await nodesLedBy(1, 300)
  const call = nodes.call('propose', 'a')
  const { request } = await nodes.next()
  nodes.leaderId = undefined
  nodes.settle({ request, outcome: 'refused', code: 'replaced', leaderId: undefined })
  await expect(call).rejects.toMatchObject({ code: 'REPLACED', mayHaveHappened: 'no', isRetryable: true })
})

test('[OU1] an outcome that the node does not know is not known at the deadline', async () => {
  const nodes = await nodesLedBy(1, 300)
  const call = nodes.call('propose', 'a')
  const { request } = await nodes.next()
  nodes.leaderId = undefined
  nodes.settle({ request, outcome: 'unknown', why: 'a snapshot' })
  await expect(call).rejects.toMatchObject({
    code: 'UNKNOWN_OUTCOME',
    message: expect.stringContaining('a snapshot'),
    mayHaveHappened: 'maybe',
  })
})

test('a frame that a node cannot read is refused as a command that does not fit', async () => {
  const nodes = await nodesLedBy(1)
  const call = nodes.call('propose', 'a')
  const { request } = await nodes.next()
  nodes.settle({ request, outcome: 'refused', code: 'malformed', leaderId: 1 })
  await expect(call).rejects.toMatchObject({ code: 'INVALID_COMMAND', mayHaveHappened: 'no' })
})

test('[OU3] when a node is gone, what it was asked to read is asked again', async () => {
  const nodes = await nodesLedBy(1)
  const read = nodes.call('read', 'b')
  await nodes.next()
  nodes.leaderId = 2
  nodes.client.detach(1, 'node 1 was killed')
  const again = await nodes.next()
  expect(again.type).toBe('read')
  nodes.answerRead(again, 'x')
  expect(await read).toBe('0 x')
})

test('[OU1][OU2][OU3] at its deadline a call that was never sent did not happen, one that was sent may have, and a read did nothing', async () => {
  const unled = new Nodes(30)
  await expect(unled.call('propose', 'a')).rejects.toMatchObject({ code: 'NO_LEADER', mayHaveHappened: 'no' })
  const led = await nodesLedBy(1, 300)
  const [write, read] = await Promise.allSettled([led.call('propose', 'a'), led.call('read', 'b')])
  expect(write).toMatchObject({ reason: { code: 'UNKNOWN_OUTCOME' } })
  expect(read).toMatchObject({ reason: { code: 'READ_TIMEOUT', mayHaveHappened: 'no' } })
})

test('[OU1][OU3] calls that found no leader in time tell which nodes failed, and why', async () => {
  const unled = new Nodes(30)
  unled.failures = 'nodes 1 and 2 failed: a reason'
  const [write, read] = await Promise.allSettled([unled.call('propose', 'a'), unled.call('read', 'b')])
  const message = expect.stringMatching(/within 30 ms \(.*try again.*\): nodes 1 and 2 failed: a reason$/)
  expect(write).toMatchObject({ reason: { code: 'NO_LEADER', mayHaveHappened: 'no', message } })
  expect(read).toMatchObject({ reason: { code: 'READ_TIMEOUT', mayHaveHappened: 'no', message } })
  const led = await nodesLedBy(1, 30)
  led.failures = 'node 2 failed: a reason'
  await expect(led.call('read', 'b')).rejects.toThrow('the read was not confirmed within 30 ms')
  await expect(led.call('read', 'b')).rejects.not.toThrow('node 2 failed')
})

test('[OU6] an answer after the deadline settles nothing, and the answers beside it reach their own calls', async () => {
  const nodes = await nodesLedBy(1, 300)
  const late = nodes.call('propose', 'a')
  const first = await nodes.next()
  await expect(late).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
  while (nodes.tryNext() !== undefined);
  const next = nodes.call('propose', 'b')
  const second = await nodes.next()
  const results = new ResultBuilder()
  results.append(Buffer.from('too late'))
  results.append(Buffer.from('in time'))
  nodes.say({
    settled: [
      { request: first.request, outcome: 'applied', index: 1, count: 1 },
      { request: second.request, outcome: 'applied', index: 2, count: 1 },
    ],
    results: results.take().bytes,
  })
  expect(await next).toBe('2 in time')
})

test('[CA6] more than may wait is refused at once, and nothing of it is sent', async () => {
  const nodes = new Nodes()
  const refused: RaftError[] = []
  const filling = 'v'.repeat(1 << 20)
  for (let n = 0; n < 66; n++) nodes.call('propose', filling).catch((error: RaftError) => refused.push(error))
  await expect(nodes.call('propose', 'a')).rejects.toMatchObject({
    code: 'OVERLOADED',
    mayHaveHappened: 'no',
  })
})

test('[CL4] a call that is looked at only after the close is told then, and ends no process before', async () => {
  const nodes = await nodesLedBy(1)
  const sent = nodes.call('propose', 'a')
  await nodes.next()
  const unsent = nodes.call('propose', 'b')
  const read = nodes.call('read', 'c')
  nodes.client.close()
  // A rejection without a handler would end the process by now.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  await expect(sent).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME', mayHaveHappened: 'maybe' })
  await expect(unsent).rejects.toMatchObject({ code: 'STOPPED', mayHaveHappened: 'no' })
  await expect(read).rejects.toMatchObject({ code: 'STOPPED' })
})
