/** Metrics by the names that etcd gives them, where they mean the same: dashboards made for etcd draw them. */
import { type Metric, ofLatencies, ofNodes } from './metric.js'

export const etcdMetrics: readonly Metric[] = [
  {
    name: 'etcd_server_id',
    type: 'gauge',
    help: 'The id of the node, in hexadecimal, as a label. Always 1.',
    labels: ['node', 'server_id'],
    samples: ({ nodes }) =>
      nodes.map(({ nodeId }) => ({ labels: { node: nodeId, server_id: nodeId.toString(16) }, value: 1 })),
  },
  ...ofNodes('gauge', [
    [
      'etcd_server_has_leader',
      'Whether the node knows of a leader: 1 or 0. A node that is frozen or does not run knows of none.',
      ({ isUp, leaderId }) => isUp && leaderId !== undefined,
    ],
    [
      'etcd_server_is_leader',
      'Whether the node leads: 1 or 0. A node that is frozen or does not run does not lead.',
      ({ isLeader }) => isLeader,
    ],
    [
      'etcd_server_is_learner',
      'Whether the node is a learner: 1 or 0.',
      ({ member }) => member === 'learner',
    ],
  ]),
  ...ofNodes('counter', [
    [
      'etcd_server_leader_changes_seen_total',
      'How often the node came to know of a leader: of another one than before, or after it knew of none.',
      ({ leaderChanges }) => leaderChanges,
    ],
    [
      'etcd_server_proposals_committed_total',
      'The highest index that the node knew to be committed at any scrape, over all of its lives.',
      ({ highest }) => highest.commitIndex,
    ],
    [
      'etcd_server_proposals_applied_total',
      'The highest index that the state machine of the node had applied at any scrape, over all of its lives.',
      ({ highest }) => highest.lastApplied,
    ],
    [
      'etcd_server_proposals_failed_total',
      'Commands that the node refused, or of which it lost sight. Their clients may have sent them again.',
      ({ proposalsFailed }) => proposalsFailed,
    ],
  ]),
  ...ofNodes('gauge', [
    [
      'etcd_server_proposals_pending',
      'Entries that the leader has in its log and has not applied; 0 at other nodes.',
      ({ isLeader, lastIndex, lastApplied }) => (isLeader ? Math.max(0, lastIndex - lastApplied) : 0),
    ],
    [
      'etcd_server_snapshot_apply_in_progress_total',
      'Whether a snapshot of the leader comes in: 1 or 0. No sum, whatever the name that etcd gave it says.',
      ({ isSnapshotIncoming }) => isSnapshotIncoming,
    ],
  ]),
  ofLatencies(
    'etcd_disk_wal_fsync_duration_seconds',
    'How long a write of the log took until it was flushed to the disk.',
    ['node'],
    ({ nodes }) => nodes.map(({ nodeId, latencies }) => [{ node: nodeId }, latencies.flushes]),
  ),
  ofLatencies(
    'etcd_network_peer_round_trip_time_seconds',
    'While the node led: from a heartbeat to the answer of the node that the label To names.',
    ['node', 'To'],
    ({ nodes }) =>
      nodes.flatMap(({ nodeId, latencies }) =>
        [...latencies.roundTrips].map(([to, reading]) => [{ node: nodeId, To: to }, reading] as const),
      ),
  ),
]
