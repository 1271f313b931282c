/** Lines that people type: curl, one request a family of the API. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, test } from 'vitest'
import { startEtcd } from '../../../src/etcd/index.js'
import { has } from '../real-etcd.js'

const key = Buffer.from('foo').toString('base64')
const value = Buffer.from('bar').toString('base64')

describe.skipIf(!has('curl'))('curl', () => {
  let endpoint: string

  beforeAll(async () => {
    const etcd = await startEtcd({ nodes: 1 })
    endpoint = etcd.endpoints[0] ?? ''
    return () => etcd.close()
  })

  /** The lines of an answer. A stream is ended after `linesMax` of them. */
  function curl(
    path: string,
    body?: object | string,
    linesMax = Number.POSITIVE_INFINITY,
  ): Promise<unknown[]> {
    const data = body === undefined ? [] : ['-d', typeof body === 'string' ? body : JSON.stringify(body)]
    return new Promise((resolve, reject) => {
      const program = spawn('curl', ['-sS', '-N', ...data, `${endpoint}${path}`])
      const lines: unknown[] = []
      createInterface(program.stdout).on('line', (line) => {
        lines.push(JSON.parse(line))
        if (lines.length === linesMax) program.kill()
      })
      program.on('error', reject)
      program.on('close', () => resolve(lines))
    })
  }

  test('keys', async () => {
    const [put] = await curl('/v3/kv/put', { key, value })
    expect(put).toMatchObject({ header: { revision: expect.stringMatching(/^\d+$/) } })
    expect(await curl('/v3/kv/range', { key })).toMatchObject([
      { kvs: [{ key, value, version: '1' }], count: '1' },
    ])
    const [txn] = await curl('/v3/kv/txn', {
      compare: [{ key, target: 'VALUE', value }],
      success: [{ request_delete_range: { key, prev_kv: true } }],
    })
    expect(txn).toMatchObject({
      succeeded: true,
      responses: [{ response_delete_range: { deleted: '1', prev_kvs: [{ key, value }] } }],
    })
  })

  test('leases', async () => {
    const id = '7587868094239438091'
    expect(await curl('/v3/lease/grant', { TTL: 60, ID: id })).toMatchObject([{ ID: id, TTL: '60' }])
    expect(await curl('/v3/lease/keepalive', `{"ID":${id}}`)).toMatchObject([
      { result: { ID: id, TTL: '60' } },
    ])
    expect(await curl('/v3/lease/leases', {})).toMatchObject([{ leases: [{ ID: id }] }])
    expect(await curl('/v3/kv/lease/revoke', { ID: id })).toMatchObject([{ header: {} }])
    expect(await curl('/v3/lease/revoke', { ID: id })).toEqual([
      {
        error: 'etcdserver: requested lease not found',
        message: 'etcdserver: requested lease not found',
        code: 5,
      },
    ])
  })

  test('watches, of which the connection is the end', async () => {
    const watched = { key: Buffer.from('watched').toString('base64') }
    const lines = curl('/v3/watch', { create_request: { ...watched, start_revision: 1 } }, 2)
    await curl('/v3/kv/put', { ...watched, value })
    expect(await lines).toMatchObject([
      { result: { created: true } },
      { result: { events: [{ kv: { ...watched, value } }] } },
    ])
  })

  test('what APISIX asks: its settings under a prefix, and their changes from then on', async () => {
    const at = (path: string) => Buffer.from(`/apisix/${path}`).toString('base64')
    const prefix = { key: at(''), range_end: Buffer.from('/apisix0').toString('base64') }
    const setting = Buffer.from(JSON.stringify({ uri: '/hello' })).toString('base64')
    await curl('/v3/kv/put', { key: at('routes/'), value: Buffer.from('init_dir').toString('base64') })
    await curl('/v3/kv/put', { key: at('routes/1'), value: setting })
    const [read] = (await curl('/v3/kv/range', prefix)) as [{ header: { revision: string }; kvs: object[] }]
    expect(read.kvs).toMatchObject([{ key: at('routes/') }, { key: at('routes/1'), value: setting }])
    const from = Number(read.header.revision) + 1
    const watched = curl(
      '/v3/watch',
      { create_request: { ...prefix, start_revision: from, progress_notify: true } },
      3,
    )
    await curl('/v3/kv/put', { key: at('routes/2'), value: setting })
    await curl('/v3/kv/deleterange', { key: at('routes/1') })
    expect(await watched).toMatchObject([
      { result: { created: true } },
      { result: { events: [{ kv: { key: at('routes/2'), mod_revision: String(from) } }] } },
      { result: { events: [{ type: 'DELETE', kv: { key: at('routes/1') } }] } },
    ])
  })

  test('locks and elections', async () => {
    const name = Buffer.from('name').toString('base64')
    const [{ ID }] = (await curl('/v3/lease/grant', { TTL: 60 })) as [{ ID: string }]
    const [locked] = (await curl('/v3/lock/lock', { name, lease: ID })) as [{ key: string }]
    expect(Buffer.from(locked.key, 'base64').toString()).toBe(`name/${BigInt(ID).toString(16)}`)
    expect(await curl('/v3/lock/unlock', { key: locked.key })).toMatchObject([{ header: {} }])
    expect(await curl('/v3/election/campaign', { name, lease: ID, value })).toMatchObject([
      { leader: { lease: ID } },
    ])
    expect(await curl('/v3/election/leader', { name })).toMatchObject([{ kv: { value } }])
    const observed = await curl('/v3/election/observe', { name }, 1)
    expect(observed).toMatchObject([{ result: { kv: { value } } }])
  })

  test('members and versions', async () => {
    expect(await curl('/v3/cluster/member/list', {})).toMatchObject([
      { members: [{ clientURLs: [endpoint] }] },
    ])
    const [version] = (await curl('/version')) as [{ etcdserver: string; etcdcluster: string }]
    expect(version).toEqual({ etcdserver: expect.stringMatching(/^3\.4\.\d+$/), etcdcluster: '3.4.0' })
  })

  test('the old prefix', async () => {
    expect(
      await curl('/v3beta/kv/range', { key: 'AA==', range_end: 'AA==', count_only: true }),
    ).toMatchObject([{ count: expect.any(String) }])
  })
})
