/** Errors of a cluster, as clients of etcd are told of them. */
import { expect, test } from 'vitest'
import { type Cluster, callsFromInside, RaftError } from '../../src/cluster/index.js'
import { type ErrorCode, errors } from '../../src/errors/index.js'
import { ClusterMember } from '../../src/etcd/cluster-member.js'
import { EtcdError } from '../../src/etcd/errors.js'
import { inEtcdsWords } from '../../src/etcd/in-etcds-words.js'
import { Roster } from '../../src/etcd/roster.js'
import { mvccModule } from '../../src/mvcc/index.js'
import { startedCluster, temporaryFolder } from '../cluster/support.js'

const reasonOf = (error: unknown) => (error instanceof EtcdError ? error.reason : undefined)

const codes = Object.keys(errors) as ErrorCode[]

test.each(codes.filter((code) => errors[code].mayHaveHappened === 'maybe'))(
  'the unknown outcome %s is told as a time-out',
  (code) => expect(reasonOf(inEtcdsWords(new RaftError(code)))).toBe('timeout'),
)

test('an error of which etcd has no word keeps its own, and the others have etcd’s as their cause', () => {
  const refusal = new RaftError('DIRECTORY_UNUSABLE', { dir: 'd', why: 'w' })
  expect(inEtcdsWords(refusal)).toBe(refusal)
  expect(inEtcdsWords(new RaftError('OVERLOADED', { what: 'w' }))).toMatchObject({
    message: 'etcdserver: too many requests',
    cause: { code: 'OVERLOADED' },
  })
})

test('a read of a member whose node does not run says that the server is stopped', async () => {
  const cluster = await startedCluster({ machine: mvccModule })
  await cluster.kill(3)
  const member = new ClusterMember({
    cluster,
    calls: callsFromInside(cluster),
    nodeId: 3,
    counters: { get: () => 0 },
    clusterId: 1n,
    shared: { proposals: 0, lastIndex: 0, answered: () => undefined },
  })
  const read = member.read('figures', Buffer.alloc(0))
  await expect(read).rejects.toThrow('etcdserver: server stopped')
})

/** A roster of the voters 1 and 2 and the learner 3, of which each change ends with this error. */
function roster(code: ErrorCode): Roster {
  const membership = { voters: [1, 2], votersOutgoing: [], learners: [3] }
  const refused = () => Promise.reject(new RaftError(code))
  const node = (nodeId: number) => ({
    nodeId,
    state: 'running',
    role: 'leader',
    lastIndex: 1,
    membership: { membership },
  })
  const cluster = {
    dir: temporaryFolder(),
    membership: { membership },
    faults: [],
    options: { requestTimeoutMs: 1000 },
    status: () => [node(1), node(2), node(3)],
    ...{ addNode: refused, removeNode: refused, promote: refused, transfer: refused },
  }
  return new Roster(cluster as unknown as Cluster, () => [])
}

const add = (code: ErrorCode) => roster(code).add(1, ['http://127.0.0.1:7000'], false)
const remove = (code: ErrorCode) => roster(code).remove(1, 3)
const promote = (code: ErrorCode) => roster(code).promote(1, 3)
const transfer = (code: ErrorCode) => roster(code).moveLeader(1, 2)

test.each([
  ['an addition', add, 'OVERLOADED', 'tooManyRequests'],
  ['an addition', add, 'NODE_FAILED', 'stopped'],
  ['an addition', add, 'NOT_CHANGED', 'timeout'],
  ['a removal', remove, 'INVALID_CHANGE', 'notEnoughStarted'],
  ['a removal', remove, 'INVALID_FAULT', 'memberNotFound'],
  ['a promotion', promote, 'INVALID_CHANGE', 'memberNotLearner'],
  ['a transfer', transfer, 'INVALID_CHANGE', 'badLeaderTransferee'],
  ['a transfer', transfer, 'NOT_CHANGED', 'leaderTransferTimeout'],
] as const)('%s that ends with %o says so in etcd’s words', async (_, change, code, reason) => {
  expect(reasonOf(await change(code).catch((error: unknown) => error))).toBe(reason)
})
