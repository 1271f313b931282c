/** Streams of a cluster, which go on until their reader leaves, and records of it, which are downloads. */
import type { Context } from 'hono'
import type { Cluster } from '../cluster/index.js'
import { recordLines } from '../observer/index.js'
import type { NodeId } from '../raft/index.js'
import { BadInput } from '../terminal/index.js'
import { sendFrames } from './frame-feed.js'
import { countIn } from './queries.js'
import type { Reader } from './readers.js'
import { recordFile, recordPage } from './record.js'
import { wrongMethod } from './refusals.js'
import type { App, Bindings, Rooms } from './rooms.js'

export function addStreams(app: App, rooms: Rooms): void {
  const { cluster, observer, events, keys, records, alreadySent } = rooms
  app.get('/api/events', (context) =>
    streamed(context, rooms, (reader) => {
      reader.send({ event: 'head', data: JSON.stringify(observer.head) })
      events.sendTo(reader, lastIn(context))
    }),
  )
  app.get('/api/frames', (context) =>
    streamed(context, rooms, (reader) => sendFrames(observer, reader, wantsHistory(context))),
  )
  app.get('/api/watch', (context) => {
    const { prefix = '' } = context.req.query()
    const [from, beside] = ['from', 'beside'].map((name) => nodeIn(context, name, cluster))
    return streamed(context, rooms, (reader) => {
      keys.tell(reader, prefix, from)
      if (beside !== undefined) keys.tell(reader, prefix, beside)
    })
  })
  for (const [path, download] of [
    ['/api/record', async () => recordFile],
    ['/api/record.html', recordPage],
  ] as const) {
    app.get(path, async ({ req, env }) => {
      refuseHead(req.method, path)
      const lines = () => recordLines(cluster.story(), observer.frames)
      await records.send(env.outgoing, lines, await download())
      return alreadySent
    })
  }
}

type Asked = Context<{ Bindings: Bindings }>

/** Begins a stream. A request that is refused is refused before. */
export function streamed(
  { req, env }: Asked,
  { readers, alreadySent }: Rooms,
  send: (reader: Reader) => void,
): Response {
  refuseHead(req.method, req.path)
  send(readers.add(env.outgoing))
  return alreadySent
}

/** The id of a node; `undefined` where the query names none. */
function nodeIn({ req }: Asked, name: string, cluster: Cluster): NodeId | undefined {
  const nodeId = countIn(req.query(name), name)
  if (nodeId === undefined || cluster.status().some((node) => node.nodeId === nodeId)) return nodeId
  throw new BadInput(`${name}: there is no node ${nodeId}`)
}

/** For the headers alone, all of the work would be done as well. */
export function refuseHead(method: string, path: string): void {
  if (method === 'HEAD') throw wrongMethod(method, path, ['GET'])
}

export function wantsHistory({ req }: Asked): boolean {
  return req.query('history') === '1'
}

/** The number behind which a stream goes on. An id that is none is of a foreign stream: all is sent then. */
export function lastIn({ req }: Asked): number {
  const id = req.header('last-event-id') ?? ''
  return /^\d{1,15}$/.test(id) ? Number(id) : 0
}
