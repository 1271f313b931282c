/** In virtual time, too, what happens can be followed back to the fault that led to it. */
import { expect, test } from 'vitest'
import { SimulatedCluster } from '../../src/sim/index.js'
import type { Happened } from '../../src/telemetry/index.js'
import { converge, others } from './support.js'

/** The chain of causes of the last happening that fits the rule, in words, the latest first. */
function chainOf(
  { happened }: { readonly happened: readonly Happened[] },
  fits: (each: Happened) => boolean,
) {
  const bySequence = new Map(happened.map((each) => [each.sequence, each]))
  const chain: string[] = []
  for (let each = happened.findLast(fits); each !== undefined; each = bySequence.get(each.cause ?? 0)) {
    if (each.type === 'role') chain.push(`${each.role}: ${each.reason}`)
    else chain.push(each.type === 'faultBegan' ? each.fault.type : each.type)
  }
  return chain
}

const isNewLeader = (each: Happened) => each.type === 'role' && each.role === 'leader'
const election = [
  ...['leader: electionWon', 'voteAnswered', 'candidate: preVoteWon', 'voteAnswered'],
  'preCandidate: electionTimeout',
]

function led(nodes: number) {
  const cluster = new SimulatedCluster({ nodes, seed: 4 })
  const { id } = cluster.awaitLeader()
  converge(cluster)
  return { cluster, id, followers: others(cluster, id) }
}

test.each<[string, readonly string[], (cluster: SimulatedCluster, leaderId: number) => unknown]>([
  ['pause', ['heartbeatMissed', 'paused', 'pause'], (cluster, leaderId) => cluster.pause(leaderId)],
  [
    'losePower',
    ['heartbeatMissed', 'killed', 'losePower'],
    (cluster, leaderId) => cluster.losePower(leaderId),
  ],
  [
    'partition',
    ['heartbeatMissed', 'partition'],
    (cluster, leaderId) => cluster.partition([leaderId], others(cluster, leaderId)),
  ],
])('[HP2] the election of another leader is led to by the fault: %s', (_, begin, breakIt) => {
  const { cluster, id } = led(3)
  breakIt(cluster, id)
  cluster.until(() => cluster.story().happened.some((each) => isNewLeader(each) && each.nodeId !== id))
  expect(chainOf(cluster.story(), isNewLeader)).toEqual([...election, ...begin])
})

test('[HP2] a leader that steps down since its disk stalls names the fault, and so does the election that follows', () => {
  const { cluster, id } = led(3)
  cluster.stallDisk(id)
  cluster.send(id, 'propose', [new Uint8Array(1)], () => undefined)
  const steppedDown = (each: Happened) =>
    each.type === 'role' && each.nodeId === id && each.role === 'follower' && each.reason === 'diskStalled'
  cluster.until(() => cluster.story().happened.some(steppedDown))
  expect(chainOf(cluster.story(), steppedDown)).toEqual([
    ...['follower: diskStalled', 'flushLate', 'stallDisk'],
  ])
  cluster.until(() => cluster.story().happened.some((each) => isNewLeader(each) && each.nodeId !== id))
  expect(chainOf(cluster.story(), isNewLeader).slice(0, 5)).toEqual(election)
  expect(chainOf(cluster.story(), isNewLeader).at(-1)).toBe('stallDisk')
})

test('[HP2] a leader that is cut off loses its lease and then its lead by the fault', () => {
  const { cluster, id, followers } = led(5)
  cluster.run(200)
  cluster.partition([id], followers)
  const steppedDown = (each: Happened) =>
    each.type === 'role' && each.nodeId === id && each.reason === 'quorumLost'
  cluster.until(() => cluster.story().happened.some(steppedDown))
  expect(chainOf(cluster.story(), steppedDown)).toEqual(['follower: quorumLost', 'leaseLost', 'partition'])
})

test('[HP4] in any run, what led to a happening has a lower sequence number, and times do not fall', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const cluster = new SimulatedCluster({ nodes: 3, seed })
    cluster.awaitLeader()
    cluster.pause(cluster.leaderId ?? 1)
    cluster.run(2000)
    const { happened } = cluster.story()
    expect(happened.length).toBeGreaterThan(15)
    expect(happened.map(({ sequence }) => sequence)).toEqual(happened.map((_, at) => at + 1))
    for (const { sequence, cause = 0 } of happened) expect(cause).toBeLessThan(sequence)
    for (const [at, { atMs }] of happened.entries())
      expect(atMs).toBeGreaterThanOrEqual(happened[at - 1]?.atMs ?? 0)
  }
})
