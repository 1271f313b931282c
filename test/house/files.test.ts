import { expect, test } from 'vitest'
import { deadFiles, tooLong } from './files.js'
import { longFunctions } from './functions.js'
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

test.each(['src', 'bench'])('no function of %s is over 60 lines', (folder) => {
  expect(longFunctions(readTree(folder))).toEqual([])
})

test.each([
  ['function', 'export function f(): void {', '}'],
  ['method', 'export class A { m(): void {', '}}'],
  ['getter', 'export class A { get g(): number {', '}}'],
  ['constructor', 'export class A { constructor() {', '}}'],
  ['arrow function', 'export const f = () => {', '}'],
  ['callback', "describe('a subject', () => {", '})'],
])('%s: 61 lines are found, and 60 are not', (_, first, last) => {
  const text = (lines: number) => `// A comment above.\n${first}\n${'g()\n'.repeat(lines - 2)}${last}\n`
  const tree = new Map([
    ['src/raft/short.ts', text(60)],
    ['src/raft/long.ts', text(61)],
  ])
  expect(longFunctions(tree)).toEqual(['src/raft/long.ts:2 is a function of 61 lines, not 60 at most'])
})

test('the lines of a function within another count for both', () => {
  const inner = `  const inner = () => {\n${'g()\n'.repeat(59)}  }\n`
  const tree = new Map([['src/raft/nested.ts', `function outer() {\n${inner}}\n`]])
  expect(longFunctions(tree)).toEqual([
    'src/raft/nested.ts:1 is a function of 63 lines, not 60 at most',
    'src/raft/nested.ts:2 is a function of 61 lines, not 60 at most',
  ])
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
