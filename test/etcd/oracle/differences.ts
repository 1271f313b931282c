/** What raftbox answers otherwise than etcd, and why. `docs/etcd.md` has the same list, and a test compares both. */
import { isDeepStrictEqual } from 'node:util'
import type { Answer, Message } from './client.js'
import type { Operation } from './program.js'

interface NamedDifference {
  /** As `docs/etcd.md` calls it. */
  readonly name: string
  /** Takes what differs out of an answer, so that the rest can be compared. */
  readonly without: (operation: Operation, answer: Answer) => Answer
}

/** `grpc`: so the text of a message that cannot be decoded is of the library that decodes it. */
const internal = 13

const nameOf = (operation: Operation): string =>
  'call' in operation ? operation.call : 'garble' in operation ? operation.garble : ''

const sorted = (values: unknown): unknown[] =>
  [...(values as unknown[])].map((value) => JSON.stringify(value)).sort()

const of =
  (name: string, change: (response: Message) => Message): NamedDifference['without'] =>
  (operation, answer) =>
    nameOf(operation) === name && 'response' in answer ? { response: change(answer.response) } : answer

export const differences: readonly NamedDifference[] = [
  {
    name: 'The text of a message that cannot be decoded',
    without: (_, answer) =>
      'code' in answer && answer.code === internal ? { ...answer, details: '' } : answer,
  },
  {
    name: 'The order of leases, and of the keys of a lease',
    without: (operation, answer) =>
      [
        of('Lease/LeaseLeases', (response) => ({ ...response, leases: sorted(response['leases']) })),
        of('Lease/LeaseTimeToLive', (response) => ({ ...response, keys: sorted(response['keys']) })),
      ].reduce((whole, without) => without(operation, whole), answer),
  },
]

export function isSame(operation: Operation, right: Answer, ours: Answer): boolean {
  if (isDeepStrictEqual(right, ours)) return true
  const plain = (answer: Answer): Answer =>
    differences.reduce((whole, { without }) => without(operation, whole), answer)
  return isDeepStrictEqual(withoutMeasures(operation, plain(right)), withoutMeasures(operation, plain(ours)))
}

/** Sizes, times and addresses: two etcds of the same program differ in them. */
function withoutMeasures(operation: Operation, answer: Answer): Answer {
  if (!('response' in answer)) return answer
  const { response } = answer
  if (nameOf(operation) === 'Maintenance/Status') {
    const { version, leader, errors, isLearner } = response
    return { response: { version, hasLeader: leader !== '0', errors, isLearner } }
  }
  if (nameOf(operation) === 'Cluster/MemberList') {
    const members = response['members'] as readonly Message[]
    return { response: { ...response, members: members.map(({ name, isLearner }) => ({ name, isLearner })) } }
  }
  if (nameOf(operation) === 'Lease/LeaseTimeToLive') {
    // A second may end between two answers.
    const left = Number(response['TTL'])
    return { response: { ...response, TTL: left < 0 ? left : Math.ceil(left / 100) } }
  }
  return answer
}
