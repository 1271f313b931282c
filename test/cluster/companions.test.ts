/** Companions are told of the lives of a cluster's nodes: each beginning once, the faults before it, the end last. */
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Cluster, type Companion, RaftError } from '../../src/cluster/index.js'
import { done, played, turn } from './played.js'
import { startedCluster } from './support.js'

/** A companion, and all that it was told, in order. */
function listening(more: Partial<Companion> = {}): { companion: Companion; told: string[] } {
  const told: string[] = []
  const companion: Companion = {
    name: 'a port',
    shown: (nodeId, faults) => void told.push(`${nodeId} has ${faults.map(({ fault }) => fault.type)}`),
    began: async (nodeId) => void told.push(`${nodeId} began`),
    ended: (nodeId) => void told.push(`${nodeId} ended`),
    removed: (nodeId) => void told.push(`${nodeId} was removed`),
    ...more,
  }
  return { companion, told }
}

const livesOf = (told: readonly string[]) => told.filter((line) => !line.includes('has'))

/** An answer that the test gives when it will. */
function later(): { answer: Promise<unknown>; give: (answer: unknown) => void } {
  let give: (answer: unknown) => void = () => undefined
  const answer = new Promise((resolve) => {
    give = resolve
  })
  return { answer, give }
}

function oneNode(): Promise<Cluster> {
  return startedCluster({ nodes: 1, host: 'inline' })
}

test('a node that is just starting is told of once, when it runs', async () => {
  const { members, startsAs } = played()
  const { companion, told } = listening()
  const { answer, give } = later()
  startsAs(answer)
  const started = members.start()
  await members.accompany(companion)
  expect(told).toEqual([])
  give(done)
  await started
  expect(livesOf(told)).toEqual(['1 began', '2 began'])
})

test('a companion that joins while another one is told of a node is told of it once', async () => {
  const { members, startsAs } = played()
  const second = listening()
  const first = listening({
    began: async (nodeId) => {
      if (nodeId === 1) await members.accompany(second.companion)
    },
  })
  await members.accompany(first.companion)
  startsAs(Promise.resolve(done))
  await members.start()
  expect(livesOf(second.told).sort()).toEqual(['1 began', '2 began'])
})

test('the nodes that run are told of in the order of their ids', async () => {
  const { members, nodes } = played()
  await members.start()
  const killed = members.kill(1)
  nodes[0]?.letEnd()
  await killed
  await members.restart(1)
  const { companion, told } = listening()
  await members.accompany(companion)
  expect(livesOf(told)).toEqual(['1 began', '2 began'])
})

test('a node that ends while it starts has neither a beginning nor an end', async () => {
  const { members, nodes, startsAs } = played()
  await members.start()
  const killed = members.kill(1)
  nodes[0]?.letEnd()
  await killed
  const { companion, told } = listening()
  await members.accompany(companion)
  const { answer, give } = later()
  startsAs(answer)
  const restarted = members.restart(1)
  while (nodes[2] === undefined) await turn()
  const killedAgain = members.kill(1)
  give(done)
  nodes[2].letEnd()
  await Promise.all([restarted, killedAgain])
  expect(livesOf(told)).toEqual(['2 began'])
})

test('the faults that stand at a node are told before its beginning, each time', async () => {
  const cluster = await oneNode()
  await cluster.cut('clients', 1)
  const { companion, told } = listening()
  onTestFinished(await cluster.accompany(companion))
  expect(told).toEqual(['1 has cut', '1 began'])
  await cluster.kill(1)
  told.length = 0
  await cluster.restart(1)
  expect(told.slice(0, told.indexOf('1 began')).at(-1)).toBe('1 has cut,kill')
})

test('the end of a node is the last that is told of its life, and finds the node ended everywhere', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  const found: unknown[] = []
  const { companion, told } = listening({
    ended: () => {
      told.push('1 ended')
      found.push(
        cluster.status()[0]?.state,
        cluster.faults.map(({ fault }) => fault.type),
      )
    },
  })
  onTestFinished(await cluster.accompany(companion))
  await cluster.pause(1)
  told.length = 0
  await cluster.kill(1)
  expect(told.at(-1)).toBe('1 ended')
  expect(found).toEqual(['stopped', ['kill']])
})

test('a companion that is told of the failure of a node finds its reason', async () => {
  const { members, nodes } = played()
  await members.start()
  const found: unknown[] = []
  const { companion } = listening({ ended: () => void found.push(members.status()[0]?.failure) })
  await members.accompany(companion)
  nodes[0]?.exited('its thread ended')
  expect(found).toEqual(['its thread ended'])
})

test('a node that is added, and whose companion cannot begin, is ended before it is forgotten', async () => {
  const cluster = await oneNode()
  const { companion, told } = listening()
  const refusing: Companion = {
    ...companion,
    began: async (nodeId) => {
      if (nodeId === 2) throw new RaftError('STOPPED', { what: 'the companion' })
    },
  }
  await cluster.accompany(refusing)
  await expect(cluster.addNode({ learner: true })).rejects.toMatchObject({ code: 'STOPPED' })
  expect(livesOf(told)).toEqual(['2 ended', '2 was removed'])
  expect(cluster.status().map(({ nodeId }) => nodeId)).toEqual([1])
})

test.each(['shown', 'ended', 'removed'] as const)(
  '[EV8] a companion that throws on %s is a warning, and others are told',
  async (method) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    onTestFinished(() => warn.mockRestore())
    const cluster = await startedCluster({ nodes: 1, host: 'inline' })
    const throwing = listening({
      [method]: () => {
        throw new Error('a bug of mine')
      },
    })
    const { companion, told } = listening()
    await cluster.accompany(throwing.companion)
    await cluster.accompany(companion)
    const added = await cluster.addNode({ learner: true })
    await cluster.cut('clients', added)
    expect(await cluster.removeNode(added)).toEqual([added])
    expect(told).toContain(`${added} has cut`)
    expect(livesOf(told).slice(1)).toEqual(['2 began', '2 ended', '2 was removed'])
    await cluster.kill(1)
    await cluster.restart(1)
    expect(warn).toHaveBeenCalledWith(
      `a companion of a cluster's nodes threw on '${method}'`,
      expect.objectContaining({ type: 'RaftboxWarning' }),
    )
  },
)

test.each<[string, () => Promise<void>]>([
  ['rejects', async () => Promise.reject(new Error('a bug of mine'))],
  [
    'throws',
    () => {
      throw new Error('a bug of mine')
    },
  ],
])(
  '[EV8] a node whose companion %s at its beginning does not run, and the call tells why',
  async (_, bug) => {
    const cluster = await oneNode()
    let began: () => Promise<void> = async () => undefined
    await cluster.accompany(listening({ began: () => began() }).companion)
    await cluster.kill(1)
    const others = await startedCluster({ nodes: 1, host: 'inline' })
    await others.accompany(
      listening({ began: (nodeId) => (nodeId === 1 ? Promise.resolve() : bug()) }).companion,
    )
    began = bug
    for (const call of [cluster.restart(1), others.addNode({ learner: true })])
      await expect(call).rejects.toMatchObject({
        code: 'NODE_FAILED',
        details: { why: 'a companion of it failed: a port: a bug of mine' },
      })
    expect(cluster.status()[0]?.state).toBe('stopped')
    expect(others.status().map(({ nodeId }) => nodeId)).toEqual([1])
  },
)

const never = () => new Promise<void>(() => undefined)

test('a companion without a name is refused: an error could not name it', async () => {
  const cluster = await oneNode()
  const { companion } = listening()
  const nameless = { ...companion, name: undefined } as unknown as Companion
  await expect(cluster.accompany(nameless)).rejects.toThrow(
    /an object with a name .* one whose name is undefined/,
  )
})

test('[EV8] a companion that does not begin in time is named, and its node does not run', async () => {
  const { members, nodes } = played()
  await members.accompany(listening({ began: never }).companion)
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const started = members.start().catch((error: RaftError) => error)
  await turn()
  vi.advanceTimersByTime(20_000)
  while (nodes.some(({ isEnded }) => !isEnded)) await turn()
  for (const node of nodes) node.letEnd()
  expect(await started).toMatchObject({
    code: 'NODE_FAILED',
    message: expect.stringMatching(
      /a companion of it failed: a port has not begun at node 1 within 10000 ms: let /,
    ),
  })
})

test('[EV8] a companion that joins and does not begin in time is refused by its name', async () => {
  const { members } = played()
  await members.start()
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const joined = members.accompany(listening({ began: never }).companion).catch((error: RaftError) => error)
  await turn()
  vi.advanceTimersByTime(20_000)
  expect(await joined).toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringMatching(
      /^companion: one that can begin .*, not one that fails: a port has not begun /,
    ),
  })
})

test('[EV8] a companion that never begins keeps neither the close nor a call waiting', async () => {
  const cluster = await oneNode()
  const others = await oneNode()
  let began: () => Promise<void> = async () => undefined
  await cluster.accompany(listening({ began: () => began() }).companion)
  began = never
  await cluster.kill(1)
  const restarted = cluster.restart(1).catch((error: RaftError) => error)
  while (cluster.leaderId === undefined) await turn()
  const joined = others.accompany(listening({ began: never }).companion)
  await Promise.all([cluster.close(), others.close()])
  expect(await restarted).toMatchObject({ code: 'STOPPED', message: 'node 1 is stopped' })
  await joined
})
