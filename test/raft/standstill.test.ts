/** An hour in which a disk does nothing: what waits in the protocol. */
import { expect, test } from 'vitest'
import { Bench, endTurn, heartbeat, takePersist } from './support/bench.js'

/** Heartbeats of an hour, at 50 ms. */
const anHour = 72_000

test('[OV8] a node whose disk takes no write for an hour keeps one answer, to the last heartbeat', () => {
  const { raft } = new Bench().node
  for (let round = 1; round <= anHour; round++) {
    raft.step({ type: 'message', message: heartbeat({ round }) })
    if (round % 100 === 0) expect(raft.step(endTurn({ mayWrite: false })).messages).toEqual([])
  }
  expect(takePersist(raft)?.messages).toMatchObject([{ type: 'appendEntriesResponse', to: 2, round: anHour }])
})
