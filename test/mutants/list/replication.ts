/** The log: replication, commit and flow control. */
import { bySimulator, byTests } from '../mutant.js'

const appendEntries = 'src/raft/append-entries.ts'
const commit = 'src/raft/commit.ts'
const compaction = 'src/raft/compaction.ts'
const log = 'src/raft/log.ts'
const progress = 'src/raft/progress.ts'
const quorum = 'src/raft/quorum.ts'
const replicationFile = 'src/raft/replication.ts'
const roles = 'src/raft/roles.ts'

export const replication = [
  ...bySimulator([
    {
      id: 'log-never-cut',
      breaks: 'SH4',
      what: 'a log keeps the entries that its snapshot covers',
      file: compaction,
      find: 'const { index, term } = base\n',
      replace: 'const { index, term } = log.base\n',
    },
    {
      id: 'snapshot-never-due',
      breaks: 'SH4',
      what: 'a node takes no snapshot when its log outgrows its bound',
      file: compaction,
      find: 'return isDue ? nextSnapshot(state) : undefined',
      replace: 'return undefined',
    },
    {
      id: 'log-never-left-to-store',
      breaks: 'FC8',
      what: 'a log keeps the bytes of all its entries in memory',
      file: log,
      find: 'const leftTo = Math.min(this.flushedIndex, this.commitIndex)',
      replace: 'const leftTo = 0',
    },
    {
      id: 'commit-beyond-verified',
      breaks: 'LR7',
      what: 'a follower commits up to its own last entry, beyond the last entry that its leader sent',
      file: appendEntries,
      find: 'Math.min(message.leaderCommit, lastNewIndex)',
      replace: 'Math.min(message.leaderCommit, log.lastIndex)',
    },
    {
      id: 'prev-not-compared',
      breaks: 'LR4',
      what: 'a follower takes entries behind an entry of another term',
      file: appendEntries,
      find: 'if (!isBehindCommit && log.termAt(message.prevLogIndex) !== message.prevLogTerm) {',
      replace: 'if (!isBehindCommit && message.prevLogIndex > log.lastIndex) {',
    },
    {
      id: 'acknowledged-on-receipt',
      breaks: 'DU11',
      what: 'a follower acknowledges entries before its disk holds them',
      file: appendEntries,
      find: 'if (isHardStateFlushed(state) && matchIndex <= log.flushedIndex) {',
      replace: 'if (isHardStateFlushed(state)) {',
    },
    {
      id: 'leader-recognized-before-flush',
      breaks: 'DU10',
      what: 'a heartbeat is answered before the term is on the disk',
      file: appendEntries,
      find: 'if (isHardStateFlushed(state)) send(state, answer)\n  else sendAfterFlush(state, answer)',
      replace: 'send(state, answer)',
    },
    {
      id: 'cut-without-conflict',
      breaks: 'LR6',
      what: 'a message that comes late cuts off entries that follow on its own',
      file: log,
      find: 'if (own.term !== run.term) {',
      replace: 'if (own.term !== run.term || index > this.commitIndex) {',
    },
    {
      id: 'conflict-kept',
      breaks: 'LR5',
      what: 'a follower keeps entries that conflict with its leader’s',
      file: log,
      find: 'if (own.term !== run.term) {',
      replace: 'if (own.term > run.term) {',
    },
    {
      id: 'cut-not-told-to-store',
      breaks: 'ST3',
      what: 'the store is not told that entries were cut off',
      file: log,
      find: 'if (from <= this.submittedIndex) this.truncatedFrom = from\n',
      replace: '',
    },
    {
      id: 'late-flush-counts',
      breaks: 'DU12',
      what: 'the flush of entries that were cut off meanwhile counts for those in their place',
      file: log,
      find: 'for (const write of this.pendingWrites) write.lastIndex = Math.min(write.lastIndex, index)\n',
      replace: '',
    },
    {
      id: 'flush-marks-all',
      breaks: 'DU14',
      what: 'a flush marks everything that is in the log',
      file: log,
      find: 'this.flushedIndex = Math.max(this.flushedIndex, write.lastIndex)',
      replace: 'this.flushedIndex = this.lastIndex',
    },
    {
      id: 'last-entry-forgotten',
      breaks: 'SN15',
      what: 'a log whose entries are all cut off counts as empty in elections',
      file: log,
      find: 'return run === undefined ? this.base : { index',
      replace: 'return run === undefined ? logOrigin : { index',
    },
    {
      id: 'commit-of-earlier-term',
      breaks: 'CM2',
      what: 'a leader commits an entry of an earlier term by counting (Figure 8)',
      file: commit,
      find: 'if (reached <= log.commitIndex || log.termAt(reached) !== state.currentTerm) return',
      replace: 'if (reached <= log.commitIndex) return',
    },
    {
      id: 'own-copy-unflushed',
      breaks: 'CM8',
      what: 'a leader counts its own copy before it is on the disk',
      file: commit,
      find: 'if (id === self) return log.flushedIndex',
      replace: 'if (id === self) return log.lastIndex',
    },
    {
      id: 'commit-by-less-than-majority',
      breaks: 'CM1',
      what: 'the median is one place too high: fewer than a majority commit',
      file: quorum,
      find: 'return reached[majorityOf(voters.length) - 1] ?? 0',
      replace: 'return reached[Math.max(0, majorityOf(voters.length) - 2)] ?? 0',
    },
    {
      id: 'joint-commit-by-new-half',
      breaks: 'CM9',
      what: 'the incoming half of a joint configuration commits alone',
      file: quorum,
      find: 'return Math.min(incoming, quorumIndexOfHalf(membership.votersOutgoing, matchIndexOf))',
      replace: 'return incoming',
    },
    {
      id: 'joint-commit-by-old-half',
      breaks: 'CM9',
      what: 'the outgoing half of a joint configuration commits alone',
      file: quorum,
      find: 'return Math.min(incoming, quorumIndexOfHalf(membership.votersOutgoing, matchIndexOf))',
      replace: 'return quorumIndexOfHalf(membership.votersOutgoing, matchIndexOf)',
    },
    {
      id: 'learner-counts',
      breaks: 'CM10',
      what: 'the copies of learners count for commits',
      file: quorum,
      find: 'const incoming = quorumIndexOfHalf(membership.voters, matchIndexOf)',
      replace:
        'const incoming = quorumIndexOfHalf([...membership.voters, ...membership.learners], matchIndexOf)',
    },
    {
      id: 'refusal-taken-for-match',
      breaks: 'LR16',
      what: 'a leader takes the index of a refusal for a match',
      file: replicationFile,
      find: 'progress.becomeProbe(Math.min(nextIndex, message.prevLogIndex))',
      replace:
        'progress.matched(message.conflictIndex)\n  progress.becomeProbe(Math.min(nextIndex, message.prevLogIndex))',
    },
    {
      id: 'refusal-of-earlier-lead-counts',
      breaks: 'LR23',
      what: 'a refusal for a stale term counts at the same node, which leads again',
      file: replicationFile,
      find: 'if (!message.success && message.conflictIndex === 0) return\n',
      replace: '',
    },
    {
      id: 'window-unbounded',
      breaks: 'FC2',
      what: 'more messages than the window has are on their way to a follower',
      file: replicationFile,
      find: 'return progress.inflightMessages < inflightMessagesMax && progress.inflightBytes < inflightBytesMax',
      replace: 'return progress.inflightBytes < inflightBytesMax',
    },
    {
      id: 'lost-message-unnoticed',
      breaks: 'FC6',
      what: 'a leader does not notice that a message of the pipeline is lost',
      file: replicationFile,
      find: 'if (isWaiting && !progress.hasMoved) {',
      replace: 'if (false) {',
    },
  ]),
  ...byTests(
    ['test/raft/flow-control.test.ts', 'test/raft/proposals.test.ts'],
    [
      {
        id: 'overload-not-refused',
        breaks: 'FC5',
        what: 'a leader takes commands while twice as much of its log as its bound is not applied',
        file: replicationFile,
        find: 'if (log.weightAfter(waitingFrom) > limits.uncommittedBytesMax) return',
        replace: 'if (log.weightAfter(waitingFrom) > 2 * limits.uncommittedBytesMax) return',
      },
    ],
  ),
  ...byTests(
    ['test/raft/replication.test.ts'],
    [
      {
        id: 'match-goes-back',
        breaks: 'LR11',
        what: 'a late answer moves matchIndex back',
        file: progress,
        find: 'if (matchIndex > this.matchIndex) {',
        replace: 'if (matchIndex !== this.matchIndex) {',
      },
    ],
  ),
  ...byTests(
    ['test/raft/message-checks.test.ts'],
    [
      {
        id: 'gap-accepted',
        breaks: 'TM9',
        what: 'a message whose entries have a gap is taken',
        file: 'src/raft/message-checks.ts',
        find: 'if (run.index !== previousIndex + 1 || run.term < previousTerm || run.bytes === undefined) return false',
        replace: 'if (run.term < previousTerm || run.bytes === undefined) return false',
      },
    ],
  ),
  ...byTests(
    ['test/raft/durability.test.ts', 'test/raft/check-quorum.test.ts'],
    [
      {
        id: 'heartbeat-claims-unflushed',
        breaks: 'CQ6',
        what: 'the answer to a heartbeat claims entries that are not on the disk',
        file: appendEntries,
        find: 'Math.min(matchIndex, state.log.flushedIndex)',
        replace: 'matchIndex',
      },
    ],
  ),
  ...byTests(
    ['test/raft/flow-control.test.ts'],
    [
      {
        id: 'window-leaks',
        breaks: 'FC3',
        what: 'the bytes of an acknowledged message stay in the window',
        file: progress,
        find: 'this.inflightBytes -= inflight.bytes\n',
        replace: '',
      },
    ],
  ),
  // Where a disk is so slow that a term ends meanwhile, there is no leader for long, and the simulator shows little.
  ...byTests(
    ['test/raft/durability.test.ts'],
    [
      {
        id: 'old-answers-kept',
        breaks: 'DU13',
        what: 'answers that wait for a flush outlive their term',
        file: roles,
        find: 'state.outbox.messagesAfterFlush = []\n',
        replace: '',
      },
      {
        id: 'old-acknowledgement-kept',
        breaks: 'DU13',
        what: 'an acknowledgement that waits for a flush outlives its term',
        file: roles,
        find: 'state.outbox.waitingAck = undefined\n',
        replace: '',
      },
    ],
  ),
]
