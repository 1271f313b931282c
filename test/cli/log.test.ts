import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { convergedHashes, startedCluster } from '../cluster/support.js'
import { lastLine, run, temporaryFolder } from './raftbox.js'

/** The directory of a cluster that put some keys and was closed. */
async function usedDirectory(): Promise<string> {
  const dir = temporaryFolder()
  const cluster = await startedCluster({ dir })
  for (let key = 1; key <= 3; key++) await cluster.put(`key${key}`, 'value')
  await convergedHashes(cluster)
  await cluster.close()
  return dir
}

test('log shows the logs of a directory at rest', async () => {
  const dir = await usedDirectory()
  const { code, stdout, stderr } = await run(['log', dir, '2', '5', '--node', '2'])
  expect([code, stderr]).toEqual([0, ''])
  const lines = stdout.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^node 2: term \d+, (no vote|vote for node \d); entries 1 to \d+$/)
  expect(lines.slice(1).map((line) => line.replace(/ +/g, ' '))).toEqual([
    'index term bytes flushed committed command',
    expect.stringMatching(/^2 \d+ 9 yes \? \(a client begins a session of 60,000 ms\)$/),
    expect.stringMatching(/^3 \d+ 29 yes \? \(call 1 of session 2: 1 command\)$/),
    expect.stringMatching(/^4 \d+ 12 yes \? put key1 value$/),
    expect.stringMatching(/^5 \d+ 29 yes \? \(call 2 of session 2: 1 command\)$/),
  ])
  const { nodes } = lastLine((await run(['log', dir, '--json'])).stdout) as {
    nodes: { lastIndex: number; entries: { kind: string }[] }[]
  }
  for (const { entries } of nodes) expect(entries.filter(({ kind }) => kind === 'command').length).toBe(3)
  expect(nodes[0]).toMatchObject({
    nodeId: 1,
    firstIndex: 1,
    lastIndex: nodes[0]?.entries.length,
    error: null,
  })
})

test('a damaged log is told in one line, beside the others, with exit code 1', async () => {
  const dir = await usedDirectory()
  const file = join(dir, 'node-3', 'data.mdb')
  const bytes = readFileSync(file)
  for (let at = bytes.indexOf('key2'); at >= 0; at = bytes.indexOf('key2', at)) bytes[at]! ^= 1
  writeFileSync(file, bytes)
  const { code, stdout, stderr } = await run(['log', dir])
  expect([code, stderr]).toEqual([1, ''])
  const told = stdout.trimEnd().split('\n\n')
  for (const whole of told.slice(0, 2)) expect(whole.split('\n').length).toBeGreaterThanOrEqual(10)
  expect(told[2]).toMatch(/^the log of node 3 cannot be used: the record of entry 5 is damaged: /)
  expect(told[2]?.split('\n').length).toBe(1)
})

test.each([
  [[], "missing required argument 'directory'"],
  [['.', '4,661'], 'holds no cluster'],
  [['.', '0'], "FROM: give a whole number from 1 to 9007199254740991, not '0'"],
  [['.', '5', '3'], 'holds no cluster: name a directory of raftbox'],
  [['.', '--node', 'x'], '--node: give a whole number'],
])('log %j is refused in one line', async (args, message) => {
  const { code, stdout, stderr } = await run([
    'log',
    ...args.map((word) => (word === '.' ? temporaryFolder() : word)),
  ])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
  expect(stderr.trimEnd().split('\n').length).toBe(1)
})

test('a directory that a cluster has open is refused, and named with its holder', async () => {
  const dir = temporaryFolder()
  await startedCluster({ dir })
  const { code, stderr } = await run(['log', dir])
  expect(code).toBe(2)
  expect(stderr).toBe(
    `raftbox: ${dir} is in use by process ${process.pid}: stop it, or choose another directory\n`,
  )
})
