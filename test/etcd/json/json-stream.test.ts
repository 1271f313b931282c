import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonStream, JsonTooLong } from '../../../src/etcd/json/json-stream.js'

const bounds = { bytesMax: 1000, depthMax: 8 }

/** The values of a body that comes in pieces of these sizes, and then in one. */
function valuesOf(body: string, sizes: readonly number[] = [], at = bounds): unknown[] {
  const bytes = Buffer.from(body)
  const stream = new JsonStream(at)
  const texts: string[] = []
  let from = 0
  for (const size of [...sizes, bytes.length]) {
    texts.push(...stream.push(bytes.subarray(from, from + size)))
    from += size
  }
  const last = stream.end()
  return [...texts, ...(last === undefined ? [] : [last])].map((text) => JSON.parse(text))
}

test('values come out as they went in, however the body was cut and whatever space is between them', () => {
  const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => JSON.stringify(value).length < 500)
  fc.assert(
    fc.property(
      fc.array(json),
      fc.array(fc.nat(7)),
      fc.constantFrom(' ', '\n', ' \t\r\n'),
      (values, sizes, space) => {
        const body = values.map((value) => JSON.stringify(value)).join(space)
        expect(valuesOf(body, sizes)).toEqual(JSON.parse(JSON.stringify(values)))
      },
    ),
  )
})

test('objects need no space between them', () => {
  expect(valuesOf('{"a":"}{"}{"b":["\\"]"]}null{}"x"')).toEqual([{ a: '}{' }, { b: ['"]'] }, null, {}, 'x'])
})

test('a value ends as soon as its last byte is there', () => {
  const stream = new JsonStream(bounds)
  expect(stream.push(Buffer.from('{"a":'))).toEqual([])
  expect(stream.push(Buffer.from('1}{'))).toEqual(['{"a":1}'])
})

test('a body that ends within a value is refused', () => {
  expect(() => valuesOf('{"a":1}{"b"')).toThrow('unexpected EOF')
  expect(() => valuesOf('"a')).toThrow('unexpected EOF')
})

test('a value over the bound is refused before it has ended, and many values under it are not', () => {
  const stream = new JsonStream(bounds)
  stream.push(Buffer.from(`{"a":"${'x'.repeat(900)}`))
  expect(() => stream.push(Buffer.alloc(200, 'x'))).toThrow(JsonTooLong)
  expect(valuesOf(JSON.stringify('x'.repeat(900)).repeat(3))).toHaveLength(3)
})

test('a value that is nested too deeply is refused', () => {
  expect(valuesOf('['.repeat(8) + ']'.repeat(8))).toHaveLength(1)
  expect(() => valuesOf('['.repeat(9))).toThrow('more than 8 lists and objects in each other')
})
