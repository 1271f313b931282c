/** Each URL was also given to etcd 3.4.23, which wrote it as the table says. */
import { expect, test } from 'vitest'
import { checkedPeerUrls } from '../../src/etcd/peer-url.js'

const written: readonly (readonly [url: string, asWritten: string])[] = [
  ['HTTP://127.0.0.1:1', 'http://127.0.0.1:1'],
  [' https://127.0.0.1:1\n', 'https://127.0.0.1:1'],
  ['unix://127.0.0.1:', 'unix://127.0.0.1:'],
  ['http://:6', 'http://:6'],
  ['http://[fe80::1%25lo]:4', 'http://[fe80::1%25lo]:4'],
  ['http://%c3%a9<é:1', 'http://%C3%A9<%C3%A9:1'],
  ['http://u%41:p:q@r@127.0.0.1:1', 'http://uA:p%3Aq%40r@127.0.0.1:1'],
  ['http://127.0.0.1:1?', 'http://127.0.0.1:1?'],
  ['http://127.0.0.1:1?q%zz=é', 'http://127.0.0.1:1?q%zz=é'],
  ['http://127.0.0.1:1#', 'http://127.0.0.1:1'],
  ["http://127.0.0.1:1#part'%41", "http://127.0.0.1:1#part'%41"],
  ["http://127.0.0.1:1#part'%41|", 'http://127.0.0.1:1#part%27A%7C'],
]

test('a peer URL is written as etcd writes it', () => {
  expect(written.map(([url]) => [url, checkedPeerUrls([url])[0]])).toEqual(written)
})

test('peer URLs are in the order of their bytes, and may be the same', () => {
  const urls = ['http://[::1]:4', 'http://127.0.0.1:2', 'http://[::1]:4']
  expect(checkedPeerUrls(urls)).toEqual(['http://127.0.0.1:2', 'http://[::1]:4', 'http://[::1]:4'])
})

test.each([
  ...['', 'nonsense', '127.0.0.1:1', '//127.0.0.1:1', 'http:127.0.0.1:1', 'http://', 'ftp://127.0.0.1:1'],
  ...['http://127.0.0.1', 'http://127.0.0.1:x', 'http://::1:4', 'http://[::1', 'http://[::1]', 'http://]:4'],
  ...['http://127.0.0.1:1/', 'http://127.0.0.1:1/path', 'http://127.0.0.1:1/?q', 'unix:///path'],
  ...['http://a b:1', 'http://a^b:1', 'http://%41:1', 'http://%zz:1', 'http://a\n:1', 'http://a:1?\nq'],
  ...['http://u[@127.0.0.1:1', 'http://u%zz@127.0.0.1:1', 'http://127.0.0.1:1#%zz'],
])('%j is no peer URL', (url) => {
  expect(() => checkedPeerUrls([url])).toThrow('given member URLs are invalid')
})
