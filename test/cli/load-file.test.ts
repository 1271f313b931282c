import { expect, test } from 'vitest'
import { readRecords } from '../../src/cli/file-records.js'
import { startCluster } from '../../src/cluster/index.js'
import { allCities } from '../cities.js'
import { lastLine, run, temporaryFile, temporaryFolder } from './raftbox.js'

/** Loads the file, and reads back what the cluster then holds. */
async function loaded(name: string, content: string, args: readonly string[] = []) {
  const dir = temporaryFolder()
  const ended = await run(['load', temporaryFile(name, content), '--dir', dir, ...args])
  const cluster = await startCluster({ dir, host: 'inline' })
  const { entries } = await cluster.range({ limit: 100_000 })
  await cluster.close()
  return { ...ended, held: entries.map(({ key, value }) => [key.toString(), value.toString()]) }
}

test('JSON lines: the last line of a key wins, and what is no text is kept as JSON', async () => {
  const lines = [
    '{"key":"a","value":"1"}',
    '',
    '{"key":"b","value":{"x":[1,null]}}',
    '{"key":3,"value":true}',
    '{"value":"2","key":"a"}',
  ]
  const { code, stdout, stderr, held } = await loaded('some.jsonl', lines.join('\r\n'), ['--json'])
  expect([code, stderr]).toEqual([0, ''])
  expect(held).toEqual([
    ['3', 'true'],
    ['a', '2'],
    ['b', '{"x":[1,null]}'],
  ])
  const result = lastLine(stdout)
  expect(result).toMatchObject({ records: 4, distinctKeys: 3, nodes: 3, hashesEqual: true })
  expect(Object.keys(result['hashes'] as object)).toEqual(['1', '2', '3'])
  expect(result['commitsPerSecond']).toBeGreaterThan(0)
})

test('CSV: columns by name, quotes, line breaks in a cell, and a byte order mark', async () => {
  const csv = '\ufeffid,note,name\r\n1,x,"Zürich, ZH"\r\n\r\n2,y,"two\nlines"\r\n3,"",""\r\n'
  const { code, stdout, held } = await loaded('some.CSV', csv, ['--key', 'id', '--value', 'name'])
  expect(code).toBe(0)
  expect(held).toEqual([
    ['1', 'Zürich, ZH'],
    ['2', 'two\nlines'],
    ['3', ''],
  ])
  expect(stdout).toMatch(
    /^3 records in [\d.]+ s, [\d,]+ commits\/s\n3 distinct keys\nhashes of 3 nodes at index \d+: equal\n/,
  )
})

test('two hundred updates of one key keep their order', async () => {
  const lines = Array.from({ length: 200 }, (_, n) => JSON.stringify({ key: 'k', value: String(n) }))
  const { code, held } = await loaded('same.jsonl', lines.join('\n'))
  expect(code).toBe(0)
  expect(held).toEqual([['k', '199']])
})

test('a malformed line ends it, with what came before it applied', async () => {
  const json = '{"key":"a","value":"1"}\n\n{"key":"b","value":"2"}\n{"key":"c",\n{"key":"d","value":"4"}\n'
  const { code, stdout, stderr, held } = await loaded('bad.jsonl', json)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(
    /^raftbox: [^\n]*bad\.jsonl, line 4: this is no JSON: [^\n]*; 2 records applied before it\n$/,
  )
  expect(held).toEqual([
    ['a', '1'],
    ['b', '2'],
  ])
})

test.each([
  [
    'a.jsonl',
    'no JSON',
    '{"key":"a","value":"1"}\n\n{"key":"b","value":"2"}\n{"key":"c",\n',
    4,
    'this is no JSON',
  ],
  [
    'a.jsonl',
    'no object',
    '{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n["c","3"]\n',
    3,
    'a JSON object is needed',
  ],
  [
    'a.jsonl',
    'no key',
    '{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n{"kee":"c","value":"3"}',
    3,
    "no field 'key': name the field with --key",
  ],
  [
    'a.jsonl',
    'an empty key',
    '{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n{"key":"","value":"3"}',
    3,
    'the key has 0 bytes',
  ],
  [
    'a.jsonl',
    'a large value',
    `{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n{"key":"c","value":"${'v'.repeat(262_145)}"}`,
    3,
    '262145 bytes',
  ],
  [
    'a.csv',
    'a cell too many',
    'key,value\na,1\nb,"2"\nc,3,4\nd,5\n',
    4,
    'there are 3 cells, and the header has 2',
  ],
  ['a.csv', 'an open quote', 'key,value\na,1\nb,2\nc,"3\n', 4, 'this is no CSV'],
  ['a.csv', 'a misplaced quote', 'key,value\na,1\nb,2\nc,"3"4\nd,5\n', 4, 'this is no CSV'],
])('%s with %s gives the records before it, and names the line', async (name, _, content, line, words) => {
  const file = temporaryFile(name, content)
  const keys: string[] = []
  const reading = (async () => {
    for await (const { key } of readRecords(file, { key: 'key', value: 'value' })) keys.push(key)
  })()
  await expect(reading).rejects.toThrow(`${file}, line ${line}: `)
  await expect(reading).rejects.toThrow(words)
  expect(keys).toEqual(['a', 'b'])
})

test('a header without the column is told, and nothing is started', async () => {
  const { code, stderr } = await run(['load', temporaryFile('a.csv', 'id,value\n1,2\n')])
  expect(code).toBe(2)
  expect(stderr).toMatch(
    /^raftbox: [^\n]*a\.csv, line 1: the header has no 'key': name a column with --key\n$/,
  )
})

test('values may come in any length: many records, large and small, are all applied', async () => {
  const lines = Array.from({ length: 3000 }, (_, n) =>
    JSON.stringify({ key: `k${n}`, value: 'x'.repeat(n % 100 === 0 ? 200_000 : n % 50) }),
  )
  const { code, stdout } = await run([
    'load',
    temporaryFile('many.jsonl', `${lines.join('\n')}\n`),
    '--nodes',
    '1',
    '--json',
  ])
  expect(code).toBe(0)
  expect(lastLine(stdout)).toMatchObject({ records: 3000, distinctKeys: 3000, nodes: 1, hashesEqual: true })
})

test('every city of the world, from JSON lines', async () => {
  const cities = allCities()
  const file = temporaryFile('cities.jsonl', cities.map((city) => JSON.stringify(city)).join('\n'))
  const { code, stdout, stderr, left } = await run([
    'load',
    file,
    '--key',
    'cityId',
    '--value',
    'name',
    '--json',
  ])
  expect([code, stderr, left]).toEqual([0, '', []])
  const distinctKeys = new Set(cities.map(({ cityId }) => cityId)).size
  expect(distinctKeys).toBeGreaterThan(100_000)
  expect(lastLine(stdout)).toMatchObject({
    records: cities.length,
    distinctKeys,
    nodes: 3,
    hashesEqual: true,
  })
})
