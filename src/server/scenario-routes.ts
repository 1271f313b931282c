/** Scenarios over HTTP: which there are, and the one that runs. */
import { sendFrames } from './frame-feed.js'
import { lineIn } from './line-body.js'
import type { App, Rooms } from './rooms.js'
import { addStream, lastIn } from './stream-routes.js'

const nameBytesMax = 1000

export function addScenarios(app: App, rooms: Rooms): void {
  const { scenarios } = rooms
  app.get('/api/scenarios', ({ json }) => {
    const all = scenarios.shipped.map(({ name, teaches, hosts, nodes }) => ({ name, teaches, hosts, nodes }))
    return json({ scenarios: all, running: scenarios.running ?? null })
  })
  app.post('/api/scenarios/run', async ({ env, json }) => {
    const name = await lineIn(env.incoming, nameBytesMax)
    await scenarios.start(name)
    return json({ ok: true, name, words: `${name} runs` })
  })
  app.delete('/api/scenarios/run', async ({ json }) => {
    const { name } = scenarios.last
    await scenarios.end()
    return json({ ok: true, name, words: `${name} has ended` })
  })
  addStream(app, rooms, '/api/scenarios/run', (reader, { req }) =>
    scenarios.last.feed.sendTo(reader, lastIn(req.header('last-event-id'))),
  )
  addStream(app, rooms, '/api/scenarios/run/frames', (reader, { req }) =>
    sendFrames(scenarios.last.observer, reader, req.query('history') === '1'),
  )
}
