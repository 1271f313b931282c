import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readRecords } from '../../src/cli/file-records.js'
import { startCluster } from '../../src/cluster/index.js'
import { run, temporaryFile, temporaryFolder } from './raftbox.js'

const fields = { key: 'key', value: 'value' }
const latin1 = Buffer.from('key,value\nK\xf6ln,a\nK\xe4ln,b\n', 'latin1')
const one = '{"key":"a","value":"1"}\n'

/** The records as pairs, and the message that ended the reading. */
async function read(name: string, content: string | Uint8Array, encoding?: 'utf8' | 'bytes') {
  const pairs: [string, string][] = []
  let failure = ''
  try {
    const options = encoding === undefined ? fields : { ...fields, encoding }
    for await (const { key, value } of readRecords(temporaryFile(name, content), options))
      pairs.push([key, value])
  } catch (error) {
    failure = (error as Error).message
  }
  return { pairs, failure }
}

test.each([
  ['CSV', 'a.csv', 'key,value\na,1\nb,K', 'ln\n', 'line 3, column 4'],
  ['JSON lines', 'a.jsonl', `${one}{"key":"b","value":"K`, 'ln"}', 'line 2, column 22'],
  ['a JSON array', 'a.json', `[${one},{"key":"b","value":"K`, 'ln"}]', 'line 2, column 23'],
  ['a field that is not taken', 'a.json', `${one}{"other":"é`, '"}', 'line 2, column 12'],
])('%s with a byte that is not UTF-8 gives the records before it, and names the byte', async (...args) => {
  const [, name, before, after, place] = args
  const bytes = Buffer.concat([Buffer.from(before), Buffer.of(0xf6), Buffer.from(after)])
  for (const content of [bytes, gzipSync(bytes)]) {
    const { pairs, failure } = await read(name, content)
    expect(pairs).toEqual([['a', '1']])
    expect(failure).toContain(`${name}, ${place}: byte 0xf6 is not UTF-8; `)
    expect(failure).toContain('--encoding bytes')
  }
})

test('with --encoding bytes, different bytes stay different keys', async () => {
  const dir = temporaryFolder()
  const file = temporaryFile('a.csv', latin1)
  const { code, stderr } = await run(['load', file, '--encoding', 'bytes', '--dir', dir, '--nodes', '1'])
  expect([code, stderr]).toEqual([0, ''])
  const cluster = await startCluster({ dir, host: 'inline' })
  const { entries } = await cluster.range()
  await cluster.close()
  expect(entries.map(({ key, value }) => [key.toString('latin1'), value.toString('latin1')])).toEqual([
    ['K\xe4ln', 'b'],
    ['K\xf6ln', 'a'],
  ])
})

test('as bytes, a name of a field is found by its own bytes', async () => {
  const options = { key: 'clé', value: 'ключ', encoding: 'bytes' } as const
  for (const [name, content] of [
    ['a.csv', 'clé,ключ\na,1\n'],
    ['a.jsonl', '{"clé":"a","ключ":1}'],
  ] as const) {
    const records = []
    for await (const record of readRecords(temporaryFile(name, content), options)) records.push(record)
    expect(records).toEqual([{ line: expect.any(Number), key: 'a', value: '1' }])
    const missing = readRecords(temporaryFile(name, content), { ...options, value: 'größe' }).next()
    await expect(missing).rejects.toThrow("'größe'")
  }
})

test('lengths are counted in bytes, in either encoding', async () => {
  const key = 'é'.repeat(512)
  for (const encoding of ['utf8', 'bytes'] as const) {
    expect((await read('a.csv', `key,value\n${key},1\n`, encoding)).pairs).toHaveLength(1)
    const { failure } = await read('a.csv', `key,value\n${key}a,1\n`, encoding)
    expect(failure).toContain('the key has 1025 bytes')
  }
})

test.each([
  ['a.csv.gz', 'key,value\na,1\n'],
  ['a.jsonl.gz', one],
  ['a.json', `[${one}]`],
])('%s is unpacked, with and without a byte order mark', async (name, text) => {
  for (const content of [text, `\ufeff${text}`]) {
    expect(await read(name, gzipSync(content))).toEqual({ pairs: [['a', '1']], failure: '' })
    const halves = [gzipSync(content.slice(0, 5)), gzipSync(content.slice(5))]
    expect(await read(name, Buffer.concat(halves))).toEqual({ pairs: [['a', '1']], failure: '' })
  }
})

test('gzip data that is cut off, damaged or followed by something else is refused', async () => {
  const packed = gzipSync(one)
  const damaged = Buffer.from(packed)
  damaged[packed.length - 6]! ^= 1
  const joined = Buffer.concat([packed, Buffer.from(one)])
  for (const content of [packed.subarray(0, -1), packed.subarray(0, 12), damaged, joined, Buffer.from('{}')])
    expect((await read('a.jsonl.gz', content)).failure).toContain('the gzip data is damaged or cut off: ')
})

test('a gzip file that is cut off ends the command with one line', async () => {
  const file = temporaryFile('a.jsonl.gz', gzipSync(one).subarray(0, -4))
  const { code, stdout, stderr, left } = await run(['load', file])
  expect([code, stdout, left]).toEqual([2, '', []])
  expect(stderr).toMatch(/^raftbox: [^\n]*a\.jsonl\.gz: the gzip data is damaged or cut off: [^\n]*\n$/)
})

test.each([
  ['zstd', '28b52ffd240b'],
  ['xz', 'fd377a585a0000'],
  ['bzip2', '425a6839314159265359'],
  ['zip', '504b03041400'],
])('%s is refused by its name, with what to do', async (name, head) => {
  const { pairs, failure } = await read('a.csv', Buffer.from(head, 'hex'))
  expect(pairs).toEqual([])
  expect(failure).toMatch(new RegExp(`is compressed with ${name}; unpack it first: `))
})

test('text that begins like a compressed file is text', async () => {
  expect(await read('a.csv', 'BZh,key,value\n1,a,1\n')).toEqual({ pairs: [['a', '1']], failure: '' })
})

test('a column that comes twice is refused', async () => {
  expect((await read('a.csv', 'key,value,key\na,1,b\n')).failure).toContain("the header has 'key' twice")
})

test.each([
  ['text', `key,value\na,1\nb,"${'v\n'.repeat(3 << 20)}"\n`],
  ['cells', `key,value\na,1\n${','.repeat(5 << 20)}\n`],
])('a record of CSV with endless %s has a bound, which is named', async (_, content) => {
  const { pairs, failure } = await read('a.csv', content)
  expect(pairs).toEqual([['a', '1']])
  expect(failure).toContain('line 3: the record has more than 4194304 bytes')
})

test('an empty file, and one with a byte order mark alone, hold no records', async () => {
  for (const content of ['', '\ufeff']) {
    for (const name of ['a.csv', 'a.jsonl'])
      expect(await read(name, content)).toEqual({ pairs: [], failure: '' })
  }
})
