/** Each thing that the nemesis draws, again and again under load: it has an effect, and all promises hold. */
import { expect, test } from 'vitest'
import { Dice, type DrawName, drawNames, Nemesis } from '../../src/faults/index.js'
import { type FaultName, SimulatedCluster } from '../../src/sim/index.js'
import { converge, Writers } from './support.js'

/** The counter that tells that a fault of this name did something. */
const effects: Readonly<Record<DrawName, FaultName>> = {
  cut: 'cutOff',
  deafen: 'cutOff',
  isolate: 'cutOff',
  partition: 'cutOff',
  depose: 'cutOff',
  ring: 'cutOff',
  bridge: 'cutOff',
  cutClients: 'clientsCutOff',
  delayClients: 'clientsDelayed',
  delay: 'delayed',
  drop: 'dropped',
  duplicate: 'duplicated',
  reorder: 'overtaken',
  throttle: 'throttled',
  slowDisk: 'slowFlushes',
  stallDisk: 'stalledWrites',
  failDisk: 'failedDisks',
  fullDisk: 'fullDisks',
  kill: 'kills',
  losePower: 'powerLosses',
  pause: 'pauses',
  skew: 'skewedReadings',
}

test.each(drawNames)('%s', (name) => {
  // A ring and a bridge of three are no fault.
  const nodes = name === 'ring' || name === 'bridge' ? 5 : 3
  const cluster = new SimulatedCluster({ seed: 1 + drawNames.indexOf(name), nodes })
  cluster.awaitLeader()
  const writers = new Writers(cluster, 2)
  const nemesis = new Nemesis(cluster, cluster.faults, new Dice(7))
  nemesis.start(60, [name])
  cluster.run(1000)
  expect(nemesis.begun.size).toBe(1)
  expect(cluster.world.counts[effects[name]]).toBeGreaterThan(0)
  void nemesis.stop()
  writers.stop()
  expect(cluster.faults.standing).toEqual([])
  // A disk that failed as its fault was healed stops its node just after.
  cluster.run(100)
  for (const id of cluster.nodeIds) cluster.restart(id)
  expect(cluster.put('k', 'after the storm')).toMatchObject({ outcome: 'applied' })
  converge(cluster)
  expect(new Set(cluster.nodes.map((node) => node.hash())).size).toBe(1)
})
