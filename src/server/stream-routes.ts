/** Streams of a cluster, which go on until their reader leaves, and records of it, which are downloads. */
import type { Context } from 'hono'
import { recordLines } from '../observer/index.js'
import { BadInput } from '../terminal/index.js'
import { sendFrames } from './frame-feed.js'
import { watchKeys } from './key-watch.js'
import { countIn } from './queries.js'
import type { Reader } from './readers.js'
import { recordFile, recordPage } from './record.js'
import { HttpRefusal } from './refusals.js'
import type { App, Bindings, Rooms } from './rooms.js'

export function addStreams(app: App, rooms: Rooms): void {
  const { cluster, observer, events, records, alreadySent } = rooms
  addStream(app, rooms, '/api/events', (reader, { req }) => {
    reader.send({ event: 'head', data: JSON.stringify(observer.head) })
    events.sendTo(reader, lastIn(req.header('last-event-id')))
  })
  addStream(app, rooms, '/api/frames', (reader, { req }) =>
    sendFrames(observer, reader, req.query('history') === '1'),
  )
  app.get('/api/watch', (context) => {
    const { prefix = '', from } = context.req.query()
    const nodeId = countIn(from, 'from')
    if (nodeId !== undefined && !cluster.status().some((node) => node.nodeId === nodeId))
      throw new BadInput(`from: there is no node ${nodeId}`)
    return streamed(context, rooms, (reader) => watchKeys(cluster, reader, prefix, nodeId))
  })
  for (const [path, download] of [
    ['/api/record', async () => recordFile],
    ['/api/record.html', recordPage],
  ] as const) {
    app.get(path, async ({ env }) => {
      const lines = () => recordLines(cluster.story(), observer.frames)
      await records.send(env.outgoing, lines, await download())
      return alreadySent
    })
  }
}

export function addStream(
  app: App,
  rooms: Pick<Rooms, 'readers' | 'alreadySent'>,
  path: string,
  send: (reader: Reader, context: Context<{ Bindings: Bindings }>) => void,
): void {
  app.get(path, (context) => streamed(context, rooms, (reader) => send(reader, context)))
}

function streamed(
  { req, env }: Context<{ Bindings: Bindings }>,
  { readers, alreadySent }: Pick<Rooms, 'readers' | 'alreadySent'>,
  send: (reader: Reader) => void,
): Response {
  // The headers alone would begin a stream as well.
  if (req.method === 'HEAD') throw new HttpRefusal('WRONG_METHOD', `${req.path} is a stream: ask with GET`)
  send(readers.add(env.outgoing))
  return alreadySent
}

/** An id that is no number is of a foreign stream: all is sent then. */
export function lastIn(id: string | undefined): number {
  return id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : 0
}
