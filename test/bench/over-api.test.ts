/** The measurement over etcd's API, of raftbox and of etcd, by the Go program that calls both. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { buildPeer } from '../../bench/peers/build.js'
import { figuresOf } from '../../bench/peers/line.js'
import { findNeeds, readyPeers } from '../../bench/peers/needs.js'
import { runChild } from '../../bench/suite/child.js'
import { temporaryFolder } from '../cli/raftbox.js'

const program = fileURLToPath(new URL('../../bench/peers/over-api.js', import.meta.url))
const { signal } = new AbortController()
const found = await findNeeds(['etcd'], signal)
const isReady = readyPeers(['etcd'], found).length > 0

async function lineOver(servers: string): Promise<string> {
  const tmpdir = temporaryFolder()
  const load = await buildPeer('etcd', found, signal)
  const args = [program, `--servers=${servers}`, `--load=${load}`, '--clients=4', '--seconds=0.5']
  const options = { env: { ...process.env, TMPDIR: tmpdir }, signal, timeoutMs: 120_000 }
  const line = await runChild(process.execPath, args, options)
  expect(readdirSync(tmpdir)).toEqual([])
  return line
}

/** The first build of a machine compiles the libraries, too. */
const timeout = 10 * 60_000

test.runIf(isReady)('raftbox is measured with the lateness of its heartbeats', { timeout }, async () => {
  const line = await lineOver('raftbox')
  expect(JSON.parse(line)).toMatchObject({ peer: 'raftbox-etcd', nodes: 3, clients: 4, size: 128 })
  const { commitsPerSecond, heartbeatLateP999ms } = figuresOf('raftbox-etcd', line)
  expect(commitsPerSecond).toBeGreaterThan(0)
  expect(heartbeatLateP999ms).toBeGreaterThan(0)
})

test.runIf(isReady)(
  'etcd is measured by the same fields, without what only raftbox knows',
  { timeout },
  async () => {
    const line = await lineOver('etcd')
    expect(JSON.parse(line)).toMatchObject({ peer: 'etcd', nodes: 3, clients: 4, size: 128 })
    const figures = figuresOf('raftbox-etcd', line)
    expect(figures.commitsPerSecond).toBeGreaterThan(0)
    expect(figures.heartbeatLateP999ms).toBeUndefined()
  },
)
