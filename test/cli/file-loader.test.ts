import { expect, test } from 'vitest'
import { FileLoader } from '../../src/cli/file-loader.js'
import { type Cluster, RaftError } from '../../src/cluster/index.js'

/** A cluster that answers in a later turn, and refuses a put for as long as `refusalOf` gives an error. */
function clusterThat(refusalOf: (value: string) => RaftError | undefined) {
  const turns: string[][] = []
  let turn: string[] | undefined
  const put = async (_: string, value: string): Promise<void> => {
    if (turn === undefined) {
      turn = []
      turns.push(turn)
      setImmediate(() => {
        turn = undefined
      })
    }
    turn.push(value)
    await new Promise((resolve) => setImmediate(resolve))
    const refusal = refusalOf(value)
    if (refusal !== undefined) throw refusal
  }
  const cluster = { put, status: () => [{ state: 'running' }] } as unknown as Cluster
  return { cluster, turns }
}

async function load(loader: FileLoader, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await loader.put({ line: n + 1, key: 'k', value: String(n) })
  await loader.finish()
}

test('records of one key go together, in their order, once the one before them is acknowledged', async () => {
  const { cluster, turns } = clusterThat(() => undefined)
  const loader = new FileLoader(cluster, 'utf8')
  await load(loader, 1000)
  expect(turns.length).toBeLessThan(10)
  expect(turns.flat()).toEqual(Array.from({ length: 1000 }, (_, n) => String(n)))
  expect([loader.acknowledged, loader.keys.size, loader.retries]).toEqual([1000, 1, 0])
})

test('when one of them is refused, those behind it are put again behind it', async () => {
  let refusals = 2
  const { cluster, turns } = clusterThat((value) =>
    value === '5' && refusals-- > 0 ? new RaftError('REPLACED') : undefined,
  )
  const loader = new FileLoader(cluster, 'utf8')
  await load(loader, 10)
  const others = Array.from({ length: 9 }, (_, n) => String(n + 1))
  expect(turns).toEqual([['0'], others, others, others])
  expect([loader.acknowledged, loader.retries]).toEqual([10, 2])
})

test('a failed node ends the load, and the records that were applied are counted', async () => {
  const { cluster, turns } = clusterThat((value) =>
    value === '5' ? new RaftError('NODE_FAILED', { nodeId: 1, why: 'EIO' }) : undefined,
  )
  const loader = new FileLoader(cluster, 'utf8')
  await expect(load(loader, 10)).rejects.toMatchObject({ code: 'NODE_FAILED' })
  expect(turns).toHaveLength(2)
  expect(loader.acknowledged).toBe(9)
})
