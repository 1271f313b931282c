/**
 * A process that runs a cluster with etcd's API, with clients that read, write and watch, breaks it, closes all, and must
 * then end by itself with nothing left.
 */
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { startEtcd } from '../../src/etcd/index.js'

const asItIs = (bytes: Buffer): Buffer => bytes
// A folder for temporary folders of our own, so that what is left there is ours.
const folder = mkdtempSync(join(tmpdir(), 'raftbox-test-'))
process.env['TMPDIR'] = folder
await run()
// Whatever this process opens once, it has opened by now.
const before = openFiles()
await run()
// A socket is let go of in the turn after its end.
await new Promise((resolve) => setImmediate(resolve))
const left = openFiles().filter((file) => !before.includes(file))
process.stdout.write(JSON.stringify({ openFiles: left, folders: readdirSync(folder) }))
rmSync(folder, { recursive: true })

async function run(): Promise<void> {
  const etcd = await startEtcd()
  const clients = etcd.endpoints.map(
    (endpoint) =>
      new Client(new URL(endpoint).host, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      }),
  )
  const put = (client: Client) =>
    new Promise((resolve) =>
      client.makeUnaryRequest(
        '/etcdserverpb.KV/Put',
        asItIs,
        asItIs,
        Buffer.from('\n\x01a\x12\x01b'),
        resolve,
      ),
    )
  const watches = clients.map((client) => {
    const stream = client.makeBidiStreamRequest('/etcdserverpb.Watch/Watch', asItIs, asItIs)
    return stream.on('data', () => undefined).on('error', () => undefined)
  })
  // A watch of the key `a`.
  for (const watch of watches) watch.write(Buffer.from('\n\x03\n\x01a'))
  const [port] = etcd.endpoints.map((endpoint) => Number(new URL(endpoint).port))
  const silent = connect(port ?? 0, '127.0.0.1').on('error', () => undefined)
  await fetch(`${etcd.endpoints[0]}/version`)
  await Promise.all(clients.map(put))
  const killed = await etcd.kill('follower')
  await etcd.restart(killed)
  await etcd.pause('follower')
  await etcd.cut('clients', 'leader')
  const unanswered = clients.map(put)
  await etcd.close()
  for (const client of clients) client.close()
  silent.destroy()
  await Promise.all(unanswered)
}

/** Where the system tells: the files, not the descriptors, so that a leak is told by its name. */
function openFiles(): string[] {
  const descriptors = '/proc/self/fd'
  if (!existsSync(descriptors)) return []
  return readdirSync(descriptors).flatMap((descriptor) => {
    try {
      const file = readlinkSync(join(descriptors, descriptor))
      return file.startsWith('/') || file.startsWith('socket:') ? [file] : []
    } catch {
      // The one that this very listing had open.
      return []
    }
  })
}
