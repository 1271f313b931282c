import { expect, test, vi } from 'vitest'
import { startedCluster } from './support.js'

const left = vi.hoisted(() => ({ bytes: Number.POSITIVE_INFINITY, descriptors: Number.POSITIVE_INFINITY }))

vi.mock('../../src/storage/process-limits.js', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  addressSpaceLeft: () => left.bytes,
  descriptorsLeft: () => left.descriptors,
}))

test('[MB7] a node that finds no room is not restarted, and is once there is room', async () => {
  const cluster = await startedCluster({ nodes: 3, host: 'inline' })
  await cluster.put('a', 'b')
  await cluster.kill(2)
  left.bytes = 575.5 * 2 ** 20
  await expect(cluster.restart(2)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message:
      'nodes: 576 MiB of address space for 1 more (raise the limit with ulimit -v, or start fewer nodes), not the 575 that are left',
  })
  left.bytes = Number.POSITIVE_INFINITY
  left.descriptors = 8
  await expect(cluster.restart(2)).rejects.toMatchObject({
    message:
      'nodes: 9 file descriptors for 1 more (raise the limit with ulimit -n, or start fewer nodes), not the 8 that are left',
  })
  expect(cluster.status()[1]).toMatchObject({ state: 'stopped' })
  left.bytes = 576 * 2 ** 20
  left.descriptors = 9
  await cluster.restart(2)
  expect(cluster.status()[1]).toMatchObject({ state: 'running' })
})
