/**
 * What every log store promises, as cases that any test runner can run: each has a title and throws when the
 * promise is broken. A store is compared with a plain model, and opened again after every single flush.
 */
import { expectCopy, type StoreTest, type TestDisk, using } from './store-expectations.js'
import { cutCases, logCases } from './store-log-cases.js'
import { stepStore } from './store-model.js'
import { drawLife } from './store-script.js'
import { snapshotCases } from './store-snapshot-cases.js'

export interface StoreHarness {
  /** An empty disk of its own. */
  newDisk(): TestDisk
}

export interface StoreCase {
  readonly title: string
  run(): Promise<void>
}

export function storeConformance(name: string, harness: StoreHarness): StoreCase[] {
  const newDisk = () => harness.newDisk()
  return [...logCases, ...snapshotCases, ...cutCases, ...crashCases].map(([title, run]) => ({
    title: `${name}: ${title}`,
    async run() {
      await run(newDisk(), newDisk)
    },
  }))
}

/** A store is opened again after each write of a drawn life, and amid many. */
const crashCases: readonly StoreTest[] = [1, 2, 3].flatMap((seed): StoreTest[] => [
  [
    `[DU1][DU8] a crash after any write of life ${seed} leaves what was acknowledged`,
    (disk) => crashAfterEachWrite(disk, seed),
  ],
  [
    `[DU1][DU6] a crash amid many writes of life ${seed} leaves what was acknowledged, or more, and no half write`,
    (disk) => crashAmidWrites(disk, seed + 10),
  ],
])

async function crashAfterEachWrite(disk: TestDisk, seed: number): Promise<void> {
  const { steps, states } = drawLife(seed, 60)
  await using(disk, async ({ store }) => {
    for (const [done, step] of steps.entries()) {
      await stepStore(store, step)
      await expectCopy(disk, states, done + 1, done + 1)
    }
  })
}

async function crashAmidWrites(disk: TestDisk, seed: number): Promise<void> {
  const { steps, states } = drawLife(seed, 60)
  await using(disk, async ({ store }) => {
    let flushedCount = 0
    const checks: Promise<void>[] = []
    const given: Promise<void>[] = []
    for (const step of steps) {
      given.push(
        stepStore(store, step).then(() => {
          flushedCount++
          if (flushedCount % 3 === 0) checks.push(expectCopy(disk, states, flushedCount, steps.length))
        }),
      )
    }
    await Promise.all(given)
    await Promise.all(checks)
  })
}
