/** Spans on their way out: bounded, and what is dropped is counted. */
import { expect, test } from 'vitest'
import { Outbox, type Sink, waitingSpansMax } from '../../src/traces/outbox.js'
import { type Span, Trace } from '../../src/traces/span.js'

function spans(count: number): readonly Span[] {
  const trace = new Trace()
  for (let at = 0; at < count; at++) trace.add({ service: 'x', name: 'y', startMs: 1, endMs: 2 })
  return trace.spans
}

/** A place that takes batches when it is told to. */
function slowSink() {
  const taken: number[] = []
  const waiting: (() => void)[] = []
  const sink: Sink = {
    send: (batch) =>
      new Promise((resolve) => {
        waiting.push(() => {
          taken.push(batch.length)
          resolve()
        })
      }),
    close: () => Promise.resolve(),
  }
  return { sink, taken, waiting }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what finds no room is dropped, counted, and told once', async () => {
  const { sink, taken } = slowSink()
  const lines: string[] = []
  const outbox = new Outbox(sink, (line) => void lines.push(line))
  outbox.add(spans(waitingSpansMax))
  outbox.add(spans(3))
  outbox.add(spans(4))
  expect(outbox.dropped).toBe(7)
  expect(lines).toEqual(['traces are dropped, and counted: they come faster than they can be sent'])
  await turn()
  expect(taken).toEqual([])
})

test('an overflow is told once, whatever is sent between overflows', async () => {
  const { sink, taken, waiting } = slowSink()
  const lines: string[] = []
  const outbox = new Outbox(sink, (line) => void lines.push(line))
  outbox.add(spans(waitingSpansMax))
  outbox.add(spans(1))
  await turn()
  waiting[0]?.()
  await turn()
  expect(taken).toEqual([2048])
  outbox.add(spans(2 * 2048))
  outbox.add(spans(1))
  expect([outbox.sent, outbox.dropped]).toEqual([2048, 2])
  expect(lines).toEqual(['traces are dropped, and counted: they come faster than they can be sent'])
})

test('a sink that fails is told beside an overflow', async () => {
  const lines: string[] = []
  const sink: Sink = { send: () => Promise.reject(new Error('away')), close: () => Promise.resolve() }
  const outbox = new Outbox(sink, (line) => void lines.push(line))
  outbox.add(spans(waitingSpansMax))
  outbox.add(spans(1))
  await outbox.close(1000)
  expect(lines).toEqual([
    'traces are dropped, and counted: they come faster than they can be sent',
    'traces are dropped, and counted: away',
  ])
})

test('one batch is on its way at a time, and every span is sent or dropped in the end', async () => {
  const { sink, taken, waiting } = slowSink()
  const outbox = new Outbox(sink, () => undefined)
  outbox.add(spans(5000))
  await turn()
  expect(waiting).toHaveLength(1)
  waiting[0]?.()
  await turn()
  expect(waiting).toHaveLength(2)
  await outbox.close(1)
  expect(taken).toEqual([2048])
  expect([outbox.sent, outbox.dropped]).toEqual([2048, 2952])
  waiting[1]?.()
  await turn()
  expect([outbox.sent, outbox.dropped], 'counted once').toEqual([2048, 2952])
  expect(waiting).toHaveLength(2)
})

test('a failure costs its batch, and is told anew once it went well between', async () => {
  const results = [false, false, true, false]
  const lines: string[] = []
  const sink: Sink = {
    send: () => (results.shift() ? Promise.resolve() : Promise.reject(new Error('away'))),
    close: () => Promise.resolve(),
  }
  const outbox = new Outbox(sink, (line) => void lines.push(line))
  outbox.add(spans(4 * 2048))
  await outbox.close(1000)
  expect([outbox.sent, outbox.dropped]).toEqual([2048, 3 * 2048])
  expect(lines).toEqual(['traces are dropped, and counted: away', 'traces are dropped, and counted: away'])
})
