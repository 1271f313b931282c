import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readJson } from '../../../src/cli/input/json.js'
import type { Charset, RecordText } from '../../../src/cli/input/record-text.js'
import { inChunks } from './chunks.js'

const fields = { key: 'key', value: 'value' }

async function read(
  json: string | Buffer,
  lengths: readonly number[] = [1 << 16],
  charset: Charset = 'utf8',
) {
  const records: RecordText[] = []
  const malformed = (line: number, why: string): Error => new Error(`${line}: ${why}`)
  let failure = ''
  try {
    const input = inChunks(Buffer.from(json as string), lengths)
    for await (const record of readJson(input, fields, charset, malformed)) records.push(record)
  } catch (error) {
    failure = (error as Error).message
  }
  return { records, failure }
}

const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
const lengths = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 10 })

test('an array and lines hold the same records, however they are laid out and cut into chunks', async () => {
  const records = fc.array(fc.record({ key, value: fc.jsonValue(), other: fc.jsonValue() }))
  await fc.assert(
    fc.asyncProperty(records, lengths, fc.constantFrom(undefined, 0, 2, '\t'), async (all, cuts, space) => {
      const expected = all.map(({ key, value }) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ])
      const array = await read(JSON.stringify(all, undefined, space), cuts)
      const lines = await read(all.map((record) => JSON.stringify(record)).join('\n'), cuts)
      for (const { records, failure } of [array, lines]) {
        expect(failure).toBe('')
        expect(records.map(({ key, value }) => [key, value])).toEqual(expected)
      }
    }),
    { seed: 33, numRuns: 100 },
  )
})

describe('digits are kept as they are written', () => {
  const numbers = ['10268371564797179123', '1.10', '1e400', '-0', '0.1000', '1E+2', '-12345678901234567890.5']
  test.each(numbers)('%s', async (digits) => {
    const nested = `{"b":[${digits}, -1],"1":{"x":${digits}}}`
    const { records } = await read(
      `{"key":${digits},"value":${digits}}\n{"key" : ${digits} ,"value" : ${nested} }`,
    )
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      [digits, digits],
      [digits, nested.replaceAll(' ', '')],
    ])
  })
})

test('space between the parts of a value goes, and space, brackets and quotes within its strings stay', async () => {
  const { records } = await read('[{"key":"a","value": { "x" : [ "1, {2}" , "\\" ]\\\\" ] , "é" : null } }]')
  expect(records).toEqual([{ line: 1, key: 'a', value: '{"x":["1, {2}","\\" ]\\\\"],"é":null}' }])
})

test('names with escapes, and __proto__, are names like others', async () => {
  const { records } = await read(
    '{"k\\u0065y":"a","__proto__":{"value":"x"},"constructor":1,"value":"\\ud83d\\ude00"}',
  )
  expect(records).toEqual([{ line: 1, key: 'a', value: '😀' }])
})

test('the line of an element of an array is where it begins', async () => {
  const { records } = await read('\n\n[\n {"key":"a",\n  "value":"1"},\n\n {"key":"b","value":"2"}\n]\n\n')
  expect(records.map(({ line }) => line)).toEqual([4, 7])
})

test('an empty array, and nothing but space, hold no records', async () => {
  for (const text of ['[]', ' [ \n ] ', '', ' \n\t\n'])
    expect(await read(text)).toEqual({ records: [], failure: '' })
})

const one = '{"key":"a","value":"1"}'

test.each([
  ['an array that is cut off', `[\n${one},\n`, '3: the array has no end'],
  ['a record that is cut off', `[${one},\n{"key":"b"`, '2: the array has no end'],
  ['text behind the array', `[${one}]\n[${one}]`, '2: something follows the end of the array'],
  ['a comma too many', `[${one},\n]`, '2: there is a comma too many'],
  ['two commas', `[${one},,${one}]`, '1: there is a comma too many'],
  ['no comma', `[${one},\n${one}\n${one}]`, '2: this is no JSON'],
  ['a missing quote', `[${one},\n{"key":"b,"value":"2"},\n${one}]`, '2: this is no JSON'],
  ['a quote that is never closed', `[${one},\n{"key":"b,\n${one}]`, '2: this is no JSON'],
  ['a bracket too many', `[${one}]]`, '1: something follows the end of the array'],
  ['a brace too many', `[${one},\n{"key":"b","value":"2"}}]`, '2: this is no JSON'],
  ['an element that is no object', `[${one},\n["b","2"]]`, '2: a JSON object is needed'],
  ['a field that comes twice', `${one}\n{"key":"b","value":"2","key":"c"}`, "2: the field 'key' comes twice"],
  [
    'half of a surrogate pair as key',
    `${one}\n{"key":"\\ud800","value":"2"}`,
    '2: the key has one half of a surrogate pair',
  ],
  [
    'half of a surrogate pair in a value',
    `[${one},\n{"key":"b","value":"2\\udfff"}]`,
    '2: the value has one half of a surrogate pair',
  ],
])('%s is refused with its line, after the records before it', async (_, text, words) => {
  for (const cuts of [[1 << 16], [1], [3, 5]]) {
    const { records, failure } = await read(text, cuts)
    expect(failure).toContain(words)
    expect(records[0]).toEqual({ line: 1 + (text.startsWith('[\n') ? 1 : 0), key: 'a', value: '1' })
  }
})

test.each([
  [
    'a line',
    (filler: string) => `${one}\n{"key":"b","value":"${filler}"}`,
    '2: the line has more than 4194304',
  ],
  [
    'an element',
    (filler: string) => `[${one},\n{"key":"b","value":"${filler}"}]`,
    '2: the record has more than 4194304',
  ],
])('%s has a bound, which is named', async (_, textOf, words) => {
  const { records, failure } = await read(textOf('v'.repeat(4 << 20)))
  expect(records).toEqual([{ line: 1, key: 'a', value: '1' }])
  expect(failure).toContain(words)
  expect((await read(textOf('v'.repeat((4 << 20) - 100)))).records).toHaveLength(2)
})

test('as bytes, each byte stands for itself, and an escape for the UTF-8 of its character', async () => {
  const escaped = '\\\\u00e9 \\"\\u00e9\\ud83d\\ude00\\n'
  const json = Buffer.concat([
    Buffer.from('{"key":"K'),
    Buffer.of(0xe9, 0xff, 0x80),
    Buffer.from(`","value":"${escaped}`),
    Buffer.of(0xe9),
    Buffer.from('"}'),
  ])
  const { records } = await read(json, [4], 'latin1')
  expect(records.map(({ key }) => Buffer.from(key, 'latin1'))).toEqual([Buffer.of(0x4b, 0xe9, 0xff, 0x80)])
  expect(records.map(({ value }) => Buffer.from(value, 'latin1'))).toEqual([
    Buffer.concat([Buffer.from('\\u00e9 "é😀\n'), Buffer.of(0xe9)]),
  ])
})
