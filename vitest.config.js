import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'

// The compiled tests run, because a worker's file is found next to the module that starts it.
// The list is made from the sources, so that what a deleted test left in dist never runs.
const compiledTests = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => `dist/test/${path.replaceAll('\\', '/').replace(/\.ts$/, '.js')}`)

/**
 * Vitest begins with the largest files, as long as it has not seen how long each takes. The listed files are among the smallest, and
 * wait for clusters under faults: begun last, they would leave the other processes without work in the end.
 */
const longFiles = ['scenarios/threads', 'scenarios/chaos', 'etcd/chaos', 'scenarios/simulated'].map(
  (name) => `/dist/test/${name}.test.js`,
)

class LongFirst extends BaseSequencer {
  async sort(files) {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }) => longFiles.some((name) => moduleId.endsWith(name))
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  test: {
    include: compiledTests,
    exclude: [],
    globalSetup: './test/threads-built.mjs',
    // Native addons and worker threads of our own want a process, not a worker inside a worker.
    pool: 'forks',
    // Of three files, one waits in most moments. Each starts threads of its own: more at once only make their timings noisy.
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Closing a store waits for its flush; after that a fork which lingers is stopped.
    teardownTimeout: 10_000,
  },
})
