/** Random calls of the Cluster service. */
import fc from 'fast-check'
import type { Message } from './client.js'
import { call, mostly } from './draws.js'
import type { MemberName, Operation, Program } from './program.js'

const slot = fc.nat({ max: 1 })
const added: fc.Arbitrary<MemberName> = slot.map((member) => ({ member }))
const self: fc.Arbitrary<MemberName> = fc.constant({ member: 'self' })
const unknown = fc.constantFrom('0', '404', '18446744073709551615')

export const anyMember = fc.oneof<fc.Arbitrary<MemberName | string>[]>(added, added, self, unknown)

/** Ports at which nobody listens. */
const goodUrl = fc.constantFrom(
  ...['http://127.0.0.1:1', 'http://127.0.0.1:2', 'https://127.0.0.1:1', 'HTTP://127.0.0.1:1'],
  ...['http://127.0.0.1:02', 'http://localhost:3', 'http://[::1]:4', 'unix://127.0.0.1:5', 'http://:6'],
)
const oddUrl = fc.constantFrom(
  ...['', 'nonsense', '127.0.0.1:1', '//127.0.0.1:1', 'http:127.0.0.1:1', 'http://', 'ftp://127.0.0.1:1'],
  ...[
    'http://127.0.0.1',
    'http://127.0.0.1:',
    'http://127.0.0.1:x',
    'http://127.0.0.1:99999',
    'http://::1:4',
  ],
  ...['http://127.0.0.1:1/', 'http://127.0.0.1:1/path', 'http://127.0.0.1:1?', 'http://127.0.0.1:1?q=1'],
  ...['http://127.0.0.1:1#', 'http://127.0.0.1:1#part', 'http://user@127.0.0.1:1', 'http://u:p@127.0.0.1:1'],
  ...[
    ' http://127.0.0.1:1',
    'http://127.0.0.1:1\n',
    'http://a b:1',
    'http://%41:1',
    'http://%zz:1',
    'unix:///p',
  ],
  ...[
    'http://[::1:4',
    'http://[fe80::1%25lo]:4',
    'http://\u00e9:1',
    'http://a<b:1',
    'http://@:1',
    'http:///:1',
  ],
)
const goodUrls = fc.array(goodUrl, { minLength: 1, maxLength: 2 })
const oddUrls = mostly(
  oddUrl.map((url) => [url]),
  fc.array(fc.oneof(goodUrl, oddUrl), { maxLength: 3 }),
)

/** Calls of programs whose added members nobody starts. All of them are learners, so that the asked member has a quorum. */
const list = call('Cluster/MemberList', fc.constant({}))
const add = fc.record({ peerURLs: mostly(goodUrls, oddUrls), slot }).map(
  (drawn): Operation => ({
    ...{ call: 'Cluster/MemberAdd', slot: drawn.slot },
    request: { peerURLs: drawn.peerURLs, isLearner: true },
  }),
)
const remove = call('Cluster/MemberRemove', fc.record({ ID: anyMember }))
const promote = call('Cluster/MemberPromote', fc.record({ ID: anyMember }))
/** See `A learner that is given other URLs` among the differences: no program does that. */
const update = call(
  'Cluster/MemberUpdate',
  fc.oneof<fc.Arbitrary<Message>[]>(
    fc.record({ ID: fc.oneof<fc.Arbitrary<MemberName | string>[]>(self, unknown), peerURLs: oddUrls }),
    fc.record({ ID: self, peerURLs: goodUrls }),
  ),
)

/** Calls that start no node. */
export const memberCall: fc.Arbitrary<Operation> = fc.oneof(
  list,
  call(
    'Cluster/MemberRemove',
    fc.record({ ID: fc.oneof<fc.Arbitrary<MemberName | string>[]>(self, unknown) }),
  ),
  promote,
  update,
)

export const membersChange: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 2, arbitrary: list },
  { weight: 3, arbitrary: add },
  { weight: 3, arbitrary: remove },
  { weight: 2, arbitrary: promote },
  { weight: 2, arbitrary: update },
)

/** Programs whose members run. Slots have ports of their own, so that a member keeps the URL at which it was started. */
const startedAdd = fc.record({ slot, isLearner: fc.boolean() }).map(
  (drawn): Operation => ({
    ...{ call: 'Cluster/MemberAdd', slot: drawn.slot },
    request: { peerURLs: [{ peerUrl: drawn.slot }], isLearner: drawn.isLearner },
  }),
)
const notSelf = fc.oneof<fc.Arbitrary<MemberName | string>[]>(added, added, unknown)
const write = call('KV/Put', fc.constant({ key: Buffer.from('a') }))

const startedChange: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: startedAdd },
  { weight: 3, arbitrary: call('Cluster/MemberRemove', fc.record({ ID: notSelf })) },
  { weight: 3, arbitrary: promote },
  { weight: 1, arbitrary: list },
  { weight: 1, arbitrary: write },
)

/** A member is added first, since most of what follows is about added members. */
export const startedMembers: fc.Arbitrary<Program> = fc
  .tuple(startedAdd, fc.array(startedChange, { minLength: 1, maxLength: 10, size: 'max' }))
  .map(([first, others]) => [first, ...others])
