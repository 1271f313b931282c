/**
 * The simulator's own judge holds each answer against the ledger. Here what clients were told is judged as `raftbox check` does,
 * which sees no ledger: both must find a run right.
 */
import { expect, test } from 'vitest'
import type { KeyValueOperation } from '../../src/check/index.js'
import { planOf, type SimulatedCluster, simulate } from '../../src/sim/index.js'
import { asOperations, contradictionsIn, judgedAlone } from '../proof/as-operations.js'

const seeds = Array.from({ length: 24 }, (_, at) => at + 1)

/** The calls of clients without sessions, of which a copy may happen for the call. Stale reads promise less, and are left out. */
function recorded(seed: number): { operations: KeyValueOperation[]; violation: unknown } {
  const operations: KeyValueOperation[] = []
  let time = 0
  let calls = 0
  const begun = (cluster: SimulatedCluster): (() => void) => {
    const send = cluster.send.bind(cluster)
    cluster.send = (nodeId, type, commands, done, ...rest) => {
      const [call, client] = [++time, ++calls]
      const told: typeof done = (outcome) => {
        const times = { client, call, return: ++time }
        if (type !== 'staleRead')
          operations.push(...asOperations(type === 'propose' ? type : 'read', commands, outcome, times))
        done(outcome)
      }
      return send(nodeId, type, commands, told, ...rest)
    }
    return () => undefined
  }
  const { violation } = simulate({ seed, load: { ...planOf(seed).load, sessionMs: 0 }, begun })
  return { operations, violation }
}

test("clients, who see no ledger, find seeds right, and so does the simulator's judge", {
  timeout: 300_000,
}, () => {
  let [told, keys, open] = [0, 0, 0]
  for (const seed of seeds) {
    const { operations, violation } = recorded(seed)
    expect(violation, `seed ${seed}`).toBeUndefined()
    told += operations.filter(({ outcome }) => outcome === 'ok').length
    const result = judgedAlone(operations)
    keys += result.keys
    open += result.undecided.length
    expect(contradictionsIn(result), `seed ${seed}`).toEqual([])
  }
  // Many appends of unknown outcome are too hard a question, and few keys have them.
  expect(open).toBeLessThan(keys / 5)
  expect(told).toBeGreaterThan(50 * seeds.length)
})
