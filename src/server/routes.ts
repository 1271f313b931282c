/** What can be asked of the server of a cluster, by method and path. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { stripVTControlCharacters } from 'node:util'
import { type Context, Hono } from 'hono'
import type { Cluster } from '../cluster/index.js'
import type { Observer } from '../observer/index.js'
import { BadInput } from '../terminal/index.js'
import { type Answer, answerTo, type ClusterSubject, complete, verbsTold } from '../verbs/index.js'
import type { EventFeed } from './event-feed.js'
import { sendFrames } from './frame-feed.js'
import { lineIn } from './line-body.js'
import { pageFile, pageFiles } from './page-files.js'
import type { Reader, Readers } from './readers.js'
import { HttpRefusal, refusalToldOf } from './refusals.js'

export interface Served {
  readonly cluster: Cluster
  readonly subject: ClusterSubject
  readonly observer: Observer
  readonly events: EventFeed
  readonly readers: Readers
  /** The line `quit` was answered. */
  readonly quit: () => void
  /** An answer that the routes have written themselves. */
  readonly alreadySent: Response
}

export interface Bindings {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

export type Env = { Bindings: Bindings }

const lineBytesMax = 1 << 20

export function routesOf(served: Served): Hono<Env> {
  const app = new Hono<Env>()
  app.onError((error, context) => {
    const { status, body } = refusalToldOf(error)
    return context.json(body, status as 400)
  })
  app.notFound((context) => {
    throw new HttpRefusal('NOT_FOUND', `there is no ${context.req.method} ${context.req.path}`)
  })
  addPage(app)
  addVerbs(app, served)
  addStreams(app, served)
  return app
}

function addPage(app: Hono<Env>): void {
  for (const name of pageFiles) {
    app.get(name === 'index.html' ? '/' : `/${name}`, async () => {
      const { bytes, type } = await pageFile(name)
      return new Response(bytes, { headers: { 'content-type': type, 'cache-control': 'no-cache' } })
    })
  }
}

function addVerbs(app: Hono<Env>, { cluster, subject, quit }: Served): void {
  app.get('/api/status', async ({ json }) => {
    const { data } = await answerTo({ subject }, 'status')
    return json({ ...data, leaderId: cluster.leaderId ?? null, dir: cluster.dir })
  })
  app.get('/api/verbs', ({ json }) => json({ verbs: verbsTold() }))
  app.get('/api/complete', ({ req, json }) => {
    const [offers, typed] = complete(req.query('line') ?? '', subject.nodeIds)
    return json({ offers, typed })
  })
  app.post('/api/do', async ({ env, json }) => {
    const line = await lineIn(env.incoming, lineBytesMax)
    const conversation = { showsEvents: false, isEnded: false }
    const answer = await answerTo({ subject, conversation }, line)
    if (conversation.isEnded) env.outgoing.once('close', quit)
    return json(told(answer))
  })
  app.get('/api/log', async ({ req, json }) => {
    const nodeId = countIn(req.query('node'), 'node')
    if (nodeId === undefined) throw new BadInput('node: give the id of a node, as in ?node=1')
    const range = { from: countIn(req.query('from'), 'from'), to: countIn(req.query('to'), 'to') }
    return json({ log: (await cluster.log(nodeId, range)) ?? null })
  })
}

function told({ data, words }: Answer): object {
  return { ok: true, ...data, words: stripVTControlCharacters(words) }
}

function addStreams(app: Hono<Env>, { observer, events, readers, alreadySent }: Served): void {
  const stream = (path: string, send: (reader: Reader, context: Context<Env>) => void): void => {
    app.get(path, (context) => {
      // The headers of a HEAD would begin a stream as well.
      if (context.req.method !== 'GET')
        throw new HttpRefusal('WRONG_METHOD', `${path} is a stream: ask for it with GET`)
      send(readers.add(context.env.outgoing), context)
      return alreadySent
    })
  }
  stream('/api/events', (reader, { req }) => {
    reader.send({ event: 'head', data: JSON.stringify(observer.head) })
    events.sendTo(reader, lastIn(req.header('last-event-id')))
  })
  stream('/api/frames', (reader, { req }) => sendFrames(observer, reader, req.query('history') === '1'))
}

/** A number that is none is that of a foreign stream: all is sent then. */
function lastIn(id: string | undefined): number {
  return id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : 0
}

function countIn(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new BadInput(`${name}: give a whole number, as in ?${name}=1`)
}
