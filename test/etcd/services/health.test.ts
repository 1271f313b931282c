import { once } from 'node:events'
import { expect, test } from 'vitest'
import { startedEtcd, TestClient } from '../support.js'
import { clientOf, refusal } from './support.js'

test('a server serves as a whole, and knows no other name', async () => {
  const { endpoints } = await startedEtcd({ nodes: 1 })
  const client = new TestClient(endpoints[0] ?? '')
  expect(await client.call('grpc.health.v1.Health/Check', {})).toEqual({ status: 1 })
  expect(await refusal(client.call('grpc.health.v1.Health/Check', { service: 'etcdserverpb.KV' }))).toEqual({
    code: 5,
    details: 'unknown service',
  })
})

test('a watch of health tells the status and stays open', async () => {
  const { endpoints } = await startedEtcd({ nodes: 1 })
  const client = clientOf('grpc.health.v1.Health', endpoints[0])
  for (const [service, status] of [
    ['', 1],
    ['other', 3],
  ]) {
    const stream = client['Watch']?.({ service })
    expect(await once(stream, 'data')).toEqual([{ status }])
    stream.cancel()
    expect((await once(stream, 'error'))[0]).toMatchObject({ code: 1 })
  }
})
