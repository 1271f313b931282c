/** Debian's etcdctl, where it waits: watches, locks and elections. */
import { type ChildProcess, spawn } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import type { Etcd } from '../../src/etcd/index.js'
import { has } from './real-etcd.js'
import { startedEtcd, TestClient, until } from './support.js'

interface Running {
  readonly child: ChildProcess
  readonly lines: string[]
}

function etcdctl({ endpoints }: Etcd, ...args: readonly string[]): Running {
  const child = spawn('etcdctl', ['--endpoints', endpoints.join(','), ...args], {
    env: { ...process.env, ETCDCTL_API: '3' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const running: Running = { child, lines: [] }
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const [last = '', ...lines] = (rest + text).split('\n').reverse()
    running.lines.push(...lines.reverse())
    rest = last
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return running
}

const shows = ({ lines }: Running, line: string): Promise<unknown> => until(() => lines.includes(line))

test.skipIf(!has('etcdctl'))('etcdctl watches on when a member is killed', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const client = new TestClient(etcd.endpoints[0]!)
  await client.put('k', 'before')
  const watch = etcdctl(etcd, 'watch', 'k', '--prefix', '--rev=2', '--prev-kv')
  await shows(watch, 'before')
  await client.put('k1', 'one')
  await shows(watch, 'one')
  await etcd.kill(2)
  await etcd.restart(2)
  await etcd.kill(3)
  await etcd.restart(3)
  await until(async () => {
    try {
      return await client.put('k2', 'two')
    } catch {
      return undefined
    }
  })
  await client.call('etcdserverpb.KV/DeleteRange', { key: Buffer.from('k1') })
  await until(() => watch.lines.includes('DELETE'))
  const story = watch.lines.filter((line) => line !== '')
  const twos = story.filter((line) => line === 'two').length
  expect(twos).toBeGreaterThan(0)
  expect(story.slice(0, 6)).toEqual(['PUT', 'k', 'before', 'PUT', 'k1', 'one'])
})

test.skipIf(!has('etcdctl'))('etcdctl gives a lock to one after the other', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const first = etcdctl(etcd, 'lock', 'l')
  await until(() => first.lines[0]?.startsWith('l/'))
  const second = etcdctl(etcd, 'lock', 'l', 'echo', 'held')
  const client = new TestClient(etcd.endpoints[0]!)
  const range = { key: Buffer.from('l/'), rangeEnd: Buffer.from('l0') }
  await until(async () => (await client.call('etcdserverpb.KV/Range', range))['count'] === '2')
  expect(second.lines).toEqual([])
  first.child.kill('SIGINT')
  await shows(second, 'held')
})

test.skipIf(!has('etcdctl'))('etcdctl elects one after the other, and listens', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const first = etcdctl(etcd, 'elect', 'e', 'one')
  await shows(first, 'one')
  const listens = etcdctl(etcd, 'elect', '-l', 'e')
  await shows(listens, 'one')
  const second = etcdctl(etcd, 'elect', 'e', 'two')
  first.child.kill('SIGINT')
  await shows(second, 'two')
  await shows(listens, 'two')
  expect(listens.lines.filter((line) => line === 'one' || line === 'two')).toEqual(['one', 'two'])
})
