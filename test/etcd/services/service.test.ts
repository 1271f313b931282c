import { Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { EtcdError } from '../../../src/etcd/errors.js'
import type { Member } from '../../../src/etcd/member.js'
import { unary } from '../../../src/etcd/services/service.js'

type Call = Parameters<ReturnType<typeof unary>>[0]

function member(look: { isLearner?: boolean; leaderId?: number }): Member {
  const { isLearner = false, leaderId } = look
  return { isLearner, look: () => ({ leaderId }) } as unknown as Member
}

/** How a call ends that is answered by `answer`. */
function ended(
  look: { isLearner?: boolean; leaderId?: number },
  answer: () => Promise<Buffer>,
  metadata = new Metadata(),
): Promise<unknown> {
  const request = Buffer.from('request')
  return new Promise((resolve) =>
    unary(
      member(look),
      answer,
      (each) => each !== request,
    )({ request, metadata } as Call, (error, value) => resolve(error ?? value)),
  )
}

const answer = async () => Buffer.from('answer')

test('an error is told by its code and text, and a foreign one by its first line', async () => {
  const failing = (error: unknown) => ended({}, () => Promise.reject(error))
  expect(await failing(new EtcdError('compacted'))).toEqual({
    code: 11,
    details: 'etcdserver: mvcc: required revision has been compacted',
  })
  expect(await failing(new Error('one line\nanother'))).toEqual({ code: 2, details: 'one line' })
  expect(await failing('thrown')).toEqual({ code: 2, details: 'thrown' })
})

test('a member without a leader refuses who asks for one', async () => {
  const metadata = new Metadata()
  metadata.set('hasleader', 'true')
  const refused = { code: 14, details: 'etcdserver: no leader' }
  expect(await ended({}, answer, metadata)).toEqual(refused)
  expect(await ended({ leaderId: 1 }, answer, metadata)).toEqual(Buffer.from('answer'))
  expect(await ended({}, answer)).toEqual(Buffer.from('answer'))
})

test('a learner refuses what it does not serve', async () => {
  expect(await ended({ isLearner: true }, answer)).toEqual({
    code: 14,
    details: 'etcdserver: rpc not supported for learner',
  })
})
