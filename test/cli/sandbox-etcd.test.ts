/** etcd's API of a sandbox: its addresses are told, are served, and stay the same. */
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { spoken } from '../../src/cli/etcd.js'
import { startCluster } from '../../src/cluster/index.js'
import { startEtcd } from '../../src/etcd/index.js'
import { mvccModule } from '../../src/mvcc/index.js'
import { run, start, temporaryFolder } from './raftbox.js'

interface Told {
  readonly etcd: readonly string[]
}

/** The addresses of a sandbox that runs until the work is done. */
async function addressesOf(
  flags: readonly string[],
  work = async (_: Told): Promise<void> => {},
): Promise<Told> {
  const { child, ended, said } = start(['sandbox', '--json', '--page', 'off', ...flags], null)
  const ready = JSON.parse((await said(/\{"ready":true.*\n/))[0]) as Told
  await work(ready)
  child.stdin?.write('quit\n')
  expect(await ended).toMatchObject({ code: 0, left: [] })
  return ready
}

test('the ready line tells the addresses, which serve etcd for as long as their nodes live', async () => {
  const told = await addressesOf(['--etcd', '0'], async ({ etcd }) => {
    expect(etcd).toHaveLength(3)
    for (const url of etcd) expect((await fetch(`${url}/version`)).status).toBe(200)
  })
  for (const url of told.etcd) await expect(fetch(`${url}/version`)).rejects.toThrow('fetch failed')
})

test('a directory remembers the addresses, and off lets it have none', async () => {
  const dir = `${temporaryFolder()}/kept`
  const kept = ['--dir', dir, '--nodes', '1']
  const { etcd } = await addressesOf([...kept, '--etcd', '0'])
  expect(await addressesOf(kept)).toMatchObject({ etcd })
  expect(await addressesOf([...kept, '--etcd', 'off'])).toMatchObject({ etcd: [] })
})

test.each([
  ["etcd's", (dir: string) => startEtcd({ dir, nodes: 1 }), mvccModule],
  ['the key-value', (dir: string) => startCluster({ dir, nodes: 1 }), undefined],
])('the store of a directory decides, and not the file of its ports: %s', async (_, made, machine) => {
  const dir = `${temporaryFolder()}/kept`
  await (await made(dir)).close()
  const ports = join(dir, 'etcd.json')
  if (machine === undefined) writeFileSync(ports, '{}')
  else rmSync(ports)
  const { options } = await spoken({}, dir, {})
  expect(options.machine).toEqual(machine)
})

test('the prompt tells the addresses in a line to copy', async () => {
  const flags = ['sandbox', '--nodes', '3', '--page', 'off', '--etcd', '0']
  const { code, stdout } = await run(flags, 'quit\n')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ETCDCTL_ENDPOINTS=http:\/\/127\.0\.0\.1:\d+(,http:\/\/127\.0\.0\.1:\d+){2}$/m)
})

test('without the flag there is no address', async () => {
  expect(await addressesOf(['--nodes', '1'])).toMatchObject({ etcd: [] })
})

test('a port that another program has, and one that is none, are bad input', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const taken = await run(['sandbox', '--nodes', '1', '--page', 'off', '--etcd', `${port}`], '')
  expect(taken).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`not ${port}, which is in use`),
  })
  const none = await run(['sandbox', '--etcd', '70000'], '')
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('--etcd') })
})
