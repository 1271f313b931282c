/** Mistakes that break no promise, and cost messages, bytes or room: the labs count them. */
import { byTests } from '../mutant.js'

export const labs = [
  ...byTests(
    ['test/labs/elections.test.ts'],
    [
      {
        id: 'voters-asked-twice',
        breaks: 'EL5',
        what: 'a candidate asks each voter twice at once',
        file: 'src/raft/elections.ts',
        find: 'for (const to of otherVoters(state)) {',
        replace: 'for (const to of [...otherVoters(state), ...otherVoters(state)]) {',
      },
      {
        id: 'heartbeat-answered-twice',
        breaks: 'LR18',
        what: 'a follower answers each heartbeat twice',
        file: 'src/raft/append-entries.ts',
        find: '  if (isHardStateFlushed(state)) send(state, answer)\n  else',
        replace:
          '  if (isHardStateFlushed(state)) for (const each of [answer, answer]) send(state, each)\n  else',
      },
    ],
  ),
  ...byTests(
    ['test/labs/agreement.test.ts'],
    [
      {
        id: 'one-entry-back',
        breaks: 'LR10',
        what: 'a leader backs up one entry at a time',
        file: 'src/raft/replication.ts',
        find: 'const nextIndex = hasTerm ? lastOfTerm + 1 : message.conflictIndex',
        replace: 'const nextIndex = message.prevLogIndex',
      },
      {
        id: 'heartbeat-each-tick',
        breaks: 'LR18',
        what: 'a leader sends a heartbeat with each tick',
        file: 'src/raft/raft.ts',
        find: 'const isHeartbeatDue = state.heartbeatElapsedTicks >= limits.heartbeatTicks',
        replace: 'const isHeartbeatDue = true',
      },
    ],
  ),
  ...byTests(
    ['test/labs/snapshots.test.ts'],
    [
      {
        id: 'chunk-sent-twice',
        breaks: 'SN4',
        what: 'each chunk of a snapshot leaves twice',
        file: 'src/raft/replication.ts',
        find: '  sendChunk(state, to, progress)\n',
        replace: '  sendChunk(state, to, progress)\n  sendChunk(state, to, progress)\n',
      },
      {
        id: 'margin-as-large-as-log',
        breaks: 'SH4',
        what: 'a log keeps as many bytes behind its snapshot as it may have before the next one',
        file: 'src/raft/compaction.ts',
        find: 'log.entryBeforeMargin(trailingBytes * (bound / logBytesMax))',
        replace: 'log.entryBeforeMargin(bound)',
      },
    ],
  ),
]
