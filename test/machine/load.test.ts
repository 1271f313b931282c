import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { createKv, loadMachine, ResultBuilder } from '../../src/machine/index.js'
import { packCommands } from '../../src/raft/index.js'
import { answerTo } from './kv-help.js'

// Tests run from dist; the fixtures stay where they are.
const folder = 'test/machine/fixtures'
const urlOf = (name: string) => pathToFileURL(resolve(folder, name))

test('without a module it is the built-in KV', async () => {
  expect(await loadMachine(undefined)).toBe(createKv)
})

test.each([
  ['a URL', urlOf('counter.mjs')],
  ['a URL as a string', urlOf('counter.mjs').href],
  ['a path from the working directory', `${folder}/counter.mjs`],
  ['an absolute path', resolve(folder, 'counter.mjs')],
])('a machine is found by %s', async (_, module) => {
  const factory = await loadMachine(module)
  const results = new ResultBuilder()
  const counter = factory()
  counter.apply(
    { index: 1, term: 1, timeMs: 0, ...packCommands([Buffer.from('3'), Buffer.from('4')]) },
    results,
  )
  expect(Buffer.from(answerTo(counter, new Uint8Array(0))).toString()).toBe('7')
  expect(results.count).toBe(2)
  const other = factory()
  expect(other.hash()).not.toBe(counter.hash())
  other.restore([...iterate(counter.snapshot())])
  expect(other.hash()).toBe(counter.hash())
})

function* iterate(iterator: Iterator<Uint8Array>): Generator<Uint8Array> {
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) yield next.value
}

test.each([
  ['a module that is not there', 'absent.mjs', ['a module that can be imported', 'Cannot find module']],
  ['a module that needs one that is not there', 'needs-absent.mjs', ['can be imported', 'not-there.mjs']],
  ['a module that throws', 'throws.mjs', ['a module that can be imported', 'out of order']],
  ['a module without a default export', 'no-default.mjs', ['default export is a function', 'is missing']],
  ['a default export that is no function', 'no-function.mjs', ['is a function', 'is of type object']],
  ['a factory that throws', 'factory-throws.mjs', ['makes a machine', 'no machine today']],
  [
    'a factory that makes nothing',
    'makes-nothing.mjs',
    ['lacks apply(), read(), snapshot(), restore(), hash()'],
  ],
  ['a machine whose name is empty', 'empty-name.mjs', ['whose name is a text of 1 to 100 characters']],
  ['a machine that lacks two methods', 'lacks-methods.mjs', ['whose machine lacks restore(), hash()']],
])('%s is refused, and the message says why', async (_, name, parts) => {
  const error = await loadMachine(urlOf(name)).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'machine' } })
  expect((error as Error).message).toContain(urlOf(name).href)
  for (const part of parts) expect((error as Error).message).toContain(part)
})

test('a machine is refused under another name than it must have, and without a name', async () => {
  const bank = urlOf('bank.mjs')
  await expect(loadMachine(bank, 'bank')).resolves.toBeTypeOf('function')
  await expect(loadMachine(bank, undefined)).resolves.toBeTypeOf('function')
  const made = 'machine: the machine named shop, for which the directory was made'
  await expect(loadMachine(bank, 'shop')).rejects.toThrow(`${made}, not ${bank}, whose machine is named bank`)
  const nameless = urlOf('counter.mjs')
  await expect(loadMachine(nameless, 'shop')).rejects.toThrow(
    `${made}, not ${nameless}, whose machine has no name`,
  )
})
