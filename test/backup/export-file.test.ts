import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ExportFacts, ExportReader, sealPadding, writeExport } from '../../src/backup/index.js'
import { RaftError } from '../../src/errors/index.js'
import { temporaryFolder } from '../cluster/support.js'

const facts: ExportFacts = {
  createdAt: '2026-01-31T12:00:00.000Z',
  index: 7,
  term: 3,
  membership: { voters: [1, 2, 3], votersOutgoing: [], learners: [] },
  machine: 'own',
}

const pieces = ['a first piece', 'and a second one'].map((text) => Buffer.from(text))

async function written(content: readonly Uint8Array[] = pieces): Promise<string> {
  const file = join(temporaryFolder(), 'export')
  await writeExport(file, facts, content)
  return file
}

function contentOf(file: string): Buffer {
  const reader = new ExportReader(file)
  try {
    return Buffer.concat([...reader.pieces()])
  } finally {
    reader.close()
  }
}

/** Why the bytes are refused as an export; `none` when they are taken. */
function refusalOf(file: string, bytes: Uint8Array): string {
  writeFileSync(file, bytes)
  try {
    new ExportReader(file).close()
    return 'none'
  } catch (error) {
    if (error instanceof RaftError && error.code === 'EXPORT_UNUSABLE') return error.message
    throw error
  }
}

test('an export is read back as it was written, and its first lines tell what it holds', async () => {
  const file = await written()
  const reader = new ExportReader(file)
  expect(reader.head).toMatchObject({ ...facts, size: Buffer.concat(pieces).byteLength })
  expect(Buffer.concat([...reader.pieces()])).toEqual(Buffer.concat(pieces))
  reader.close()
  const [name, line = ''] = readFileSync(file, 'utf8').split('\n')
  expect(name).toBe('raftbox snapshot 1')
  expect(JSON.parse(line)).toEqual(reader.head)
})

test('the name of its machine is read back, in whatever script it is written', async () => {
  const file = join(temporaryFolder(), 'export')
  await writeExport(file, { ...facts, machineName: 'größe-数' }, pieces)
  const reader = new ExportReader(file)
  expect(reader.head.machineName).toBe('größe-数')
  reader.close()
})

test('pieces may be of any size, and there may be none', async () => {
  const large = Buffer.alloc(3 * 2 ** 20 + 5, 'x')
  const content = contentOf(await written([large, Buffer.from('y')]))
  expect(content.equals(Buffer.concat([large, Buffer.from('y')]))).toBe(true)
  expect(contentOf(await written([]))).toEqual(Buffer.alloc(0))
})

test('[BR3] a change of any byte is refused', async () => {
  const file = await written()
  const whole = readFileSync(file)
  const refusals = [...whole.keys()].map((at) => {
    const changed = Buffer.from(whole)
    changed[at]! ^= 1
    return refusalOf(file, changed)
  })
  const known = /is damaged|is no export|is an export in format 0/
  expect(refusals.filter((refusal) => !known.test(refusal))).toEqual([])
})

test('[BR3] an export that ends early, at any byte, or goes on behind its end is refused', async () => {
  const file = await written()
  const whole = readFileSync(file)
  const refusals = [...whole.keys()].map((length) => refusalOf(file, whole.subarray(0, length)))
  expect(refusals.filter((refusal) => !/is damaged|is no export/.test(refusal))).toEqual([])
  expect(refusalOf(file, Buffer.concat([whole, Buffer.from('x')]))).toContain('it goes on behind its end')
})

test('[BR3] an export with the seal of a client of etcd is read, and refused once a byte of it has changed', async () => {
  const file = await written([Buffer.from('state')])
  const whole = readFileSync(file)
  const padded = Buffer.concat([whole, Buffer.alloc(sealPadding(whole.byteLength))])
  const sealed = Buffer.concat([padded, createHash('sha256').update(padded).digest()])
  expect(sealed.byteLength % 512).toBe(32)
  writeFileSync(file, sealed)
  expect(contentOf(file)).toEqual(Buffer.from('state'))
  for (let at = whole.byteLength; at < sealed.byteLength; at++) {
    const changed = Buffer.from(sealed)
    changed[at]! ^= 1
    expect(refusalOf(file, changed)).toContain('it goes on behind its end')
  }
  expect(refusalOf(file, Buffer.concat([sealed, Buffer.alloc(512)]))).toContain('it goes on behind its end')
})

test('[BR3] blocks in another order are refused', async () => {
  const file = await written([Buffer.from('one'), Buffer.from('two')])
  const whole = readFileSync(file)
  const [head, first, second] = [whole.subarray(0, 4096), whole.subarray(4096, 4107), whole.subarray(4107)]
  expect(refusalOf(file, Buffer.concat([head, second, first]))).toContain('not those that were written')
})

test('another version, another file and no file are told apart', async () => {
  const file = await written()
  const whole = readFileSync(file)
  const later = Buffer.from(whole)
  later.write('raftbox snapshot 2\n')
  expect(refusalOf(file, later)).toContain('is an export in format 2, and this version reads format 1')
  expect(refusalOf(file, Buffer.from('PK\x03\x04'))).toBe(
    `${file} is no export of raftbox: name another file`,
  )
  expect(() => new ExportReader(`${file}.not`)).toThrow(/is not there: name an export of raftbox/)
  expect(() => new ExportReader(temporaryFolder())).toThrow(/is no file/)
})

test('[BR4] a file that is there is not written over', async () => {
  const file = await written()
  const before = readFileSync(file)
  await expect(writeExport(file, facts, pieces)).rejects.toThrow(`${file} is there already: name a new file`)
  expect(readFileSync(file)).toEqual(before)
  await expect(writeExport('no/such/folder/x', facts, pieces)).rejects.toMatchObject({
    code: 'EXPORT_UNUSABLE',
  })
})

test('[BR4] an export that fails or is given up while it is written leaves no file', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'export')
  const abort = new AbortController()
  function* ending(end: () => void): Generator<Uint8Array> {
    yield Buffer.from('a piece')
    end()
    yield Buffer.from('another')
  }
  const failing = ending(() => {
    throw new Error('the machine fails')
  })
  await expect(writeExport(file, facts, failing)).rejects.toThrow('the machine fails')
  await expect(
    writeExport(
      file,
      facts,
      ending(() => abort.abort()),
      abort.signal,
    ),
  ).rejects.toThrow(/abort/)
  expect(readdirSync(folder)).toEqual([])
})
