import { expect, test } from 'vitest'
import { deadFiles, tooLong } from './files.js'
import { readTree } from './source-tree.js'

test.each(['src', 'bench'])('no file of %s is over 400 lines', (folder) => {
  expect(tooLong(readTree(folder))).toEqual([])
})

test('a file of 401 lines is found, and one of 400 is not', () => {
  const tree = new Map([
    ['src/raft/short.ts', 'x\n'.repeat(400)],
    ['src/raft/long.ts', 'x\n'.repeat(401)],
  ])
  expect(tooLong(tree)).toEqual(['src/raft/long.ts has 401 lines, not 400 at most'])
})

// The command line reaches most rooms: without it, a file that nothing reaches is only early.
test('every source file is reached from an entry point', () => {
  expect(deadFiles(readTree('src'))).toEqual([])
})

test('a file that nothing reaches is found, also when dead files import each other', () => {
  const tree = new Map([
    ['src/cluster/index.ts', "export { start } from './start.js'"],
    ['src/cluster/start.ts', "new Worker(new URL('../node/worker.js', import.meta.url))"],
    ['src/node/worker.ts', "import '../raft/log.js'"],
    ['src/raft/log.ts', ''],
    ['src/raft/old.ts', "import './older.js'"],
    ['src/raft/older.ts', "import './old.js'"],
  ])
  expect(deadFiles(tree)).toEqual(['src/raft/old.ts', 'src/raft/older.ts'])
})
