import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { errors, RaftError, valueBytesMax } from '../../src/cluster/index.js'
import { NodeThread } from '../../src/node/index.js'
import { readTree, stringsOf } from '../house/source-tree.js'
import { nextEvent, startedCluster, temporaryFolder } from './support.js'

test('every error code is raised by a test', () => {
  const strings = [...readTree('test').values()].flatMap(stringsOf)
  for (const code of Object.keys(errors)) expect(strings, `${code} is raised by no test`).toContain(code)
})

test.each([
  ['NO_LEADER', 'try again once a majority of the voters runs'],
  ['NO_SESSION', 'try again once a majority of the voters answers'],
  ['READ_TIMEOUT', 'a read changes nothing: try again'],
  ['REPLACED', 'was not applied: try again'],
  ['UNKNOWN_OUTCOME', 'look before you try again'],
] as const)('the line of %s says what to do next, and then where it comes from', (code, remedy) => {
  const { message } = new RaftError(code, { deadlineMs: 9, why: 'a reason', because: 'node 1 failed' })
  expect(message).toContain(remedy)
  expect(message).toMatch(/: node 1 failed$/)
})

test('a value that would outgrow its bound is refused by the machine, and stays as it was', async () => {
  const cluster = await startedCluster({ nodes: 1 })
  await cluster.put('a', 'v'.repeat(valueBytesMax))
  await expect(cluster.append('a', '+')).rejects.toMatchObject({
    code: 'REFUSED_BY_MACHINE',
    mayHaveHappened: 'no',
  })
  expect((await cluster.get('a'))?.value.byteLength).toBe(valueBytesMax)
})

test('[MB3] a call to a node whose thread has ended ends too', async () => {
  const node = new NodeThread(1, false, () => undefined)
  await node.end()
  expect(await node.hash()).toMatchObject({ ok: false, code: 'NODE_FAILED', details: { nodeId: 1 } })
})

test('a node whose thread stands still answers nothing, and is ended from outside', async () => {
  const machine = pathToFileURL('test/machine/fixtures/frozen.mjs')
  const cluster = await startedCluster({ nodes: 1, machine })
  await cluster.propose(new Uint8Array(1))
  await expect(cluster.hashes()).rejects.toMatchObject({
    code: 'NO_ANSWER',
    message: 'node 1 did not answer the question for its hash within 10000 ms',
  })
  await cluster.close()
})

test('[OU1][MB3] calls name the error at which the machine of each node stops, also at the next start', async () => {
  const machine = pathToFileURL('test/machine/fixtures/apply-throws.mjs')
  const options = { nodes: 1, dir: temporaryFolder(), machine, requestTimeoutMs: 3000 }
  const first = await startedCluster(options)
  const message = expect.stringContaining('node 1 failed: this command makes no sense')
  await first.propose(Buffer.from('1'))
  const [bad] = await Promise.allSettled([first.propose(Buffer.from('bad'))])
  expect(bad).toMatchObject({ reason: { code: 'UNKNOWN_OUTCOME', message } })
  await first.close()
  const second = await startedCluster(options)
  await expect(second.query(Buffer.from(''))).rejects.toMatchObject({ code: 'READ_TIMEOUT', message })
  await expect(second.propose(Buffer.from('1'))).rejects.toMatchObject({ code: 'NO_LEADER', message })
  await expect(second.kill(1)).rejects.toMatchObject({
    code: 'STOPPED',
    message: expect.stringContaining('no sense'),
  })
})

test('[MB3] a node whose disk has no room stops with the reason', async () => {
  const cluster = await startedCluster({ nodes: 1, diskBytesMax: 1 << 20, requestTimeoutMs: 2000 })
  const failed = nextEvent(cluster, ({ type }) => type === 'failed')
  const codes = new Set<string>()
  for (let n = 0; cluster.status()[0]?.state === 'running'; n++) {
    await cluster.put(`k${n}`, 'v'.repeat(100_000)).catch(({ code }) => codes.add(code))
  }
  expect(await failed).toMatchObject({ nodeId: 1, why: expect.stringContaining('disk full') })
  expect(cluster.status()[0]).toMatchObject({ failure: expect.stringContaining('disk full') })
  // What was under way when the disk was full may be on it; nothing after it was sent.
  for (const code of codes) expect(['UNKNOWN_OUTCOME', 'NO_LEADER']).toContain(code)
})
