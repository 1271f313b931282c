/** Metrics of nodes that etcd has no name for. */
import type { NodeState } from '../cluster/index.js'
import type { Role } from '../raft/index.js'
import { byWord, type Metric, ofFollowers, ofLatencies, ofNodes } from './metric.js'

const states = { running: 0, paused: 0, stopped: 0, failed: 0 } satisfies Record<NodeState, 0>
const roles = { follower: 0, preCandidate: 0, candidate: 0, leader: 0 } satisfies Record<Role, 0>

export const nodeMetrics: readonly Metric[] = [
  byWord(
    'raftbox_node_state',
    'Whether the node runs, is paused (frozen), was stopped, or has failed: 1 for its state, 0 for the others.',
    'state',
    ({ state }) => ({ ...states, [state]: 1 }),
  ),
  byWord(
    'raftbox_node_role',
    'The role of the node: 1 for its role, 0 for the others, and 0 for all of a node that is frozen or does not run.',
    'role',
    ({ isUp, role }) => (isUp ? { ...roles, [role]: 1 } : roles),
  ),
  ...ofNodes('gauge', [
    ['raftbox_term', 'The current term of the node.', ({ currentTerm }) => currentTerm],
    [
      'raftbox_lease_held',
      'Whether the node leads and holds its lease: 1 or 0.',
      ({ isLeaseHeld }) => isLeaseHeld,
    ],
    ['raftbox_log_first_index', 'The index of the first entry of the log.', ({ firstIndex }) => firstIndex],
    ['raftbox_log_last_index', 'The index of the last entry of the log.', ({ lastIndex }) => lastIndex],
    [
      'raftbox_log_flushed_index',
      'The index up to which the own disk of the node holds the log.',
      ({ flushedIndex }) => flushedIndex,
    ],
    [
      'raftbox_snapshot_index',
      'The index up to which the latest snapshot of the node goes; 0: it has none.',
      ({ snapshotIndex }) => snapshotIndex,
    ],
    [
      'raftbox_log_bytes',
      'What the log of the node weighs in memory, the objects around its entries included.',
      ({ logBytes }) => logBytes,
    ],
  ]),
  ...ofNodes('counter', [
    [
      'raftbox_elections_started_total',
      'Elections that the node stood for, pre-votes that failed left out.',
      ({ elections }) => elections,
    ],
    ['raftbox_heartbeats_received_total', 'Heartbeats that came.', (node) => node.heartbeatsReceived],
    [
      'raftbox_heartbeats_missed_total',
      'Whole intervals that passed without a heartbeat of any leader, counted once a heartbeat comes again.',
      ({ heartbeatsMissed }) => heartbeatsMissed,
    ],
    ['raftbox_messages_sent_total', 'Messages to other nodes.', ({ messagesSent }) => messagesSent],
    ['raftbox_messages_received_total', 'Messages of other nodes.', (node) => node.messagesReceived],
    [
      'raftbox_flushed_bytes_total',
      'Bytes of entries that were flushed to the disk.',
      (node) => node.bytesFlushed,
    ],
    [
      'raftbox_commands_applied_total',
      'Commands that the state machine applied.',
      (node) => node.commandsApplied,
    ],
    ['raftbox_snapshots_taken_total', 'Snapshots that the node took itself.', (node) => node.snapshotsTaken],
    [
      'raftbox_snapshots_installed_total',
      'Snapshots of a leader that the node took in.',
      ({ snapshotsInstalled }) => snapshotsInstalled,
    ],
  ]),
  ofFollowers(
    'raftbox_follower_lag_entries',
    'Entries of the leader that the follower did not acknowledge yet.',
    ({ matchIndex }, { lastIndex }) => Math.max(0, lastIndex - matchIndex),
  ),
  ofFollowers(
    'raftbox_follower_in_flight_bytes',
    'Bytes of entries on their way to the follower, as far as the leader knows.',
    ({ bytesInFlight }) => bytesInFlight,
  ),
  ofFollowers(
    'raftbox_follower_snapshot_in_flight',
    'Whether a snapshot is on its way to the follower: 1 or 0.',
    ({ isSnapshotSent }) => isSnapshotSent,
  ),
  byWord(
    'raftbox_queue_entries',
    'Entries of the log that the node does not know to be committed, has not flushed, or has not applied, as of its last tick.',
    'queue',
    ({ queues }) => ({
      uncommitted: queues?.uncommitted.entries,
      unflushed: queues?.unflushed.entries,
      unapplied: queues?.unapplied.entries,
    }),
  ),
  byWord(
    'raftbox_queue_bytes',
    'What these entries weigh in memory, the objects around them included.',
    'queue',
    ({ queues }) => ({
      uncommitted: queues?.uncommitted.bytes,
      unflushed: queues?.unflushed.bytes,
      unapplied: queues?.unapplied.bytes,
    }),
  ),
  byWord(
    'raftbox_requests_waiting',
    'Requests of clients that the node took and did not answer yet. A request holds the calls of a turn.',
    'kind',
    ({ queues }) => ({ proposal: queues?.requests.proposals, read: queues?.requests.reads }),
  ),
  ...ofNodes('gauge', [
    [
      'raftbox_reads_waiting_bytes',
      'Bytes of the reads that the node took and did not answer yet.',
      ({ queues }) => queues?.requests.readBytes,
    ],
    ['raftbox_disk_writes_waiting', 'Writes that are with the disk.', ({ queues }) => queues?.writes],
    [
      'raftbox_messages_waiting',
      'Messages that wait for a write, as they promise what it makes durable.',
      ({ queues }) => queues?.messagesAfterFlush,
    ],
  ]),
  ofLatencies(
    'raftbox_heartbeat_late_seconds',
    'How late heartbeats came at the node: the time since the one before, less the interval.',
    ['node'],
    ({ nodes }) => nodes.map(({ nodeId, latencies }) => [{ node: nodeId }, latencies.heartbeatsLate]),
  ),
]
