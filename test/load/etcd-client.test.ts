/** Questions that a bench asks of servers beside its load, some of which do not answer. */
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { EtcdClient } from '../../src/load/etcd/client.js'
import { type Answer, membersOf, responseOf, serverThat } from './etcd-server.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

function clientOf(...servers: string[]): EtcdClient {
  const client = new EtcdClient(servers)
  onTestFinished(() => client.close())
  return client
}

/** A server that gives each question the same answer, and a promise that resolves with its first question. */
async function serverOf(term: Answer, members: Answer) {
  let heard: () => void = () => undefined
  const asked = new Promise<void>((resolve) => {
    heard = resolve
  })
  const server = await serverThat({
    range: () => {
      heard()
      return term
    },
    members: () => members,
  })
  return { server, asked }
}

test('the next server is asked where one fails', async () => {
  const failing = await serverOf(new Error('no range'), new Error('no list'))
  const telling = await serverOf(responseOf(7), membersOf(3))
  const client = clientOf(failing.server, telling.server)
  // Of as many questions as there are servers, each server is the first for one.
  expect([await client.term(), await client.term()]).toEqual([7, 7])
  expect([await client.memberCount(), await client.memberCount()]).toEqual([3, 3])
})

test('the next server is asked where one does not answer for five seconds', async () => {
  const silent = await serverOf(undefined, undefined)
  const telling = await serverOf(responseOf(7), membersOf(3))
  const client = clientOf(silent.server, telling.server)
  const told = [client.term(), client.term()]
  // The server that tells is the first for one of the questions.
  await Promise.race(told)
  await silent.asked
  await vi.advanceTimersByTimeAsync(5000)
  expect(await Promise.all(told)).toEqual([7, 7])
})

test('what no server tells is unknown', async () => {
  const failing = await serverOf(new Error('no range'), new Error('no list'))
  const client = clientOf(failing.server)
  expect([await client.term(), await client.memberCount()]).toEqual([undefined, undefined])
})
