import { describe, expect, test } from 'vitest'
import type { StateMachine } from '../../src/machine/index.js'
import { ReplicatingLeader } from './replicating-leader.js'

const logBytesMax = 10_000

/** A machine that keeps nothing, and whose snapshot has so many bytes all the same. */
function machineOf(snapshotBytes: number): StateMachine {
  return {
    apply: (run, results) => {
      for (let at = 0; at < run.count; at++) results?.append(new Uint8Array(0))
    },
    read: () => undefined,
    snapshot: () => [new Uint8Array(snapshotBytes)].values(),
    restore: () => undefined,
    hash: () => '',
  }
}

class Leader extends ReplicatingLeader {
  constructor({ snapshotBytes, trailingBytes = 0 }: { snapshotBytes: number; trailingBytes?: number }) {
    super({ machine: machineOf(snapshotBytes), logBytesMax, trailingBytes })
  }
}

describe('behind a snapshot', () => {
  test('[SH4] the log is cut but for its margin', () => {
    const leader = new Leader({ snapshotBytes: 10, trailingBytes: 4000 })
    leader.write(1.2 * logBytesMax)
    expect(leader.log.base.index).toBeGreaterThan(0)
    expect(leader.log.base.index).toBeLessThan(leader.log.snapshot!.index)
    expect(leader.log.weightAfter(leader.log.base.index)).toBeLessThan(0.6 * logBytesMax + 1000)
  })

  test('[SH4] a margin is kept in proportion to the snapshot when that is what bounds the log', () => {
    const leader = new Leader({ snapshotBytes: 20 * logBytesMax, trailingBytes: 4000 })
    leader.write(1.2 * logBytesMax)
    const first = leader.log.snapshot?.index
    expect(first).toBeGreaterThan(0)
    while (leader.log.snapshot?.index === first) leader.write(1)
    const kept = leader.log.weightAfter(leader.log.base.index)
    expect(leader.log.base.index).toBeGreaterThan(0)
    expect(kept).toBeGreaterThan(10 * 4000)
  })
})

describe('while a follower is sent a snapshot', () => {
  /** A leader whose log was cut, and which sends its snapshot to node 3. */
  function sendingLeader(snapshotBytes: number): { leader: Leader; sent: number } {
    const leader = new Leader({ snapshotBytes })
    leader.write(1.2 * logBytesMax)
    leader.hearOfEmptyFollower()
    const sent = leader.driver.raft.state.leadership?.progress.get(3)?.snapshot?.index
    expect(sent).toBe(leader.log.snapshot?.index)
    return { leader, sent: sent! }
  }

  test.each([10, 20 * logBytesMax])('[SH5] the log behind that is kept, a snapshot of %i bytes', (size) => {
    const { leader, sent } = sendingLeader(size)
    leader.write(1.5 * Math.max(logBytesMax, size))
    expect(leader.log.snapshot?.index).toBeGreaterThan(sent)
    expect(leader.log.base.index).toBe(sent)
  })

  test.each([10, 20 * logBytesMax])(
    '[SH5] it is cut when that takes for ever, a snapshot of %i bytes',
    (size) => {
      const { leader, sent } = sendingLeader(size)
      leader.write(6 * Math.max(logBytesMax, size))
      expect(leader.log.base.index).toBeGreaterThan(sent)
      expect(leader.log.weightAfter(leader.log.base.index)).toBeLessThan(5 * Math.max(logBytesMax, size))
    },
  )
})
