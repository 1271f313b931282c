/** The order in which a node's numbers and its story are told. */
import { expect, test } from 'vitest'
import type { Role } from '../../src/raft/index.js'
import { allocateWaymarks, Counters, Meter, roles } from '../../src/telemetry/index.js'

test('[CO3] the counters hold a change of role before it is told', () => {
  const counters = new Counters(Counters.allocate())
  const seen: (Role | number | undefined)[][] = []
  const meter = new Meter({
    counters,
    happenings: {
      tell: () => {
        seen.push([roles[counters.get('role')], counters.get('currentTerm'), counters.get('leaderId')])
        return seen.length
      },
    },
    waymarks: allocateWaymarks(),
    ...{ now: () => 0, storyNow: () => 0, lastLook: () => 0, failed: () => undefined },
    ...{ tickMs: 100, heartbeatIntervalMs: 100, electionTimeoutMs: 500 },
  })
  const wins = {
    type: 'role',
    role: 'leader',
    term: 7,
    leaderId: 1,
    reason: 'electionWon',
    decidedBy: [1, 2],
  } as const
  meter.happened({ ...wins, role: 'candidate', leaderId: undefined, reason: 'preVoteWon' })
  meter.happened(wins)
  expect(seen).toEqual([
    ['candidate', 7, 0],
    ['leader', 7, 1],
  ])
})
