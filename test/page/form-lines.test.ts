/** Forms of the panels: each line that comes out of one is understood by the sandbox as it was meant. */
import { expect, test } from 'vitest'
import { deleteLine, getLine, loadLine, putLine, rangeLine } from '../../src/page/form-lines.js'
import { parse } from '../../src/verbs/index.js'

test.each([
  [putLine('a', ' two  words '), { verb: 'put', key: 'a' }],
  [getLine('a', undefined), { verb: 'get', key: 'a' }],
  [getLine('a', 2), { verb: 'get', key: 'a', from: 2, stale: 'stale' }],
  [deleteLine('a'), { verb: 'delete', key: 'a' }],
  [rangeLine('', undefined), { verb: 'range' }],
  [rangeLine('user/', 3), { verb: 'range', prefix: 'user/', from: 3, stale: 'stale' }],
  [loadLine({ clients: '64', size: '', rate: '' }), { verb: 'load', clients: 64 }],
  [loadLine({ clients: ' 8 ', size: '100', rate: '50' }), { verb: 'load', clients: 8, size: 100, rate: 50 }],
  [loadLine({ clients: '8', size: '1kB', rate: '50/s' }), { verb: 'load', clients: 8, size: 1000, rate: 50 }],
])('%o', (told, command) => {
  expect(parse(told.line ?? '')).toMatchObject(command)
})

test.each([
  [putLine('', 'x'), 'give a key'],
  [putLine('a b', 'x'), 'a key is one word: it has no spaces'],
  [putLine('a', ' '), 'give a value'],
  [putLine('a', 'x\ny'), 'a value is the rest of one line: it has no line break'],
  [rangeLine('a b', undefined), 'a prefix is one word: it has no spaces'],
  [rangeLine('from', undefined), expect.stringContaining('the word from')],
  [rangeLine('stale', 2), expect.stringContaining('the word stale')],
  [loadLine({ clients: 'many', size: '', rate: '' }), 'give the number of clients'],
  [loadLine({ clients: '1', size: '1 kB', rate: '' }), 'size and rate are one word each'],
])('a form that is no line says why: %o', (told, why) => {
  expect(told).toEqual({ why })
})
