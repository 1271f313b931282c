import { describe, expect, test } from 'vitest'
import { brokenBans, brokenPackages, brokenSilence } from './bans.js'
import { readTree } from './source-tree.js'

describe('clocks and dice', () => {
  test('the protocol and the driver read no clock, throw no dice and import nothing of Node', () => {
    expect(brokenBans(readTree('src'))).toEqual([])
  })

  test.each([
    'Math.random()',
    'Date.now()',
    'new Date()',
    'performance.now()',
    'process.hrtime.bigint()',
    'setTimeout(f)',
    'setInterval(f)',
    'setImmediate(f)',
    'crypto.randomUUID()',
    "import fs from 'node:fs'",
  ])('%s is found', (code) => {
    expect(brokenBans(new Map([['src/raft/raft.ts', code]]))).toHaveLength(1)
    expect(brokenBans(new Map([['src/driver/driver.ts', code]]))).toHaveLength(1)
    expect(brokenBans(new Map([['src/node/clock.ts', code]]))).toEqual([])
  })

  test('a comment may name what is banned', () => {
    expect(
      brokenBans(new Map([['src/raft/raft.ts', '/** Never Date.now(). */\n// nor Math.random']])),
    ).toEqual([])
  })

  test('a comment sign inside a string hides nothing', () => {
    expect(brokenBans(new Map([['src/raft/raft.ts', "const a = 'http://x'; Date.now()"]]))).toHaveLength(1)
  })
})

describe('packages', () => {
  test('a package is imported only where it lives', () => {
    expect(brokenPackages(readTree('src'))).toEqual([])
  })

  test.each([
    ['src/sim/disk.ts', 'lmdb'],
    ['src/storage/log.ts', 'comlink/dist/esm/node-adapter.mjs'],
    ['src/node/pool.ts', 'piscina'],
    ['src/cluster/print.ts', 'picocolors'],
    ['src/raft/log.ts', 'csv-parse'],
    ['src/driver/driver.ts', '@scope/any'],
    ['src/storage/log.ts', 'raftbox/sim'],
  ])('%s may not import %s', (path, specifier) => {
    expect(brokenPackages(new Map([[path, `import x from '${specifier}'`]]))).toHaveLength(1)
  })

  test('a third file that imports comlink is found', () => {
    const text = "import { wrap } from 'comlink'"
    const tree = new Map([
      ['src/node/control.ts', text],
      ['src/cluster/control.ts', text],
    ])
    expect(brokenPackages(tree)).toEqual([])
    expect(brokenPackages(tree.set('src/cluster/start.ts', text))).toHaveLength(1)
  })
})

describe('console', () => {
  test('only the command line prints', () => {
    expect(brokenSilence(readTree('src'))).toEqual([])
  })

  test('a print elsewhere is found', () => {
    const tree = new Map([
      ['src/node/worker.ts', "console.log('here')"],
      ['src/cli/main.ts', "console.log('here')"],
    ])
    expect(brokenSilence(tree)).toEqual(['src/node/worker.ts uses console'])
  })

  test('a node that writes to a stream is found, however it has the stream', () => {
    const tree = new Map([
      ['src/node/worker.ts', "process.stderr.write('here')"],
      ['src/driver/driver.ts', 'const { stdout } = process'],
      ['src/terminal/text.ts', "process.stderr.write('here')"],
    ])
    expect(brokenSilence(tree)).toEqual([
      'src/node/worker.ts uses a stream of the process',
      'src/driver/driver.ts uses a stream of the process',
    ])
  })
})
