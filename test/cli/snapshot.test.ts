import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportSnapshot } from '../../src/cluster/index.js'
import { convergedHashes, flushedLogs, startedCluster } from '../cluster/support.js'
import { canInject, renames, runBroken } from './broken-run.js'
import { lastLine, run, temporaryFile, temporaryFolder } from './raftbox.js'

/** The directory of a cluster that put three keys and was closed, and the hash of its state. */
async function usedDirectory(nodes = 3): Promise<{ readonly dir: string; readonly hash: string }> {
  const dir = temporaryFolder()
  // No time of the log is told, which would change the hash of the state.
  const cluster = await startedCluster({ dir, nodes, host: 'inline', sessionTimeoutMs: 3_600_000 })
  for (let key = 1; key <= 3; key++) await cluster.put(`key${key}`, 'value')
  const [hash = ''] = await convergedHashes(cluster)
  await flushedLogs(cluster)
  await cluster.close()
  return { dir, hash }
}

test('a cluster goes through a file into another directory, and the sandbox finds all in it', async () => {
  const { dir, hash } = await usedDirectory()
  const [file, copy] = [join(temporaryFolder(), 'kept.snapshot'), join(temporaryFolder(), 'copy')]
  const exported = await run(['snapshot', 'export', dir, file])
  expect([exported.code, exported.stderr, exported.left]).toEqual([0, '', []])
  const [told, from] = exported.stdout.split('\n')
  const state = `keys 3, revision 3, sessions 1, bytes \\d+; hash ${hash.slice(0, 16)}`
  expect(told).toMatch(
    new RegExp(`^${file}: the state as of entry \\d+ of term \\d+: ${state}; exported .* 1, 2, 3$`),
  )
  expect(from).toMatch(/^read from the disk of node \d$/)
  expect((await run(['snapshot', 'show', file])).stdout).toBe(`${told}\n`)
  const imported = await run(['snapshot', 'import', file, copy, '--nodes', '1', '--json'])
  expect(lastLine(imported.stdout)).toMatchObject({
    nodes: 1,
    dir: copy,
    hash,
    summary: { keys: 3 },
  })
  const sandbox = await run(['sandbox', '--dir', copy, '--json'], 'get key2\n')
  expect(lastLine(sandbox.stdout)).toMatchObject({ ok: true, value: 'value' })
})

test('a lost disk is told beside the export', async () => {
  const { dir } = await usedDirectory()
  rmSync(join(dir, 'node-2'), { recursive: true })
  const { code, stdout } = await run(['snapshot', 'export', dir, join(temporaryFolder(), 'x')])
  expect(code).toBe(0)
  expect(stdout).toMatch(/\nnode 2 was left out: its folder is missing or empty, and [^\n]*\n$/)
})

test('what cannot be exported is told in one line, and leaves no file', async () => {
  const { dir } = await usedDirectory(1)
  const folder = temporaryFolder()
  const cases: [string[], string][] = [
    [[temporaryFolder(), 'x'], 'holds no cluster: name a directory of raftbox'],
    [[dir, temporaryFile('kept', 'x')], 'kept is there already: name a new file'],
    [[dir, join(folder, 'no', 'x')], 'there is no folder for x; make it, or name another'],
    [[dir, join(folder, 'x'), '--node', '2'], 'node: 1, the only node, not 2'],
    [[dir, join(folder, 'x'), '--node', '0'], '--node: give a whole number from 1'],
    [[dir], "missing required argument 'file'; see raftbox help snapshot"],
  ]
  for (const [args, words] of cases) {
    const { code, stdout, stderr } = await run(['snapshot', 'export', ...args])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
    expect(stderr).toContain(words)
  }
  expect(readdirSync(folder)).toEqual([])
})

test('what cannot be imported is told in one line, and makes no directory', async () => {
  const { dir } = await usedDirectory(1)
  const folder = temporaryFolder()
  const [file, copy] = [join(folder, 'file'), join(folder, 'copy')]
  await exportSnapshot(dir, file)
  const damaged = readFileSync(file)
  damaged[4200]! ^= 1
  const cases: [string[], string][] = [
    [
      [temporaryFile('cut', readFileSync(file).subarray(0, 4200)), copy],
      'cut is damaged: it ends at byte 4200',
    ],
    [[temporaryFile('odd', damaged), copy], 'odd is damaged: the block at byte '],
    [[temporaryFile('other', 'x'), copy], 'other is no export of raftbox: name another file'],
    [[join(folder, 'none'), copy], 'none is not there: name an export of raftbox'],
    [[folder, copy], 'is no file: name an export of raftbox'],
    [[file, dir], 'is not empty: name an empty or a new directory'],
    [[file, file], 'is no directory: name an empty or a new directory'],
    [[file, copy, '--nodes', '26'], "--nodes: give a whole number from 1 to 25, not '26'"],
  ]
  for (const [args, words] of cases) {
    const { code, stdout, stderr } = await run(['snapshot', 'import', ...args])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
    expect(stderr).toContain(words)
  }
  expect(readdirSync(folder)).toEqual(['file'])
})

test('snapshot alone says what it needs', async () => {
  expect(await run(['snapshot'])).toMatchObject({
    code: 2,
    stderr: 'raftbox: snapshot: name one of its commands; see raftbox help snapshot\n',
  })
})

test.runIf(canInject).each([
  ['fails', 'error=EIO'],
  ['is the last one', 'signal=KILL'],
])(
  '[BR4] an import of which any flush or rename %s makes a whole directory or none',
  async (_, how) => {
    const { dir, hash } = await usedDirectory(1)
    const folder = temporaryFolder()
    const [file, copy] = [join(folder, 'file'), join(folder, 'copy')]
    await exportSnapshot(dir, file)
    for (const calls of ['fsync,fdatasync', renames]) {
      for (let number = 1, isDone = false; !isDone; number++) {
        const { status, signal, stderr } = runBroken(['snapshot', 'import', file, copy], calls, how, number)
        isDone = status === 0
        if (signal === null && !isDone) expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
        if (existsSync(copy)) {
          const cluster = await startedCluster({ dir: copy, host: 'inline' })
          expect([...(await convergedHashes(cluster))]).toEqual([hash])
          await cluster.close()
          rmSync(copy, { recursive: true })
        } else if (signal === null) {
          expect(readdirSync(folder)).toEqual(['file'])
        } else if (existsSync(`${copy}.import`)) {
          const next = await run(['snapshot', 'import', file, copy])
          expect([next.code, next.stderr]).toEqual([2, expect.stringContaining('.import is there')])
          rmSync(`${copy}.import`, { recursive: true })
        }
        expect(number).toBeLessThan(60)
      }
    }
  },
  300_000,
)
