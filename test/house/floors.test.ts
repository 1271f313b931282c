import { existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { brokenFloors, circles, mayImport } from './floors.js'
import { readTree } from './source-tree.js'

test('imports go only down the floors', () => {
  expect(brokenFloors(readTree('src'))).toEqual([])
})

test('an upward import, a neighbour on the same floor and a room without a floor are found', () => {
  const tree = new Map([
    ['src/raft/log.ts', "import { RaftError } from '../errors/index.js'"],
    ['src/sim/world.ts', "import type { Worker } from '../node/worker.js'"],
    ['src/driver/driver.ts', "import { step } from '../raft/index.js'\nexport * from '../cluster/index.js'"],
    ['src/cluster/start.ts', "new Worker(new URL('../sim/worker.js', import.meta.url))"],
    ['src/errors/errors.ts', "await import('../../test/help.js')"],
    ['src/attic/old.ts', ''],
  ])
  expect(brokenFloors(tree)).toEqual([
    'src/attic stands on no floor',
    'src/raft/log.ts imports src/errors/index.ts: raft may not see errors',
    'src/sim/world.ts imports src/node/worker.ts: sim may not see node',
    'src/driver/driver.ts imports src/cluster/index.ts: driver may not see cluster',
    'src/cluster/start.ts imports src/sim/worker.ts: cluster may not see sim',
    'src/errors/errors.ts imports test/help.ts, outside of src',
  ])
})

test('an import that goes down, and one in a comment, are left alone', () => {
  const tree = new Map([
    ['src/driver/driver.ts', "import { step } from '../raft/index.js'\n// import '../cli/main.js'"],
  ])
  expect(brokenFloors(tree)).toEqual([])
})

test('no files import each other in a circle, not even types', () => {
  expect(circles(new Map([...readTree('src'), ...readTree('bench')]))).toEqual([])
})

test('a circle is found with the way around it', () => {
  const tree = new Map([
    ['src/raft/a.ts', "import type { B } from './b.js'"],
    ['src/raft/b.ts', "import './c.js'\nimport './d.js'"],
    ['src/raft/c.ts', "export * from './b.js'"],
    ['src/raft/d.ts', ''],
  ])
  expect(circles(tree)).toEqual(['src/raft/b.ts → src/raft/c.ts → src/raft/b.ts'])
})

test.each(Object.entries(mayImport))('the compiler holds the same floors for %s', (room, allowed) => {
  const path = `src/${room}/tsconfig.json`
  expect(existsSync(path), path).toBe(true)
  const config = JSON.parse(readFileSync(path, 'utf8')) as { references: { path: string }[] }
  expect(config.references.map((reference) => posix.basename(reference.path)).sort()).toEqual(
    [...allowed].sort(),
  )
})
