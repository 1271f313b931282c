/** The small parts, each by itself: what a frame, a step, a flush, a message and a heartbeat cost here. */
import { type Durability, startCluster } from '../../src/cluster/index.js'
import { createKv } from '../../src/machine/index.js'
import { forEachCommand } from '../../src/raft/index.js'
import type { BenchCase, Group } from '../suite/index.js'
import { durabilities } from './measured-case.js'
import { postAndTake, roundTrip } from './micro/ports.js'
import { PureCluster } from './micro/protocol.js'
import { frameOf, runOf } from './micro/puts.js'
import { flushing, storeNames } from './micro/stores.js'
import { microCase, type Part } from './micro/task.js'

const batches = [1, 256, 1024]
const clusterSizes = [3, 5, 7, 9, 25]

export const micro: Group = {
  name: 'micro',
  cases: () => [
    microCase('frame-encode', 'pack a frame of 256 puts', () => ({ run: () => frameOf(256) })),
    microCase('frame-decode', 'walk a frame of 256 puts', walking),
    microCase('machine-apply', 'apply 256 puts to the key-value store', applying),
    ...[1, 3].map((nodes) =>
      microCase(
        `protocol-commit/${nodes}`,
        `a run of 256 puts through the protocol, nodes: ${nodes}`,
        () => committing(nodes),
        { nodes },
      ),
    ),
    ...clusterSizes.map((nodes) =>
      microCase(
        `heartbeat-round/${nodes}`,
        `a round of heartbeats and answers in the protocol, ${nodes} nodes`,
        () => beating(nodes),
        { nodes },
      ),
    ),
    microCase('port-post', 'post a run of 256 puts and take it, in one thread', postAndTake),
    microCase('port-round-trip', 'a message to another thread and back', roundTrip),
    ...storeNames.flatMap((store) =>
      batches.map((count) =>
        microCase(
          `store-flush/${store}/${count}`,
          `append and flush a batch in the ${store} store, puts: ${count}`,
          () => flushing(store, count),
          { store, batch: count },
        ),
      ),
    ),
    ...durabilities.map(oneCommit),
  ],
}

function walking(): Part {
  const run = runOf(256)
  return {
    run: () => {
      let bytes = 0
      forEachCommand(run, (start, end) => {
        bytes += end - start
      })
      return bytes
    },
  }
}

function applying(): Part {
  const machine = createKv()
  const run = runOf(256)
  return { run: () => machine.apply({ ...run, timeMs: 0 }, undefined) }
}

function committing(nodes: number): Part {
  const cluster = new PureCluster(nodes)
  const { bytes, count } = runOf(256)
  // A leader takes a frame's buffer as its own.
  return { run: () => cluster.commit({ bytes: bytes.slice(), count }) }
}

function beating(nodes: number): Part {
  const cluster = new PureCluster(nodes)
  return {
    run: () => {
      // Each follower is asked and answers.
      if (cluster.beat() !== 2 * (nodes - 1)) throw new Error('it was no round of heartbeats')
    },
  }
}

/** What one client sees that waits for each answer. */
function oneCommit(durability: Durability): BenchCase {
  return microCase(
    `commit/${durability}`,
    `one put by one client, three nodes, ${durability === 'flush' ? 'durable' : 'in memory'}`,
    async () => {
      const cluster = await startCluster({ nodes: 3, durability })
      await cluster.put('warm', 'up')
      return { run: () => cluster.put('key', 'v'.repeat(112)), close: () => cluster.close() }
    },
    { durability },
  )
}
