/** Answers that come in parts: a call gets its own, whoever answered it and whatever happened in between. */
import { expect, test } from 'vitest'
import { pendingBytesMax } from '../../src/cluster/caller.js'
import { result } from '../../src/cluster/outcomes.js'
import { readingOfOne } from '../../src/cluster/readings.js'
import { forEachCommand } from '../../src/raft/index.js'
import type { ClientRequest } from '../../src/transport/index.js'
import { type Nodes, nodesLedBy } from './nodes.js'

/** Of equal length, so that nothing but their bytes tells them apart, and long enough that their buffers go back. */
const longAnswer = (query: string) => query.repeat(20_000)

/** One query a call, each of a single character, in one turn. */
function ask(nodes: Nodes, queries: string): Promise<Buffer[]> {
  const calls = [...queries].map((query) =>
    nodes.caller.call(result, (frame) => frame.append(Buffer.from(query))),
  )
  return Promise.all(calls)
}

function queriesOf({ frame }: ClientRequest): string {
  const queries: string[] = []
  forEachCommand(frame, (start, end) =>
    queries.push(Buffer.from(frame.bytes.subarray(start, end)).toString()),
  )
  return queries.join('')
}

/** Answers the first `count` queries of the next request. Returns all that it asked. */
async function answer(nodes: Nodes, count: number): Promise<string> {
  const asked = await nodes.next()
  const queries = queriesOf(asked)
  nodes.answerRead(asked, ...[...queries.slice(0, count)].map(longAnswer))
  return queries
}

const answersTo = (queries: string) => [...queries].map((query) => Buffer.from(longAnswer(query)))

test.each([
  ['abcdefg', [2, 1, 4], ['abcdefg', 'cdefg', 'defg']],
  ['abc', [1, 1, 1], ['abc', 'bc', 'c']],
  ['ab', [1, 1], ['ab', 'b']],
])('of %s, answered in parts of %j, what is left is asked again', async (queries, counts, asked) => {
  const nodes = await nodesLedBy(1)
  const answered = ask(nodes, queries)
  for (const [at, count] of counts.entries()) expect(await answer(nodes, count)).toBe(asked[at])
  expect(await answered).toEqual(answersTo(queries))
})

test('[CA8] one part is asked for at a time, and its buffer stays until all who asked have read', async () => {
  const nodes = await nodesLedBy(1)
  const answered = ask(nodes, 'abc')
  await answer(nodes, 1)
  await answer(nodes, 1)
  const last = await nodes.next()
  expect(nodes.messages).toEqual([1, 1, 1])
  expect(nodes.givenBack).toEqual([])
  nodes.answerRead(last, longAnswer('c'))
  expect(await answered).toEqual(answersTo('abc'))
  const next = ask(nodes, 'd')
  await answer(nodes, 1)
  await next
  expect(nodes.givenBack.length).toBe(1)
})

test('requests beside one that is answered in parts are answered in between', async () => {
  const nodes = await nodesLedBy(1)
  const slow = ask(nodes, 'abc')
  await answer(nodes, 1)
  const rest = await nodes.next()
  const write = nodes.call('propose', 'w')
  const quick = ask(nodes, 'xy')
  const { request } = await nodes.next()
  expect(await answer(nodes, 2)).toBe('xy')
  expect(await quick).toEqual(answersTo('xy'))
  nodes.settle({ request, outcome: 'applied', index: 3, count: 1 }, 'written')
  expect(await write).toBe('3 written')
  nodes.answerRead(rest, ...['b', 'c'].map(longAnswer))
  expect(await slow).toEqual(answersTo('abc'))
})

test('[OU3] when the node is gone between two parts, another one is asked for no more than the rest', async () => {
  const nodes = await nodesLedBy(1)
  const answered = ask(nodes, 'abcd')
  await answer(nodes, 2)
  const lost = await nodes.next()
  nodes.leaderId = 2
  nodes.client.detach(1, 'node 1 was killed')
  const again = await nodes.next()
  expect(queriesOf(again)).toBe('cd')
  // What the first one answered before it went, and comes late, is the answer to nothing.
  nodes.answerRead(lost, 'not to be read')
  nodes.answerRead(again, longAnswer('c'))
  expect(await answer(nodes, 1)).toBe('d')
  expect(await answered).toEqual(answersTo('abcd'))
})

test.each(['notLeader', 'overloaded'] as const)(
  'a rest that is refused as %s is asked again',
  async (code) => {
    const nodes = await nodesLedBy(1)
    const answered = ask(nodes, 'abcd')
    await answer(nodes, 2)
    const { request } = await nodes.next()
    nodes.settle({ request, outcome: 'refused', code, leaderId: undefined })
    expect(await answer(nodes, 1)).toBe('cd')
    expect(await answer(nodes, 1)).toBe('d')
    expect(await answered).toEqual(answersTo('abcd'))
  },
)

test('[OU6] a deadline between two parts is that of all calls, and a part that comes late is nobody’s', async () => {
  const nodes = await nodesLedBy(1, 100)
  const answered = ask(nodes, 'abc')
  await answer(nodes, 1)
  const late = await nodes.next()
  await expect(answered).rejects.toMatchObject({ code: 'READ_TIMEOUT', mayHaveHappened: 'no' })
  nodes.answerRead(late, longAnswer('b'))
  const next = ask(nodes, 'xy')
  expect(await answer(nodes, 1)).toBe('xy')
  expect(await answer(nodes, 1)).toBe('y')
  expect(await next).toEqual(answersTo('xy'))
})

test('[CA4] a call that fails at its answer leaves those of other parts theirs', async () => {
  const nodes = await nodesLedBy(1)
  const failing = nodes.caller.call(
    readingOfOne('read', () => {
      throw new Error('not to be read')
    }),
    (frame) => frame.append(Buffer.from('a')),
  )
  const others = ask(nodes, 'bcd')
  await Promise.all([expect(failing).rejects.toThrow('not to be read'), answer(nodes, 2), answer(nodes, 2)])
  expect(await others).toEqual(answersTo('bcd'))
})

test('[OV7] parts that find no room end the calls behind them as overloaded, and leave their room', async () => {
  const nodes = await nodesLedBy(1)
  const large = 'v'.repeat(8 << 20)
  const answerLarge = async () => nodes.answerRead(await nodes.next(), large)
  for (let round = 0; round < 2; round++) {
    const outcomes = [...'abcdefghijkl'].map((query) => ask(nodes, query))
    const ends = Promise.allSettled(outcomes)
    let parts = 0
    for (; nodes.caller.pendingBytes <= pendingBytesMax && nodes.caller.pendingBytes > 0; parts++)
      await answerLarge()
    const settled = await ends
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBe(parts)
    expect(settled.slice(parts)).toMatchObject(
      Array.from({ length: settled.length - parts }, () => ({
        reason: { code: 'OVERLOADED', mayHaveHappened: 'no' },
      })),
    )
    expect(nodes.caller.pendingBytes).toBe(0)
  }
})
