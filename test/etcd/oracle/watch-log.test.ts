import { PassThrough } from 'node:stream'
import type { ClientDuplexStream } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { Message } from './client.js'
import { WatchLog } from './watch-log.js'

/** The log of a stream that tells these messages about the watch 1. */
async function logOf(...messages: readonly Message[]): Promise<WatchLog> {
  const stream = new PassThrough({ objectMode: true })
  const log = new WatchLog(stream as unknown as ClientDuplexStream<Message, Message>)
  const plain = { watchId: '1', created: false, canceled: false, compactRevision: '0', cancelReason: '' }
  for (const message of messages)
    stream.write({ ...plain, fragment: false, header: { revision: '9' }, events: [], ...message })
  stream.end()
  await log.until(() => false)
  return log
}

const eventsAt = (...revisions: readonly string[]): Message => ({
  events: revisions.map((modRevision) => ({ kv: { modRevision } })),
})
const tornIn = (log: WatchLog): unknown[] =>
  log.entriesOf('1').flatMap(({ torn }) => (torn === undefined ? [] : [torn]))

test('a revision in two messages is torn, unless the first is a fragment', async () => {
  expect(tornIn(await logOf(eventsAt('4', '5'), eventsAt('5')))).toEqual(['5'])
  expect(tornIn(await logOf({ ...eventsAt('4', '5'), fragment: true }, eventsAt('5')))).toEqual([])
})

test('a watch under the id of a canceled one may tell a revision that the other has told', async () => {
  const log = await logOf(
    { created: true },
    eventsAt('5'),
    { canceled: true },
    { created: true },
    eventsAt('5'),
  )
  expect(tornIn(log)).toEqual([])
  expect(log.entriesOf('1')).toHaveLength(5)
})
