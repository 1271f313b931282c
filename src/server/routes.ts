/** The routes of the server of a cluster, by method and path. */
import type { ServerResponse } from 'node:http'
import { stripVTControlCharacters } from 'node:util'
import { Hono } from 'hono'
import { boundsOf, picture } from '../explain/index.js'
import type { Story } from '../telemetry/index.js'
import { BadInput } from '../terminal/index.js'
import { type Answer, answerTo, complete, verbsTold } from '../verbs/index.js'
import { lineIn } from './line-body.js'
import { pageFile, pageFiles } from './page-files.js'
import { countIn } from './queries.js'
import { pictureFile } from './record.js'
import { HttpRefusal, refusalToldOf, wrongMethod } from './refusals.js'
import type { App, Rooms } from './rooms.js'
import { addScenarios } from './scenario-routes.js'
import { addStreams, refuseHead } from './stream-routes.js'

export function appOf(rooms: Rooms): App {
  const app: App = new Hono()
  app.onError((error, { json }) => {
    const { status, headers, body } = refusalToldOf(error)
    return json(body, status as 400, headers)
  })
  app.notFound(({ req }) => {
    const allowed = app.routes.filter(({ path }) => path === req.path).map(({ method }) => method)
    if (allowed.length > 0) throw wrongMethod(req.method, req.path, allowed)
    throw new HttpRefusal('NOT_FOUND', `there is no ${req.method} ${req.path}`)
  })
  addPage(app)
  addVerbs(app, rooms)
  addMetrics(app, rooms)
  addStreams(app, rooms)
  addScenarios(app, rooms)
  return app
}

function addPage(app: App): void {
  for (const name of pageFiles) {
    app.get(name === 'index.html' ? '/' : `/${name}`, async () => {
      const { bytes, type } = await pageFile(name)
      return new Response(bytes, { headers: { 'content-type': type, 'cache-control': 'no-cache' } })
    })
  }
}

function addVerbs(app: App, { cluster, subject, quit, records, alreadySent }: Rooms): void {
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
    const line = await lineIn(env.incoming)
    const conversation = { showsEvents: false, isEnded: false, isRemote: true }
    const answer = await answerTo({ subject, conversation }, line)
    if (conversation.isEnded) onceClosed(env.outgoing, quit)
    return json(told(answer))
  })
  app.get('/api/log', async ({ req, json }) => {
    const nodeId = countIn(req.query('node'), 'node')
    if (nodeId === undefined) throw new BadInput('node: give the id of a node, as in ?node=1')
    const range = { from: countIn(req.query('from'), 'from'), to: countIn(req.query('to'), 'to') }
    return json({ log: (await cluster.log(nodeId, range)) ?? null })
  })
  app.get('/api/picture', async ({ req, env }) => {
    refuseHead(req.method, req.path)
    const [since, until] = [countIn(req.query('since'), 'since'), countIn(req.query('until'), 'until')]
    const drawn = pictureBetween(cluster.story(), since, until)
    await records.send(env.outgoing, () => [drawn], pictureFile)
    return alreadySent
  })
}

/** Moments are milliseconds since 1970. Left out: as `picture` chooses. */
function pictureBetween(story: Story, since: number | undefined, until: number | undefined): string {
  const [beganMs] = boundsOf(story)
  const inStory = (atMs: number | undefined) => (atMs === undefined ? atMs : Math.max(0, atMs - beganMs))
  try {
    return picture(story, { fromMs: inStory(since), toMs: inStory(until) })
  } catch (error) {
    throw error instanceof RangeError ? new BadInput(`since, until: ${error.message}`) : error
  }
}

/** Calls back once the answer is sent, or its reader has left. */
function onceClosed(outgoing: ServerResponse, closed: () => void): void {
  if (outgoing.destroyed) closed()
  else outgoing.once('close', closed)
}

function addMetrics(app: App, { metrics }: Rooms): void {
  app.get('/metrics', async ({ text }) =>
    text(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  )
}

function told({ data, words }: Answer): object {
  return { ok: true, ...data, words: stripVTControlCharacters(words) }
}
