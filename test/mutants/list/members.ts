/** Changes of the members, transfers of leadership, and snapshots that a leader sends. */
import { bySimulator, byTests } from '../mutant.js'
import { lateMessages } from './plans.js'

const changes = 'src/raft/membership-changes.ts'
const commit = 'src/raft/commit.ts'
const compaction = 'src/raft/compaction.ts'
const configuration = 'src/raft/configuration.ts'
const log = 'src/raft/log.ts'
const replication = 'src/raft/replication.ts'
const snapshots = 'src/raft/snapshots.ts'
const transfer = 'src/raft/transfer.ts'
const turn = 'src/raft/turn.ts'

export const members = [
  ...bySimulator([
    {
      id: 'change-before-first-commit',
      breaks: 'CF7',
      what: 'a leader changes the members before it has committed an entry of its term',
      file: changes,
      find: 'if (log.termAt(log.commitIndex) !== currentTerm)',
      replace: 'if (currentTerm === 0)',
    },
    {
      id: 'two-changes-at-once',
      breaks: 'CF6',
      what: 'a leader begins a change before the one before it is committed',
      file: changes,
      find: 'if (log.membershipIndex > log.commitIndex || isJoint(log.membership))',
      replace: 'if (isJoint(log.membership))',
    },
    {
      id: 'change-without-joint',
      breaks: 'CF4',
      what: 'a change of several voters goes straight to the new configuration',
      file: configuration,
      find: 'votersOutgoing: apart > 1 ? before : [],',
      replace: 'votersOutgoing: [],',
    },
    {
      id: 'joint-not-left',
      breaks: 'CF5',
      what: 'a joint configuration is never left',
      file: commit,
      find: 'if (log.membershipIndex <= reached) onMembershipCommitted(state)\n',
      replace: '',
    },
    {
      id: 'configuration-kept-after-cut',
      breaks: 'CF2',
      what: 'a configuration counts on after its entry was cut off',
      file: log,
      find: 'this.configurations = this.configurations.filter(({ index }) => index < from)\n',
      replace: '',
    },
    {
      id: 'configuration-kept-behind-snapshot',
      breaks: 'CF3',
      what: 'the configuration of a log counts on behind a snapshot that took the place of the log',
      file: log,
      find: 'this.configurations = [firstOf(snapshot, snapshot.membership)]\n',
      replace: '',
    },
    {
      id: 'snapshot-with-latest-configuration',
      breaks: 'CF3',
      what: 'a snapshot carries the latest configuration, and not the one as of its index',
      file: compaction,
      find: 'membership: log.membershipAt(index)',
      replace: 'membership: log.membership',
    },
    {
      id: 'transfer-never-given-up',
      breaks: 'TL4',
      what: 'a transfer to a node that does not answer holds up commands for ever',
      file: transfer,
      find: 'if (transfer.elapsedTicks < limits.electionTimeoutTicks) return\n',
      replace: 'return\n',
    },
    {
      id: 'removed-leader-leads-on',
      breaks: 'CF12',
      what: 'a leader that was removed leads on',
      file: commit,
      find: 'else if (!isVoter(log.membership, id) && leadership.transfer === undefined) handOver(state)\n',
      replace: '',
    },
    {
      id: 'old-snapshot-installed',
      breaks: 'SN8',
      what: 'a snapshot that comes late takes the place of a log that is further',
      file: snapshots,
      find: 'if (index <= log.commitIndex || log.has({ index, term })) {',
      replace: 'if (log.has({ index, term })) {',
    },
    {
      id: 'other-log-kept-behind-snapshot',
      breaks: 'SN7',
      what: 'entries behind a received snapshot are kept though they follow on another entry',
      file: snapshots,
      find: 'if (index <= log.commitIndex || log.has({ index, term })) {',
      replace: 'if (index <= log.lastIndex) {',
    },
    {
      id: 'chunk-out-of-order',
      breaks: 'SN5',
      what: 'a chunk out of order is written',
      file: snapshots,
      find: 'if (message.offset !== incoming.offset || message.data?.byteLength !== message.length) {',
      replace: 'if (message.data?.byteLength !== message.length) {',
    },
    {
      id: 'snapshot-answered-before-flush',
      breaks: 'SN4',
      what: 'a snapshot is acknowledged before it is on the disk',
      file: snapshots,
      find: 'sendAfterFlush(state, { ...responseTo(state, message), offset: incoming.offset, done: message.done })',
      replace: 'send(state, { ...responseTo(state, message), offset: incoming.offset, done: message.done })',
    },
    {
      id: 'old-chunk-answer-counts',
      breaks: 'SN20',
      what: 'a late answer to an earlier chunk moves the transfer of a snapshot back',
      file: snapshots,
      find: 'if (message.chunkOffset !== progress.snapshotOffset || message.offset === message.chunkOffset) return',
      replace: 'if (message.offset === message.chunkOffset) return',
    },
    {
      id: 'chunk-not-repeated',
      breaks: 'SN9',
      what: 'a lost chunk is never sent again',
      file: replication,
      find: 'progress.isChunkSent = false\n',
      replace: '',
    },
    {
      id: 'applied-before-restore',
      breaks: 'SN17',
      what: 'entries behind a received snapshot are applied before the machine holds the snapshot',
      file: turn,
      find: 'if (isRestoring || log.lastApplied === log.commitIndex) return nothing',
      replace: 'if (log.lastApplied === log.commitIndex) return nothing',
    },
  ]),
  ...byTests(
    ['test/raft/membership-refusals.test.ts', 'test/raft/changing-members.test.ts'],
    [
      {
        id: 'id-used-again',
        breaks: 'CF15',
        what: 'a node that was removed is added again by the same id in the same term',
        file: changes,
        find: 'leadership.formerMembers.includes(nodeId)',
        replace: 'leadership.formerMembers.includes(0)',
      },
      {
        id: 'change-without-quorum',
        breaks: 'CF10',
        what: 'a leader takes a change after which no majority would answer it',
        file: changes,
        find: 'if (quorumIndex(next, (id) => (isHeard(id) ? 1 : 0)) === 1) return undefined',
        replace: 'if (quorumIndex(next, (id) => (isHeard(id) ? 1 : 1)) === 1) return undefined',
      },
      {
        id: 'promoted-too-early',
        breaks: 'CF9',
        what: 'a learner is promoted before it has caught up',
        file: changes,
        find: "if (type !== 'promote') continue",
        replace: 'continue',
      },
    ],
  ),
  ...byTests(
    ['test/raft/transfer.test.ts'],
    [
      {
        id: 'takeover-too-early',
        breaks: 'TL2',
        what: 'a successor is told to take over before it holds the whole log',
        file: transfer,
        find: 'if (leadership.progress.get(transfer.to)?.matchIndex !== log.lastIndex) return\n',
        replace: '',
      },
    ],
  ),
  ...byTests(
    ['test/driver/snapshots.test.ts'],
    [
      {
        id: 'snapshot-of-unflushed',
        breaks: 'SN13',
        what: 'a snapshot is begun of entries that the own disk does not hold',
        file: compaction,
        find: ' || index > log.flushedIndex) return undefined',
        replace: ') return undefined',
      },
    ],
  ),
  ...bySimulator(
    [
      {
        id: 'older-snapshot-disturbs',
        breaks: 'SN21',
        what: 'a late chunk of an older snapshot ends the receiving of a newer one',
        file: snapshots,
        find: 'if (index < (state.incomingSnapshot?.snapshot.index ?? 0)) return\n',
        replace: '',
      },
    ],
    lateMessages,
  ),
  // A hundred seeds of late messages did not come to it.
  ...byTests(
    ['test/raft/transfer.test.ts'],
    [
      {
        id: 'late-takeover-heeded',
        breaks: 'TL6',
        what: 'a node starts an election for a leader of an earlier term',
        file: transfer,
        find: 'if (term < state.currentTerm || state.leaderId !== from) return\n',
        replace: '',
      },
    ],
  ),
]
