/** A storm of faults of all kinds on real threads, drawn by chance. `CHAOS_SECONDS` and `CHAOS_SEED` choose another. */
import { expect, test } from 'vitest'
import { findScenario } from '../../src/scenarios/index.js'
import { complaintsOf, runOn } from './shipped.js'

const seconds = Number(process.env['CHAOS_SECONDS'] ?? 20)
const seed = Number(process.env['CHAOS_SEED'] ?? 1)
/** By how much the process may grow: buffers of three nodes, and what the engine has not collected yet. */
const grownMiBMax = 400

test(
  'chaos loses nothing, all nodes are equal in the end, and memory is bounded',
  async () => {
    const result = await runOn('threads', findScenario('chaos'), { seed, nemesisMs: 1000 * seconds })
    expect(complaintsOf(result)).toEqual([])
    expect(result.rss.peakMiB - result.rss.beginMiB).toBeLessThan(grownMiBMax)
    // A storm that drew nothing shows nothing.
    const drawn = Object.values(result.nemesis).reduce((sum, count) => sum + count, 0)
    expect(drawn).toBeGreaterThan(seconds / 2)
  },
  (seconds + 160) * 1000,
)
