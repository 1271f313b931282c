/** Programs that keep the cores busy beside what is measured, as on a machine that does other things too. */
import { availableParallelism } from 'node:os'
import { startChild } from './child.js'

/**
 * A loop at the lowest priority. Where Linux shares the cores among sessions, each with a priority of its own, that of the
 * loop's session is the lowest as well. The loop ends when its standard input does: with the process that started it.
 */
const loop = `
  require('node:os').setPriority(19)
  try { require('node:fs').writeFileSync('/proc/self/autogroup', '19') } catch {}
  process.stdin.on('end', () => process.exit()).resume()
  const spin = () => {
    const until = performance.now() + 20
    while (performance.now() < until);
    setImmediate(spin)
  }
  spin()
`

/** Runs with one such loop a core, and ends the loops whatever comes of it. */
export async function keptBusy<T>(run: () => Promise<T>): Promise<T> {
  const loops = Array.from({ length: availableParallelism() }, () =>
    startChild(process.execPath, ['-e', loop], { env: process.env, answer: async () => undefined }),
  )
  try {
    return await run()
  } finally {
    await Promise.all(loops.map((each) => each.stop()))
  }
}
