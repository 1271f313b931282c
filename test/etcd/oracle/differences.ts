/** The answers in which raftbox differs from etcd. `docs/etcd.md` has the same list with the reasons; a test compares both. */
import { isDeepStrictEqual } from 'node:util'
import type { Answer, Message } from './client.js'
import { self } from './members-met.js'
import type { Operation } from './program.js'

interface NamedDifference {
  /** As `docs/etcd.md` calls it. */
  readonly name: string
  /** Takes what differs out of an answer, so that the rest is compared. Without it, no program asks for it. */
  readonly without?: (operation: Operation, answer: Answer) => Answer
}

/** The code of gRPC for a message that cannot be decoded. */
const internal = 13

const nameOf = (operation: Operation): string =>
  'call' in operation ? operation.call : 'garble' in operation ? operation.garble : ''

/** Changes the responses of one method, or of all methods of a service, such as `Cluster/`. */
const of =
  (name: string, change: (response: Message) => Message) =>
  (operation: Operation, answer: Answer): Answer =>
    (name.endsWith('/') ? nameOf(operation).startsWith(name) : nameOf(operation) === name) &&
    'response' in answer
      ? { response: change(answer.response) }
      : answer

function ofMembers(change: (member: Message) => Message): (operation: Operation, answer: Answer) => Answer {
  return of('Cluster/', ({ member, members, ...response }) => ({
    ...response,
    ...(member === undefined ? {} : { member: change(member as Message) }),
    members: (members as readonly Message[]).map(change),
  }))
}

const sorted = (values: unknown): unknown[] =>
  (values as unknown[]).map((value) => JSON.stringify(value)).sort()

export const differences: readonly NamedDifference[] = [
  {
    name: 'Ids, terms and addresses',
    without: ofMembers(({ clientURLs: _, ...member }) => member),
  },
  {
    name: 'Sizes and counts in `Status`',
    without: of('Maintenance/Status', ({ header, version, leader, errors, isLearner }) => ({
      header,
      version,
      errors: sorted(errors),
      isLearner,
      hasLeader: leader !== '0',
    })),
  },
  {
    name: 'The text of a message that cannot be decoded',
    without: (_, answer) =>
      'code' in answer && answer.code === internal ? { ...answer, details: '' } : answer,
  },
  {
    name: 'The order of the keys of a lease',
    without: of('Lease/LeaseTimeToLive', (response) => ({ ...response, keys: sorted(response['keys']) })),
  },
  {
    name: 'The order of alarms',
    without: of('Maintenance/Alarm', (response) => ({ ...response, alarms: sorted(response['alarms']) })),
  },
  {
    name: 'The seconds that a lease has left',
    // Leases of the programs have hundreds of seconds.
    without: of('Lease/LeaseTimeToLive', (response) => {
      const left = Number(response['TTL'])
      return { ...response, TTL: left < 0 ? left : Math.ceil(left / 100) }
    }),
  },
  { name: 'A keep-alive' },
  { name: 'Many leases that end at once' },
  { name: 'Alarms of two types at once' },
  { name: 'More than 128 alarms, of members that need not exist' },
  { name: 'Keys that are equal in the sort target' },
  { name: 'An unknown sort target' },
  { name: 'Requests that end etcd' },
  { name: 'A watch from the compacted revision' },
  { name: 'A progress request while a watch is behind' },
  { name: 'Revisions that come soon after each other' },
  { name: 'A connection whose client cancels many calls other than those of KV' },
  { name: 'A deadline that the server sees before the client does' },
  { name: 'A write at a member that hears no leader' },
  { name: 'A write on its way while the leader fails' },
  { name: 'A linearizable read while the leader changes' },
  { name: 'The last bytes below 1.5 MiB' },
  { name: 'The answer to a transaction or a deletion' },
  { name: 'A transaction whose compares look at more than two million keys' },
  { name: '`Hash`' },
  { name: '`Defragment` and `Snapshot`' },
  {
    name: 'Members that are added',
    // A member of etcd has no name before it is started.
    without: ofMembers(({ name, ...member }) => (member['ID'] === self ? { name, ...member } : member)),
  },
  { name: 'Changes of members without a quorum' },
  { name: 'The same peer URLs again within a second' },
  { name: 'A learner that is given other URLs' },
  { name: 'A learner that has stopped' },
  { name: 'Users and roles' },
]

export function isSame(operation: Operation, right: Answer, ours: Answer): boolean {
  if (isDeepStrictEqual(right, ours)) return true
  const plain = (answer: Answer): Answer =>
    differences.reduce((whole, { without }) => without?.(operation, whole) ?? whole, answer)
  return isDeepStrictEqual(plain(right), plain(ours))
}
