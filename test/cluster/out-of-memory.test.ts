import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('./greedy-node.js', import.meta.url))

test('a node whose thread is out of memory ends alone, and says how to give it more', () => {
  const args = ['--max-old-space-size=64', program]
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 55_000 })
  expect(stdout).toBe(
    'UNKNOWN_OUTCOME\nits thread is out of memory: raise the limit with node --max-old-space-size, or store less\n',
  )
  expect(status).toBe(0)
})
