import { afterEach, expect, test, vi } from 'vitest'
import { flagsOfThread } from '../../src/node/thread-flags.js'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

function flagsUnder(execArgv: readonly string[], options: string, hasMachine: boolean): readonly string[] {
  vi.spyOn(process, 'execArgv', 'get').mockReturnValue([...execArgv])
  vi.stubEnv('NODE_OPTIONS', options)
  const { execArgv: flags = [], env } = flagsOfThread(hasMachine)
  expect(env).not.toHaveProperty('NODE_OPTIONS')
  return flags
}

test('a node keeps no flag that tells where its main program comes from, how it is debugged, or what is loaded before it', () => {
  const flags = [
    ...['--input-type=module', '-e', 'start()', '--inspect=0', '--test', '--watch', '--expose-gc'],
    ...['--import', './main-only.mjs', '-r', './main-only.cjs', '--max-old-space-size=4096'],
  ]
  expect(flagsUnder(flags, '--import=./main-only.mjs --title=main', false)).toEqual([])
})

test('a node with a machine of its user loads modules as the program does', () => {
  const flags = [
    '--no-warnings',
    '--import',
    'tsx',
    '-C',
    'development',
    '--input-type=module',
    '-e',
    'start()',
  ]
  expect(flagsUnder(flags, '--require="./a b.cjs" --title=main --enable-source-maps', true)).toEqual([
    ...[
      '--require=./a b.cjs',
      '--enable-source-maps',
      '--no-warnings',
      '--import',
      'tsx',
      '-C',
      'development',
    ],
  ])
})

test('a value is no flag, whatever it looks like', () => {
  expect(flagsUnder(['--import', '--cpu-prof', '--cpu-prof-dir', '--import'], '', false)).toEqual([
    ...['--cpu-prof-dir', '--import'],
  ])
})

test('quotes and backslashes of NODE_OPTIONS are read as Node reads them', () => {
  expect(flagsUnder([], String.raw`--import "./a \"b\".mjs"  --conditions=x`, true)).toEqual([
    ...['--import', './a "b".mjs', '--conditions=x'],
  ])
})
