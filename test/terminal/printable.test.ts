import { expect, test } from 'vitest'
import { inWords } from '../../src/cli/happenings.js'
import { lineOf } from '../../src/terminal/failure.js'
import { printable } from '../../src/terminal/printable.js'

test.each([
  ['an escape', '\x1b]0;title\x07', '\\u001b]0;title\\u0007'],
  ['a C1 control', '\x9b2J', '\\u009b2J'],
  ['DEL and NUL', 'a\x7f\0', 'a\\u007f\\u0000'],
  ['line breaks and tabs', 'a\r\n\tb', 'a\\r\\n\\tb'],
  ['separators of lines', 'a\u2028b\u2029\x85', 'a\\u2028b\\u2029\\u0085'],
  ['reordering', '\u202egnp.exe\u2066\u200f\u061c', '\\u202egnp.exe\\u2066\\u200f\\u061c'],
  ['half of a pair', 'a\ud800', 'a\\ud800'],
])('%s is shown, and not obeyed', (_, text, shown) => {
  expect(printable(text)).toBe(shown)
  expect(lineOf(new Error(`<${text.replaceAll('\n', '')}>`))).toBe(`<${shown.replaceAll('\\n', '')}>`)
})

test('other text is shown as it is', () => {
  const text = 'Zürich 東京 👩‍👩‍👧 فارسی‌ \\ \'"'
  expect(printable(text)).toBe(text)
  expect(printable(Buffer.from(text))).toBe(text)
})

test('different bytes are shown differently, also where they are not UTF-8', () => {
  expect(printable(Buffer.of(0x4b, 0xf6, 0x1b))).toBe('K\\xf6\\u001b')
  expect(printable(Buffer.of(0x4b, 0xe4))).toBe('K\\xe4')
})

test('an error of several lines is told in one', () => {
  expect(lineOf(new Error('one  \n\n  two\n'))).toBe('one two')
  expect(lineOf('thrown\x1btext')).toBe('thrown\\u001btext')
})

test('why a node failed is foreign text', () => {
  const failed = { type: 'failed', atMs: 0, nodeId: 1, sequence: 1, cause: undefined } as const
  expect(inWords({ ...failed, why: "ENOENT '\x1b[2J'" }, 50)).toBe("node 1 failed: ENOENT '\\u001b[2J'")
})
