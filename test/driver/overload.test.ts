/** Bounds of what waits in a leader: for its clients, for its own state machine, and for its followers. */
import { expect, test } from 'vitest'
import { packCommands } from '../../src/raft/index.js'
import { QueriedLeader } from './queried-leader.js'

test('[OV3] while clients are behind, nothing is answered that was asked for, and all of it once they have read', () => {
  const node = new QueriedLeader()
  node.areClientsBehind = true
  node.put('new')
  const read = node.get()
  node.flushAll()
  node.acknowledge(2, node.round)
  const { log } = node.driver.raft.state
  expect([log.commitIndex, log.lastApplied, node.settled]).toEqual([2, 1, []])
  node.areClientsBehind = false
  node.driver.turn()
  expect([log.lastApplied, node.settled.length, node.toldTo(read)]).toEqual([2, 2, 'new'])
})

test('[OV3] a node that waits for its clients takes no turn of its own accord', () => {
  const deferred: (() => void)[] = []
  const node = new QueriedLeader({ defer: (turn) => void deferred.push(turn) })
  node.areClientsBehind = true
  node.put('new')
  node.get()
  node.flushAll()
  node.acknowledge(2, node.round)
  expect(deferred).toEqual([])
})

test('[OV4] reads that wait take no more than a bound of bytes, then more are refused until some are answered', () => {
  const node = new QueriedLeader()
  const large = packCommands([new Uint8Array(1 << 20)])
  const reads = Array.from({ length: 40 }, () => node.request('read', large))
  const refused = reads.filter((read) => node.toldTo(read) === 'refused')
  expect(node.settled).toEqual(
    refused.map((request) => ({
      request,
      outcome: 'refused',
      code: 'overloaded',
      leaderId: 1,
    })),
  )
  expect(reads.length - refused.length).toBe(32)
  for (const _ of reads) node.confirm()
  expect(node.toldTo(node.request('read', large))).toBeUndefined()
})
