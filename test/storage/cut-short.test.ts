import { spawnSync } from 'node:child_process'
import { cpSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newFolder } from './disks.js'

const writer = new URL('./lmdb-writer.js', import.meta.url).pathname

/** Opens the log in a program of its own: a page that LMDB reads past the end of its file would end the program. */
function writeTo(dir: string, writes: number) {
  const { status, signal, stderr } = spawnSync(process.execPath, [writer, dir, '2000', String(writes)], {
    encoding: 'utf8',
    timeout: 55_000,
  })
  return { status, signal, stderr }
}

test('[DU3] a log whose file was cut short is refused, and no cut ends the process by a signal', () => {
  const dir = newFolder()
  expect(writeTo(dir, 200)).toMatchObject({ status: 0, signal: null })
  const { size } = statSync(join(dir, 'data.mdb'))
  for (const kept of [1, 4096, 8192, size >> 1, size - 8192, size - 4096, size - 100]) {
    const cut = newFolder()
    cpSync(dir, cut, { recursive: true })
    truncateSync(join(cut, 'data.mdb'), kept)
    const { status, signal, stderr } = writeTo(cut, 1)
    expect([kept, status, signal]).toEqual([kept, 1, null])
    // What lies at the very end may be a page that nothing refers to.
    if (kept <= size >> 1) expect(stderr).toContain('cannot be opened')
  }
})
