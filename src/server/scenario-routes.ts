/** Scenarios over HTTP: which there are, and the one that runs. */
import { sendFrames } from './frame-feed.js'
import { lineIn } from './line-body.js'
import type { App, Rooms } from './rooms.js'
import { lastIn, streamed, wantsHistory } from './stream-routes.js'

export function addScenarios(app: App, rooms: Rooms): void {
  const { scenarios } = rooms
  app.get('/api/scenarios', ({ json }) => {
    const all = scenarios.shipped.map(({ name, teaches, hosts, nodes }) => ({ name, teaches, hosts, nodes }))
    return json({ scenarios: all, running: scenarios.running ?? null })
  })
  app.post('/api/scenarios/run', async ({ env, json }) => {
    const name = await lineIn(env.incoming)
    await scenarios.start(name)
    return json({ ok: true, name, words: `${name} runs` })
  })
  app.delete('/api/scenarios/run', async ({ json }) => {
    await scenarios.end()
    const { name } = scenarios.last
    return json({ ok: true, name, words: `${name} has ended` })
  })
  app.get('/api/scenarios/run', (context) => {
    const { feed } = scenarios.last
    return streamed(context, rooms, (reader) => feed.sendTo(reader, lastIn(context)))
  })
  app.get('/api/scenarios/run/events', (context) => {
    const { events } = scenarios.last
    return streamed(context, rooms, (reader) => events.sendTo(reader, lastIn(context)))
  })
  app.get('/api/scenarios/run/frames', (context) => {
    const { observer } = scenarios.last
    return streamed(context, rooms, (reader) => sendFrames(observer, reader, wantsHistory(context)))
  })
}
