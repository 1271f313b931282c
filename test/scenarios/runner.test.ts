/** The verdict of a scenario is red where it should be. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkHistory, keyValue, parseOperation } from '../../src/check/index.js'
import { keepOperations } from '../../src/cli/operations-file.js'
import { RaftError } from '../../src/errors/index.js'
import { parseScenario, runScenario, type ScenarioResult } from '../../src/scenarios/index.js'
import { MadeUpHost } from './made-up-host.js'

const head = 'name: try\nteaches: nothing\nload: { clients: 2, rate: 100/s }\nsteps:\n'

async function run(host: MadeUpHost, rest: string, told: string[] = []): Promise<ScenarioResult> {
  const { signal } = new AbortController()
  const tell = (line: string): void => void told.push(line)
  const options = { seed: 1, signal, tell, keep: keepOperations }
  return runScenario(parseScenario(head + rest, 'try.yaml'), host, options)
}

const killing = `  - let: old = leader
  - kill old
  - until: a new leader
  - until: 20 more writes
expect:
  - leader changed
  - elections at most 1
  - unavailable at most 3 election timeouts
  - writes at least 20
  - nothing lost
  - all nodes equal
`

test('a cluster that keeps its promises passes', async () => {
  const host = new MadeUpHost()
  const told: string[] = []
  const result = await run(host, killing, told)
  expect(result).toMatchObject({
    name: 'try',
    host: 'simulated',
    seed: 1,
    verdict: 'passed',
    failedStep: undefined,
    brokenPromises: [],
    elections: 1,
    leaderChanges: 1,
    lost: 0,
  })
  expect(result.expectations.map(({ text, met }) => `${met} ${text}`)).toEqual([
    'true leader changed',
    'true elections at most 1',
    'true unavailable at most 3 election timeouts',
    'true writes at least 20',
    'true nothing lost',
    'true all nodes equal',
  ])
  expect(result.unavailableMs).toBeGreaterThanOrEqual(1000)
  expect(result.unavailableTotalMs).toBe(result.unavailableMs)
  // The line is carried out at the node that the name stands for.
  expect(host.carriedOut).toEqual(['kill 1'])
  expect(told).toEqual(
    expect.arrayContaining([
      '  the cluster is ready; times count from the first step, which comes next',
      'let old = leader',
      '  old is node 1',
      'kill old',
      '  node 2 becomes leader',
    ]),
  )
})

test.each([
  ['leader unchanged', 'node 1 led at first, and node 2 leads now'],
  ['elections at least 2', '1'],
  ['leader changes at most 0', '1'],
  ['unavailable at most 1 election timeout', /^1\d{3} ms$/],
  ['unavailable at least 5s', /^1\d{3} ms$/],
  ['writes at least 10000', /^\d+$/],
  ['node 2 failed', 'node 1 follower, node 2 leader, node 3 follower'],
  ['a call refused as OVERLOADED', 'NO_LEADER'],
  ['election cause is pause', 'no election'],
])('an expectation that is not met fails: %s', async (expected, found) => {
  const { verdict, expectations, brokenPromises } = await run(
    new MadeUpHost(),
    `  - kill leader\n  - until: a new leader\n  - until: 1 more writes\nexpect:\n  - ${expected}\n`,
  )
  expect(verdict).toBe('failed')
  expect(brokenPromises).toEqual([])
  expect(expectations).toEqual([{ text: expected, met: false, found: expect.stringMatching(found) }])
})

test('an expectation among the steps is asked at its place', async () => {
  const rest = '  - expect: elections at most 0\n  - kill leader\n  - until: a new leader\n'
  const { verdict, expectations } = await run(new MadeUpHost(), rest)
  expect(verdict).toBe('passed')
  expect(expectations).toEqual([{ text: 'elections at most 0', met: true, found: '0' }])
})

test('a write that was acknowledged and is not there is lost, and told', async () => {
  const host = new MadeUpHost()
  let writes = 0
  host.endOf = () => (++writes === 50 ? 'forgotten' : undefined)
  const { verdict, lost, brokenPromises } = await run(host, '  - for: 2s\n')
  expect(verdict).toBe('failed')
  expect(lost).toBeGreaterThan(0)
  expect(brokenPromises[0]).toMatch(
    /^'client-\d-\d' holds .*: lost are 1 of \d+ acknowledged writes, of which the last is /,
  )
})

test('a write that was told as not done and is there is a broken promise', async () => {
  const host = new MadeUpHost()
  let writes = 0
  host.endOf = (key, value) => {
    if (++writes < 50) return undefined
    host.keep(key, value)
    return { type: 'notDone', code: 'REPLACED' }
  }
  const { verdict, brokenPromises } = await run(host, '  - for: 2s\n')
  expect(verdict).toBe('failed')
  expect(brokenPromises[0]).toMatch(/which no client was told to be possible$/)
})

test('a write of unknown outcome may be there, or not', async () => {
  const host = new MadeUpHost()
  let writes = 0
  host.endOf = (key, value) => {
    writes++
    if (writes % 4 !== 0) return undefined
    if (writes % 8 === 0) host.keep(key, value)
    return { type: 'unknown', why: 'its node is gone' }
  }
  const { verdict, unknown, brokenPromises } = await run(host, '  - for: 2s\n')
  expect(brokenPromises).toEqual([])
  expect(verdict).toBe('passed')
  expect(unknown).toBeGreaterThan(10)
})

test('a stale read of another client’s key is a broken promise', async () => {
  const host = new MadeUpHost()
  const key = 'client-1-1'
  const versions: string[] = []
  let isOver = false
  host.endOf = (written, value) => {
    if (written === key) versions.push(value)
    return undefined
  }
  // The first look at the key of client 1 is that of client 0, after its second write.
  host.shows = (read, shown) => {
    if (read !== key || isOver) return shown
    isOver = true
    expect(shown.version).toBe(2)
    return { ...shown, value: versions[0] }
  }
  const { verdict, brokenPromises } = await run(host, '  - for: 3s\n')
  expect(verdict).toBe('failed')
  const [broken = '', ...others] = brokenPromises
  expect(others).toEqual([])
  expect(broken).toContain(
    "the calls on 'client-1-1' are not linearizable: no order explains " +
      'put "client-1-1" "1:1" by client 1, put "client-1-1" "1:9" by client 1, get "client-1-1" → "1:1" by client 0; ',
  )
  // The calls are kept, as `raftbox check` reads them.
  const [, file = ''] = broken.match(/raftbox check (\S+) --html why.html/) ?? []
  const kept = readFileSync(file, 'utf8').trimEnd().split('\n').map(parseOperation)
  expect(checkHistory(kept, keyValue).failedKeys).toEqual([key])
})

test('nodes that are not equal in the end, and what a checker found, are broken promises', async () => {
  const host = new MadeUpHost()
  host.hashesOfNodes = ['a', 'a', 'b']
  host.violation = 'election safety: two leaders in term 3'
  const { verdict, brokenPromises, expectations } = await run(
    host,
    '  - for: 1s\nexpect:\n  - all nodes equal\n',
  )
  expect(verdict).toBe('failed')
  expect(brokenPromises).toEqual([
    'the nodes are not equal: a at 10, b at 10',
    'election safety: two leaders in term 3',
  ])
  expect(expectations[0]?.met).toBe(false)
})

test.each([
  [['a', 'a'], 'a at 10, 1 of 3 nodes told no state'],
  [[], '3 of 3 nodes told no state'],
])('nodes that told no state are not equal to the others: %j', async (told, why) => {
  const host = new MadeUpHost()
  host.hashes = async () => {
    await host.until(() => false, 10_000)
    return new Map(told.map((hash, at) => [at + 1, { lastApplied: 10, hash }]))
  }
  const { brokenPromises } = await run(host, '  - for: 1s\n')
  expect(brokenPromises).toEqual([`the nodes are not equal: ${why}`])
})

test('nodes are compared until one deadline, however long they take to answer and to come to one index', async () => {
  const host = new MadeUpHost()
  const askedAtMs: number[] = []
  const nodes = host.nodes()
  host.nodes = () => nodes.map((node) => ({ ...node, lastIndex: 10 + askedAtMs.length }))
  host.hashes = async () => {
    askedAtMs.push(host.now())
    await host.until(() => false, 10_000)
    return new Map(host.nodeIds.map((nodeId) => [nodeId, { lastApplied: nodeId, hash: 'a' }]))
  }
  const { brokenPromises } = await run(host, '  - for: 1s\n')
  expect(brokenPromises).toEqual(['the nodes are not equal: a at 1, a at 2, a at 3'])
  const [first = 0, ...others] = askedAtMs
  expect(others).toEqual([first + 30_000])
})

test('a condition that does not come about ends the steps, with the line and what was there instead', async () => {
  const rest = '  - until: node 3 leads\n    within: 2s\n  - kill leader\n'
  const host = new MadeUpHost()
  const { verdict, failedStep } = await run(host, rest)
  expect(verdict).toBe('failed')
  expect(failedStep).toBe(
    "line 5, 'until node 3 leads' did not come about within 2 s: node 1 leader, node 2 follower, node 3 follower",
  )
  expect(host.carriedOut).toEqual([])
})

test('the peak of the memory is no less than its end, also where it grew just before', async () => {
  const host = new MadeUpHost()
  const grown: Buffer[] = []
  host.later(500, () => grown.push(Buffer.alloc(128 << 20, 1)))
  const { rss } = await run(host, '  - for: 1s\n')
  expect(grown).toHaveLength(1)
  expect(rss.peakMiB).toBeGreaterThanOrEqual(rss.endMiB)
})

test('faults that a nemesis drew are counted', async () => {
  const { nemesis, verdict } = await run(new MadeUpHost(), '  - nemesis: 2s\n')
  expect(verdict).toBe('passed')
  expect(nemesis).toEqual({ cut: 3 })
})

test('a key that cannot be read back is a broken promise, and one that can be read later is not', async () => {
  const host = new MadeUpHost()
  host.reads = (key) => key !== 'client-0-1' && (key !== 'client-0-2' || host.now() % 2000 < 1000)
  const { brokenPromises } = await run(host, '  - for: 1s\n')
  expect(brokenPromises).toEqual(['1 keys could not be read back'])
})

test('a leader that was there before is no new leader', async () => {
  const host = new MadeUpHost()
  host.isMoved = false
  const { failedStep } = await run(host, '  - kill 2\n  - until: a new leader\n    within: 1s\n')
  expect(failedStep).toMatch(/^line 6, 'until a new leader' did not come about within 1 s: /)
})

test('an interrupted run ends at once, and its clients with it', async () => {
  const host = new MadeUpHost()
  const interruption = new AbortController()
  host.later(2000, () => interruption.abort())
  const scenario = parseScenario(`${head}  - for: 60s\n`, 'try.yaml')
  const { signal } = interruption
  await expect(runScenario(scenario, host, { seed: 1, signal, tell: () => {} })).rejects.toThrow('aborted')
  expect(host.now()).toBeLessThan(3000)
  await host.until(() => false, 1000)
  const { calls } = host
  await host.until(() => false, 10_000)
  expect(host.calls).toBe(calls)
})

test('a cluster that cannot be healed has broken its promises', async () => {
  const host = new MadeUpHost()
  host.healAll = () => Promise.reject(new RaftError('STORAGE_FAILED', { nodeId: 2, why: 'it is damaged' }))
  const { verdict, brokenPromises } = await run(host, '  - for: 1s\n')
  expect(verdict).toBe('failed')
  expect(brokenPromises).toEqual([
    'the healed cluster did not come right: the log of node 2 cannot be used: it is damaged',
  ])
})
