/** Traces of real clusters, as a collector sees them. */
import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Cluster } from '../../src/cluster/index.js'
import { type TraceOptions, Traces } from '../../src/traces/index.js'
import { convergedHashes, startedCluster, temporaryFolder } from '../cluster/support.js'
import { type Collector, type Seen, Seens, startedCollector } from './collector.js'

interface Traced {
  readonly cluster: Cluster
  readonly traces: Traces
}

/** A cluster of three whose traces go to the collector. */
async function traced({ url }: Collector, options: Omit<TraceOptions, 'to'> = {}): Promise<Traced> {
  const traces = await Traces.open({ to: url, ...options })
  onTestFinished(async () => void (await traces.close()))
  const cluster = await startedCluster({ nodes: 3 })
  traces.follow(cluster)
  return { cluster, traces }
}

/** All that was traced, once the cluster is closed. */
async function ended({ cluster, traces }: Traced, { spans }: Collector): Promise<Seens[]> {
  await convergedHashes(cluster)
  await cluster.close()
  await traces.close()
  return Seens.traces(spans)
}

const commandsOf = (all: readonly Seens[]): Seens[] => all.filter(({ root }) => root.name === 'command')

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('the spans of one command nest, and add up across nodes', async () => {
  const collector = await startedCollector()
  const system = await traced(collector)
  const { index } = await system.cluster.put('key', 'value')
  const [command, ...others] = commandsOf(await ended(system, collector))
  expect(others).toEqual([])
  if (command === undefined) throw new Error('there is no trace')
  const { root, all } = command
  expect([root.service, root.attributes['raftbox.index']]).toEqual(['raftbox', String(index)])

  const lead = command.one('lead')
  const leader = lead.service
  const followers = command.named('follow').map(({ service }) => service)
  expect([leader, ...followers].sort()).toEqual(['raftbox node 1', 'raftbox node 2', 'raftbox node 3'])
  for (const span of all) {
    expect(span.start <= span.end, span.name).toBe(true)
    const parent = command.parentOf(span)
    if (parent === undefined) continue
    expect(parent.start <= span.start, `${span.name} begins within ${parent.name}`).toBe(true)
    if (parent.service === span.service) expect(span.end <= parent.end, `${span.name} ends within`).toBe(true)
  }
  const inOrder = (...spans: readonly Seen[]): void => {
    for (const [at, { end, name }] of spans.slice(1).entries())
      expect((spans[at] as Seen).end <= end, `${spans[at]?.name} before ${name}`).toBe(true)
  }
  inOrder(
    command.one('appended'),
    ...['committed', 'applied', 'answered'].map((name) => command.one(name, leader)),
    root,
  )
  for (const follower of followers) {
    const peer = follower.replace('raftbox node ', '')
    const ofPeer = (name: string): Seen =>
      command.named(name, leader).find(({ attributes }) => attributes['raftbox.peer'] === peer) as Seen
    const at = (name: string): Seen => command.one(name, follower)
    inOrder(ofPeer('sent'), at('received'), at('flushed'), ofPeer('acknowledged'))
    inOrder(command.one('committed', leader), at('committed'), at('applied'))
    expect(ofPeer('acknowledged').links).toEqual([at('flushed').spanId])
    expect(at('committed').links).toEqual([command.one('committed', leader).spanId])
  }
})

test('a commit waits for the flushes of a majority, and links to the promise that made it', async () => {
  const collector = await startedCollector()
  const system = await traced(collector)
  await system.cluster.put('key', 'value')
  const [command] = commandsOf(await ended(system, collector))
  const committed = command?.all.find(({ name, kind }) => name === 'committed' && kind === 1)
  const promise = command?.byId(committed?.links[0])
  expect(['flushed', 'acknowledged']).toContain(promise?.name)
  const flushed = command?.named('flushed').filter(({ end }) => end <= (committed as Seen).end) ?? []
  expect(flushed.length).toBeGreaterThanOrEqual(2)
})

test('the span that a traceparent names is the parent, whatever the share', async () => {
  const collector = await startedCollector()
  const system = await traced(collector, { share: 0 })
  const { cluster, traces } = system
  await traces.within(traceparent, () => cluster.put('key', 'value'))
  await traces.within(traceparent.replace(/01$/, '00'), () => cluster.put('key', 'not recorded'))
  await cluster.put('key', 'of nobody')
  const [command, ...others] = commandsOf(await ended(system, collector))
  expect(others).toEqual([])
  const { traceId, parentSpanId } = (command as Seens).root
  expect(`00-${traceId}-${parentSpanId}-01`).toBe(traceparent)
})

test('the span in the active context of the API is the parent', async () => {
  let active: Context = ROOT_CONTEXT
  const manager = { active: () => active, enable: () => manager, disable: () => manager } as ContextManager
  context.setGlobalContextManager(manager)
  onTestFinished(() => context.disable())
  const collector = await startedCollector()
  const system = await traced(collector, { share: 0 })
  const own = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: 1 }
  active = trace.setSpanContext(ROOT_CONTEXT, own)
  const putting = system.cluster.put('key', 'value')
  active = ROOT_CONTEXT
  await putting
  const [command] = commandsOf(await ended(system, collector))
  expect(command?.root).toMatchObject({ traceId: own.traceId, parentSpanId: own.spanId })
})

test('an election shows who missed the leader, who campaigned, and who voted how', async () => {
  const collector = await startedCollector()
  const system = await traced(collector, { share: 0 })
  const { cluster } = system
  await cluster.put('key', 'value')
  const killed = await cluster.kill('leader')
  await cluster.put('key', 'other')
  await cluster.restart(killed)
  const elections = await ended(system, collector)
  expect(elections.map(({ root }) => root.name)).toEqual(['election', 'election'])
  const second = elections[1] as Seens
  const { attributes, service } = second.root
  expect(attributes).toMatchObject({ 'raftbox.cause': 'killed', 'raftbox.leader_before': String(killed) })
  const won = second.named('candidacy', service).at(-1) as Seen
  expect(won.attributes['raftbox.outcome']).toMatch(/leads term/)
  const decided = second.byId(won.links[0])
  expect(decided).toMatchObject({ name: 'vote', parentSpanId: won.spanId })
  // A candidate whose answer is slow asks again, and the voter says that it has voted for it.
  const reason = expect.stringMatching(/^(logUpToDate|votedBefore)$/)
  expect(decided?.attributes).toMatchObject({ 'raftbox.granted': 'true', 'raftbox.reason': reason })
  expect(second.named('pre-vote', service).length).toBeGreaterThan(0)
})

test('a snapshot shows its sending and its installing', async () => {
  const collector = await startedCollector()
  const system = await traced(collector, { share: 0 })
  const { cluster } = system
  await cluster.put('key', 'value')
  const killed = (await cluster.kill('follower')) as number
  for (let at = 0; at < 20; at++) await cluster.put(`key ${at}`, 'value')
  await cluster.snapshot()
  await cluster.restart(killed)
  const snapshot = await vi.waitFor(
    () => {
      const found = Seens.traces(collector.spans).find(({ root }) => root.name === 'snapshot')
      if (found === undefined) throw new Error('there is no trace of a snapshot yet')
      return found
    },
    { timeout: 10_000 },
  )
  expect(snapshot.root.status).not.toMatchObject({ code: 2 })
  const installing = snapshot.one('installing', `raftbox node ${killed}`)
  expect(snapshot.parentOf(installing)?.name).toBe('sending')
  expect(installing.end <= snapshot.root.end).toBe(true)
})

test('a call that fails has a trace that tells so', async () => {
  const collector = await startedCollector()
  const system = await traced(collector)
  await system.cluster.put('key', 'value')
  const late = system.cluster.put('key', 'other')
  await system.cluster.close()
  await expect(late).rejects.toThrow()
  await system.traces.close()
  const failed = collector.spans.filter(({ name, status }) => name === 'command' && status.code === 2)
  expect(failed.map(({ status }) => status.message)).toEqual(['STOPPED'])
})

test.each<[string, (collector: Collector) => string, RegExp]>([
  ['refuses', ({ url }) => url, /traces are dropped, and counted/],
  ['is away', () => 'http://127.0.0.1:9', /traces are dropped, and counted/],
])('a collector that %s costs spans, which are counted and told once', async (_, placeOf, told) => {
  const warnings: string[] = []
  const warned = vi
    .spyOn(process, 'emitWarning')
    .mockImplementation((line) => void warnings.push(String(line)))
  onTestFinished(() => warned.mockRestore())
  const collector = await startedCollector((response) => response.writeHead(400).end('{}'))
  const system = await traced({ ...collector, url: placeOf(collector) })
  for (let at = 0; at < 3; at++) await system.cluster.put('key', 'value')
  await system.cluster.close()
  const { calls, spansSent, spansDropped } = await system.traces.close()
  expect([calls, spansSent]).toEqual([3, 0])
  expect(spansDropped).toBeGreaterThanOrEqual(3 * 10)
  expect(warnings.filter((line) => told.test(line))).toHaveLength(1)
})

test('a collector that never answers keeps nobody from closing', async () => {
  const collector = await startedCollector(() => undefined)
  const system = await traced(collector)
  await system.cluster.put('key', 'value')
  await system.cluster.close()
  const { spansSent, spansDropped } = await system.traces.close()
  expect(spansSent).toBe(0)
  expect(spansDropped).toBeGreaterThan(0)
})

test('a share of none traces no command, and a look tells what came of the traces', async () => {
  const collector = await startedCollector()
  const system = await traced(collector, { share: 0 })
  await system.cluster.put('key', 'value')
  expect(system.cluster.look().calls.traces).toMatchObject({ calls: 0, callsDropped: 0 })
  expect(commandsOf(await ended(system, collector))).toEqual([])
})

test('a cluster is followed by one Traces at a time, and by none once that is closed', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  const opened = async (): Promise<Traces> => {
    const traces = await Traces.open({ to: `${temporaryFolder()}/traces.jsonl` })
    onTestFinished(async () => void (await traces.close()))
    return traces
  }
  const [first, second] = [await opened(), await opened()]
  const listeners = cluster.events.listenerCount('event')
  first.follow(cluster)
  expect(() => second.follow(cluster)).toThrow(/^tracer: one at a time: close the Traces that follow/)
  await cluster.put('key', 'value')
  await first.close()
  expect(cluster.look().calls.traces).toBeUndefined()
  expect(() => first.follow(cluster)).toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      message: 'follow: Traces that are open, not closed ones: open others for the cluster',
    }),
  )
  expect(cluster.events.listenerCount('event')).toBe(listeners)
  second.follow(cluster)
  await cluster.put('key', 'other')
  expect((await first.close()).calls).toBe(1)
  expect((await second.close()).calls).toBe(1)
})

test('calls that are not answered when the traces end are counted as dropped', async () => {
  const collector = await startedCollector()
  const system = await traced(collector)
  await system.cluster.put('key', 'value')
  system.traces.choose()
  expect(await system.traces.close()).toMatchObject({ calls: 1, callsDropped: 1 })
})

test('calls that the thread of the traces has taken to its end are counted as dropped, and the others go on', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  onTestFinished(() => warned.mockRestore())
  const { cluster, traces } = await traced(await startedCollector())
  traces.choose()
  // The thread cannot read a happening that is none.
  cluster.events.emit('event', null as never)
  await vi.waitFor(() => expect(cluster.look().calls.traces).toMatchObject({ calls: 0, callsDropped: 1 }))
  expect(warned).toHaveBeenCalledWith(
    expect.stringMatching(/^the thread of the traces has failed/),
    expect.anything(),
  )
  await cluster.put('key', 'value')
  expect(await traces.close()).toMatchObject({ calls: 0, callsDropped: 1 })
})

test('without traces, a look tells of none', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  expect(cluster.look().calls.traces).toBeUndefined()
})

test.each<[TraceOptions, RegExp]>([
  [{ share: 2 }, /^share: a number from 0 to 1, not 2$/],
  [{ to: 'ftp://somewhere' }, /^to: an http or https URL of a collector/],
  [{ to: '' }, /^to: the URL of a collector, .* or a file, not ''$/],
  [{ to: `${'/not/there'}/file` }, /^to: what can take traces \(ENOENT/],
  [{ at: 1 } as TraceOptions, /an option of Traces.open/],
])('options that do not fit are refused: %j', async (options, message) => {
  await expect(Traces.open(options)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringMatching(message),
  })
})

test('a traceparent that is none is refused, and the call is not made', async () => {
  const traces = await Traces.open({ to: `${temporaryFolder()}/traces.jsonl`, share: 0 })
  onTestFinished(async () => void (await traces.close()))
  const call = vi.fn()
  for (const bad of [
    '',
    'x',
    traceparent.toUpperCase(),
    `${traceparent}-more`,
    traceparent.replace(/b7.*1-/, `${'0'.repeat(16)}-`),
  ])
    expect(() => traces.within(bad, call)).toThrow(/^traceparent: a W3C traceparent, as in/)
  expect(call).not.toHaveBeenCalled()
  expect(traces.within(traceparent.replace(/^00(.*)$/, '01$1-more'), () => 'made')).toBe('made')
})
