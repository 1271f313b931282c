/** The load in the background, on a cluster that never answers. */
import { expect, test } from 'vitest'
import type { Cluster } from '../../src/cluster/index.js'
import { BackgroundLoad } from '../../src/load/index.js'

function silentCluster() {
  let calls = 0
  const put = () => {
    calls++
    return new Promise(() => undefined)
  }
  return { cluster: { put } as unknown as Cluster, calls: () => calls }
}

test('without a rate all clients call at once', () => {
  const { cluster, calls } = silentCluster()
  const load = new BackgroundLoad(cluster, { clients: 1000 })
  expect(calls()).toBe(1000)
  load.end()
})

test('with a rate no client calls before a call is due', () => {
  const { cluster, calls } = silentCluster()
  const load = new BackgroundLoad(cluster, { clients: 1000, rate: 1 })
  expect(calls()).toBe(0)
  load.end()
})
