import { existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { brokenFloors, circles, mayImport, unusedArrows } from './floors.js'
import { readTree } from './source-tree.js'

test('imports go only down the floors', () => {
  expect(brokenFloors(new Map([...readTree('src'), ...readTree('bench')]))).toEqual([])
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
    'attic stands on no floor',
    'src/raft/log.ts imports src/errors/index.ts: raft may not see errors',
    'src/sim/world.ts imports src/node/worker.ts: sim may not see node',
    'src/driver/driver.ts imports src/cluster/index.ts: driver may not see cluster',
    'src/cluster/start.ts imports src/sim/worker.ts: cluster may not see sim',
    'src/errors/errors.ts imports test/help.ts, outside of src and bench',
  ])
})

test('in bench, an upward import, one of the command line and a folder without a floor are found', () => {
  const tree = new Map([
    ['bench/suite/case.ts', "import { groups } from '../groups/index.js'"],
    ['bench/main.ts', "import { table } from '../src/cli/text.js'\nimport './suite/index.js'"],
    ['bench/attic/old.ts', "import { measure } from '../../src/load/index.js'"],
    ['src/load/measure.ts', "import '../../bench/suite/index.js'"],
  ])
  expect(brokenFloors(tree)).toEqual([
    'bench/attic stands on no floor',
    'bench/suite/case.ts imports bench/groups/index.ts: bench/suite may not see bench/groups',
    'bench/main.ts imports src/cli/text.ts: bench may not see cli',
    'bench/attic/old.ts imports src/load/index.ts: bench/attic may not see load',
    'src/load/measure.ts imports bench/suite/index.ts: load may not see bench/suite',
  ])
})

test('an import past a door is found', () => {
  const tree = new Map([
    ['src/driver/driver.ts', "import { RaftLog } from '../raft/log.js'\nimport './reads.js'"],
    ['src/driver/reads.ts', "import '../raft/sub/index.js'"],
    ['bench/groups/micro.ts', "import { turnsOf } from '../suite/turns.js'\nimport './micro/puts.js'"],
  ])
  expect(brokenFloors(tree)).toEqual([
    'src/driver/driver.ts imports src/raft/log.ts, and the door of raft is its index.ts',
    'src/driver/reads.ts imports src/raft/sub/index.ts, and the door of raft is its index.ts',
    'bench/groups/micro.ts imports bench/suite/turns.ts, and the door of bench/suite is its index.ts',
  ])
})

test('an import that goes down, and one in a comment, are left alone', () => {
  const tree = new Map([
    ['src/driver/driver.ts', "import { step } from '../raft/index.js'\n// import '../cli/main.js'"],
  ])
  expect(brokenFloors(tree)).toEqual([])
})

test('no room may see a room that it does not use', () => {
  expect(unusedArrows(new Map([...readTree('src'), ...readTree('bench')]))).toEqual([])
})

test('an arrow that no import takes is found', () => {
  const tree = new Map([
    ['src/backup/seal.ts', "import { crc } from '../storage/index.js'"],
    ['bench/main.ts', "import '../src/terminal/index.js'\nimport './suite/index.js'"],
  ])
  expect(unusedArrows(tree)).toEqual(['backup → machine', 'bench → load', 'bench → bench/groups'])
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
