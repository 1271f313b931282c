import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ScenarioRuns } from '../../src/server/scenario-run.js'
import { read, Served, some } from './served.js'

test('a scenario is started by its name, and followed from its first step to its verdict', async () => {
  const served = await Served.start()
  const { scenarios } = (await served.json('/api/scenarios')) as { scenarios: object[] }
  expect(scenarios).toContainEqual(
    expect.objectContaining({
      name: 'leader-kill',
      teaches: expect.any(String),
      hosts: ['threads', 'simulated'],
    }),
  )
  expect(await served.do('leader-kill', '/api/scenarios/run')).toMatchObject({ status: 200, ok: true })
  expect(await served.json('/api/scenarios')).toMatchObject({ running: 'leader-kill' })
  expect(await served.do('bridge', '/api/scenarios/run')).toMatchObject({
    status: 409,
    code: 'RUNNING_ALREADY',
  })
  const frames = await read(await served.get('/api/scenarios/run/frames'), some('frame', 2))
  expect(frames[0]?.data['dir']).not.toBe(served.cluster.dir)
  const happened = await read(await served.get('/api/scenarios/run/events'), some('message', 4))
  expect(happened[0]).toMatchObject({ id: 1, data: { type: 'started' } })
  const events = await read(await served.get('/api/scenarios/run'), () => false)
  expect(events[0]).toMatchObject({ id: 1, event: 'scenario', data: { name: 'leader-kill', nodes: 3 } })
  const { steps } = events[0]!.data as { steps: string[] }
  const told = events.filter(({ event, data }) => event === 'line' && data['isStep'] === true)
  expect(told.map(({ data }) => data['text'])).toEqual([...steps, expect.stringMatching(/^heals all/)])
  expect(events.at(-1)).toMatchObject({ event: 'result', data: { verdict: 'passed', lost: 0 } })
  for (const [path, kind] of [
    ['frames?history=1', 'frame'],
    ['events', 'message'],
  ])
    expect((await read(await served.get(`/api/scenarios/run/${path}`), () => false)).at(-1)).toMatchObject({
      event: kind,
    })
  // A reload of the page follows from the start, and a reader that was there goes on.
  expect(await read(await served.get('/api/scenarios/run'), () => false)).toEqual(events)
  const headers = { 'last-event-id': String((events.at(-1)?.id ?? 0) - 1) }
  expect(await read(await served.get('/api/scenarios/run', { headers }), () => false)).toEqual(
    events.slice(-1),
  )
})

test('a scenario that is ended has no verdict, and leaves room for the next', async () => {
  const served = await Served.start()
  await served.do('pause-leader', '/api/scenarios/run')
  expect(await served.raw('DELETE', '/api/scenarios/run')).toMatchObject({ status: 200, ok: true })
  const events = await read(await served.get('/api/scenarios/run'), () => false)
  expect(events.at(-1)).toMatchObject({ event: 'failed', data: { code: 'ENDED' } })
  expect(await served.do('pause-leader', '/api/scenarios/run')).toMatchObject({ status: 200 })
})

test('a scenario that only starts is ended as well', async () => {
  const runs = new ScenarioRuns()
  const starting = runs.start('pause-leader')
  await runs.end()
  await starting
  expect(runs.running).toBeUndefined()
  await expect(rm(runs.last.observer.head.dir)).rejects.toThrow('ENOENT')
})

test('what is no scenario is refused, also a file of this name', async () => {
  const served = await Served.start()
  const run = (name: string) => served.do(name, '/api/scenarios/run')
  for (const name of ['', 'no-such', '../files/leader-kill', '/etc/passwd', 'leader-kill.yaml'])
    expect(await run(name)).toMatchObject({ status: 400, code: 'BAD_INPUT' })
  expect(await served.raw('GET', '/api/scenarios/run')).toMatchObject({ status: 404 })
  expect(await served.raw('DELETE', '/api/scenarios/run')).toMatchObject({ status: 404 })
})
