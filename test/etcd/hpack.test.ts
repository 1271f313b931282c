/** Headers as Node's own HTTP/2 packs them are read as they were, with all that a connection has learnt before. */
import { once } from 'node:events'
import { connect } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { meaningOf } from '../../src/etcd/http2/calls.js'
import { contentOf, FrameReader, flags, preface, settingsFrame, types } from '../../src/etcd/http2/frames.js'
import { encodeHeaders, type Header, HpackDecoder, HpackError } from '../../src/etcd/http2/hpack.js'

/** What a lane keeps of a header. */
const laneDecoder = () => new HpackDecoder<Header>((name, value) => meaningOf(name, value, new Map()))
const decoder = () => new HpackDecoder<Header>((name, value) => ({ name, value }))

function decoded(bytes: Buffer, by = decoder()): Header[] {
  const headers: Header[] = []
  by.decode(bytes, 0, bytes.length, headers)
  return headers
}

/** Sends the requests over one connection, and resolves with the headers that a decoder reads there. */
async function sent(
  requests: readonly Readonly<Record<string, string>>[],
  by: HpackDecoder<Header>,
): Promise<Header[][]> {
  const all: Header[][] = []
  let left = preface.length
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write(settingsFrame(new Map()))
    const frames = new FrameReader((each) => {
      if (each.type !== types.headers) return
      expect(each.flags & flags.endHeaders).not.toBe(0)
      const { start, end } = contentOf(each)
      const headers: Header[] = []
      by.decode(each.bytes, start, end, headers)
      all.push(headers)
      if (all.length === requests.length) session.destroy()
    })
    socket.on('data', (bytes: Buffer) => {
      const rest = bytes.subarray(Math.min(left, bytes.length))
      left -= bytes.length - rest.length
      frames.read(rest)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  session.on('error', () => undefined)
  for (const headers of requests) session.request(headers).on('error', () => undefined)
  await once(session, 'close')
  server.close()
  return all
}

const name = fc.stringMatching(/^x-[a-z0-9-]{1,20}$/)
const value = fc.oneof(
  fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/),
  fc.stringMatching(/^[\x80-\xff]{1,20}$/),
  fc.stringMatching(/^[a-z0-9]{1000,3000}$/),
)
/** Long authorities: a lane keeps them shorter than they are. */
const authority = fc.stringMatching(/^[a-z0-9]{1,500}$/)
const request = fc
  .array(fc.tuple(name, value), { minLength: 1, maxLength: 6 })
  .chain((pairs) => authority.map((own) => ({ ':authority': own, ...Object.fromEntries(pairs) })))

test.each([
  ['as they are', decoder],
  ['as a lane keeps them', laneDecoder],
])('random headers of many requests, %s', async (_, decoderOf) => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 12 }), async (requests) => {
      // What comes again is sent by its index.
      const twice = [...requests, ...requests]
      const read = await sent(twice, decoderOf())
      const own = read.map((headers) =>
        Object.fromEntries(
          headers.filter(({ name }) => !name.startsWith(':')).map((each) => [each.name, each.value]),
        ),
      )
      expect(own).toEqual(twice.map(({ ':authority': _authority, ...rest }) => rest))
    }),
    { numRuns: 40, seed: 24 },
  )
})

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ name, value }), { maxLength: 10 }), (headers) => {
      expect(decoded(encodeHeaders(headers))).toEqual(headers)
    }),
    { seed: 24 },
  )
})

test('the examples of RFC 7541, C.4 and C.6', () => {
  const by = decoder()
  const request = '828684418cf1e3c2e5f23a6ba0ab90f4ff'
  expect(decoded(Buffer.from(request, 'hex'), by)).toEqual([
    { name: ':method', value: 'GET' },
    { name: ':scheme', value: 'http' },
    { name: ':path', value: '/' },
    { name: ':authority', value: 'www.example.com' },
  ])
  expect(decoded(Buffer.from('828684be5886a8eb10649cbf', 'hex'), by).slice(3)).toEqual([
    { name: ':authority', value: 'www.example.com' },
    { name: 'cache-control', value: 'no-cache' },
  ])
})

test.each([
  ['an index of 0', '80'],
  ['an index that no header has', 'be'],
  ['a number without an end', 'ffffffffffff'],
  ['a size of the table behind a header', '8220'],
  ['a text without an end', '000341'],
  ['a table larger than allowed', '3fe21f'],
  ['the end of the Huffman code in a text', '0084ffffffff00'],
  ['a padding that is too long', '0082ffff00'],
])('%s is no header', (_, hex) => {
  expect(() => decoded(Buffer.from(hex, 'hex'))).toThrow(HpackError)
})

test('a table that is made smaller forgets the oldest headers first', () => {
  const by = decoder()
  // `a: 1` and `b: 2`, both kept, of 34 bytes each.
  decoded(Buffer.from('400161013140016201 32'.replaceAll(' ', ''), 'hex'), by)
  expect(decoded(Buffer.from('bebf', 'hex'), by).map(({ name }) => name)).toEqual(['b', 'a'])
  // Room for one.
  expect(decoded(Buffer.from('3f0bbe', 'hex'), by)).toEqual([{ name: 'b', value: '2' }])
  expect(() => decoded(Buffer.from('bf', 'hex'), by)).toThrow(HpackError)
})

test('a table counts a header as its client sent it, whatever is kept of it', () => {
  const by = laneDecoder()
  // `:authority` of 3000 bytes, and `x` of 1500: both are more than the table holds.
  const text = (length: number) => [
    0x7f,
    ((length - 127) % 128) | 128,
    (length - 127) >>> 7,
    ...Array(length).fill(97),
  ]
  decoded(Buffer.from([0x41, ...text(3000)]), by)
  decoded(Buffer.from([0x40, 1, 120, ...text(1500)]), by)
  expect(decoded(Buffer.of(0xbe), by).map(({ name }) => name)).toEqual(['x'])
  expect(() => decoded(Buffer.of(0xbf), by)).toThrow(HpackError)
})
