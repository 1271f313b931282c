import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

// The compiled tests run, because a worker's file is found next to the module that starts it.
// The list is made from the sources, so that what a deleted test left in dist never runs.
const compiledTests = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => `dist/test/${path.replaceAll('\\', '/').replace(/\.ts$/, '.js')}`)

export default defineConfig({
  test: {
    include: compiledTests,
    exclude: [],
    // Native addons and worker threads of our own want a process, not a worker inside a worker.
    pool: 'forks',
    // Each test file starts threads of its own: more files at once only make their timings noisy.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Closing a store waits for its flush; after that a fork which lingers is stopped.
    teardownTimeout: 10_000,
  },
})
