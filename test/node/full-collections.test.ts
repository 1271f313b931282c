import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

const values = 3000
const valueKiB = 64
/** V8 collects a heap in full after so much of what counts for it beside its objects, however large the heap is. */
const fullAfterMiB = 64

test('a node collects its heap in full no more often than the messages that it receives call for', async () => {
  const program = `
    import { startCluster } from '${import.meta.resolve('../../src/cluster/index.js')}'
    const cluster = await startCluster({ nodes: 3, durability: 'none' })
    const value = 'x'.repeat(${valueKiB} << 10)
    let left = ${values}
    const client = async (key) => { while (left-- > 0) await cluster.put(key, value) }
    await Promise.all(Array.from({ length: 16 }, (_, at) => client('key ' + at)))
    await cluster.close()`
  const { stdout } = await run(process.execPath, ['--trace-gc', '--input-type=module', '-e', program], {
    maxBuffer: 64 << 20,
  })
  const heaps = new Map<string, number>()
  for (const [, heap = ''] of stdout.matchAll(/^\[\d+:(0x[\da-f]+)\].* Mark-Compact /gm))
    heaps.set(heap, (heaps.get(heap) ?? 0) + 1)
  const mostCalledFor = (values * valueKiB) / 1024 / fullAfterMiB
  // The heap of the program itself is not a node's.
  const inFullTooOften = [...heaps.values()].filter((count) => count > 2 * mostCalledFor)
  expect(inFullTooOften.length).toBeLessThanOrEqual(1)
})
