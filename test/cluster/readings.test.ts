/** Each call reads the answers to its own commands: not fewer, not more, and whatever the calls beside it do. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Answers } from '../../src/cluster/answers.js'
import type { Reading } from '../../src/cluster/readings.js'
import { reading, readingOfOne } from '../../src/cluster/readings.js'
import type { CallFrame } from '../../src/cluster/requests.js'
import { forEachCommand } from '../../src/raft/index.js'
import type { ClientRequest } from '../../src/transport/index.js'
import { type Nodes, nodesLedBy, packed } from './nodes.js'

/** How a call behaves: it packs and reads all, or fails when it has packed, or has read, so many. */
interface Behaviour {
  readonly count: number
  readonly fails: 'never' | 'packing' | 'reading' | 'readsFewer' | 'readsMore'
  readonly after: number
  /** Whether a call of one command is read as such. */
  readonly isOne?: boolean
}

const behaviours = (countMax: number): fc.Arbitrary<Behaviour> =>
  fc.record({
    count: fc.integer({ min: 1, max: countMax }),
    fails: fc.constantFrom('never', 'never', 'packing', 'reading', 'readsFewer', 'readsMore'),
    after: fc.nat({ max: 3 }),
    isOne: fc.boolean(),
  })

function nextText(answers: Answers): string {
  answers.advance()
  return answers.take(answers.start, answers.end).toString()
}

function textsOf(answers: Answers, { count, fails, after }: Behaviour): string[] {
  const read = {
    never: count,
    packing: count,
    reading: after % count,
    readsFewer: count - 1,
    readsMore: count + 1,
  }
  const texts = Array.from({ length: read[fails] }, () => nextText(answers))
  if (fails === 'reading') throw new Error('an answer that makes no sense')
  return texts
}

/** As calls of one answer are read, where the behaviour can have it so, and as calls of several. */
function readingOf(type: 'propose' | 'read', behaviour: Behaviour): Reading<string[]> {
  const { count, fails, isOne } = behaviour
  if (count > 1 || !isOne || fails === 'readsFewer' || fails === 'readsMore')
    return reading(type, count, (answers) => textsOf(answers, behaviour))
  return readingOfOne(type, (answers) => {
    if (fails === 'reading') throw new Error('an answer that makes no sense')
    return [answers.take(answers.start, answers.end).toString()]
  })
}

function packInto(frame: CallFrame, name: string, { count, fails, after }: Behaviour): void {
  for (let n = 0; n < count; n++) {
    if (fails === 'packing' && n === after % count) {
      frame.reserve(3)
      throw new Error('bytes that are gone')
    }
    frame.append(Buffer.from(`${name}.${n}`))
  }
}

/** Makes the calls in one turn; resolves with their outcomes. */
function make(
  nodes: Nodes,
  type: 'propose' | 'read',
  all: readonly Behaviour[],
): Promise<PromiseSettledResult<string[]>[]> {
  const calls = all.map((behaviour, at) => {
    const read = readingOf(type, behaviour)
    return nodes.caller.call(read, packInto, `call ${at}`, behaviour)
  })
  return Promise.allSettled(calls)
}

function commandsOf({ frame }: ClientRequest): string[] {
  const commands: string[] = []
  forEachCommand(frame, (start, end) =>
    commands.push(Buffer.from(frame.bytes.subarray(start, end)).toString()),
  )
  return commands
}

/** The call that a command is of. */
const callOf = (command: string) => Number(/^call (\d+)\./.exec(command)?.[1])

const answerTo = (command: string) => `answer to ${command}`

function check(
  outcomes: readonly PromiseSettledResult<string[]>[],
  all: readonly Behaviour[],
  code: string,
): void {
  for (const [at, outcome] of outcomes.entries()) {
    const { count, fails } = all[at] ?? { count: 0, fails: 'never' }
    const own = Array.from({ length: count }, (_, n) => answerTo(`call ${at}.${n}`))
    if (fails === 'never') expect(outcome).toEqual({ status: 'fulfilled', value: own })
    else expect(outcome).toMatchObject({ reason: { code: fails === 'packing' ? 'INVALID_COMMAND' : code } })
  }
}

test('[CA4] commands whose calls fail at any point of packing and reading leave the others theirs', async () => {
  const nodes = await nodesLedBy(1)
  const run = fc.asyncProperty(fc.array(behaviours(3), { minLength: 1, maxLength: 20 }), async (all) => {
    const calls = make(nodes, 'propose', all)
    const expected = all.flatMap(({ count, fails }, at) =>
      fails === 'packing' ? [] : Array.from({ length: count }, (_, n) => `call ${at}.${n}`),
    )
    if (expected.length > 0) {
      const request = await nodes.next()
      const commands = commandsOf(request)
      expect(commands).toEqual(expected)
      const settlement = {
        request: request.request,
        outcome: 'applied',
        index: 7,
        count: commands.length,
      } as const
      nodes.settle(settlement, ...commands.map(answerTo))
    }
    check(await calls, all, 'UNKNOWN_OUTCOME')
  })
  await fc.assert(run, { seed: 42, numRuns: 200 })
})

test('[CA4] queries whose calls fail at any point leave the others theirs, also where the answers come in parts', async () => {
  const nodes = await nodesLedBy(1)
  const cases = [
    fc.array(behaviours(3), { minLength: 1, maxLength: 20 }),
    fc.infiniteStream(fc.nat()),
  ] as const
  const run = fc.asyncProperty(...cases, async (all, cuts) => {
    const calls = make(nodes, 'read', all)
    let rest = all.reduce((sum, { fails, count }) => sum + (fails === 'packing' ? 0 : count), 0)
    const draw = (end: number) => (cuts.next().value ?? 0) % end
    const refusedCalls = new Set<number>()
    while (rest > 0) {
      const request = await nodes.next()
      const queries = commandsOf(request).slice(0, 1 + draw(rest))
      const refused = queries.flatMap((_, position) => (draw(8) === 0 ? [{ position, why: 'bad' }] : []))
      for (const { position } of refused) refusedCalls.add(callOf(queries[position] ?? ''))
      const answers = queries.map((query, at) =>
        refused.some(({ position }) => position === at) ? '' : answerTo(query),
      )
      nodes.settle({
        request: request.request,
        outcome: 'read',
        count: queries.length,
        results: packed(answers),
        ...(refused.length > 0 && { refused }),
      })
      rest -= queries.length
    }
    const outcomes = await calls
    const behaved = all.map((behaviour, at) =>
      refusedCalls.has(at) ? ({ ...behaviour, fails: 'reading' } as const) : behaviour,
    )
    check(outcomes, behaved, 'REFUSED_BY_MACHINE')
  })
  await fc.assert(run, { seed: 43, numRuns: 200 })
})

test.each([
  ['fewer', ['x']],
  ['more', ['x', 'y', 'z']],
])('[OU7] a message with %s answers than it says tells no call anything', async (_, results) => {
  const nodes = await nodesLedBy(1)
  const writes = ['a', 'b'].map((command) => nodes.call('propose', command))
  const { request } = await nodes.next()
  nodes.settle({ request, outcome: 'applied', index: 7, count: 2 }, ...results)
  for (const write of writes)
    await expect(write).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME', mayHaveHappened: 'maybe' })
  const reads = ['a', 'b'].map((query) => nodes.call('read', query))
  const asked = await nodes.next()
  nodes.settle({ request: asked.request, outcome: 'read', count: 2, results: packed(results) })
  for (const read of reads) await expect(read).rejects.toMatchObject({ code: 'REFUSED_BY_MACHINE' })
})

test('[OU7] answers for another number of commands than were sent are nobody’s, and those behind them find their calls', async () => {
  const nodes = await nodesLedBy(1)
  const wrong = nodes.call('propose', 'a')
  const first = await nodes.next()
  const right = nodes.call('propose', 'b')
  const second = await nodes.next()
  nodes.say({
    settled: [
      { request: first.request, outcome: 'applied', index: 1, count: 2 },
      { request: second.request, outcome: 'applied', index: 3, count: 1 },
    ],
    results: packed(['x', 'y', 'z']),
  })
  await expect(wrong).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
  expect(await right).toBe('3 z')
})

test('[CA4] an answer that is cut short gives away no byte of the next one', async () => {
  const nodes = await nodesLedBy(1)
  const greedy = nodes.caller.call(
    readingOfOne('read', (answers) => answers.take(answers.start, answers.end + 5)),
    (frame) => frame.append(Buffer.from('a')),
  )
  const other = nodes.call('read', 'b')
  nodes.answerRead(await nodes.next(), 'x', 'secret')
  await expect(greedy).rejects.toMatchObject({ code: 'REFUSED_BY_MACHINE' })
  expect(await other).toBe('1 secret')
})

test('a turn whose calls were all refused sends nothing, and closing afterwards rejects nothing', async () => {
  const nodes = await nodesLedBy(1)
  const refused = make(nodes, 'propose', [{ count: 1, fails: 'packing', after: 0 }])
  expect(await refused).toMatchObject([{ reason: { code: 'INVALID_COMMAND' } }])
  nodes.client.close()
  // A promise that nobody holds would be rejected by now, and end the process.
  await new Promise((resolve) => setImmediate(resolve))
  expect(nodes.messages).toEqual([])
})
