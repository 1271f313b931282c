/** Debian's python3-etcd3gw, as it is: the API over JSON. */
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startedEtcd } from '../support.js'

const python = '/usr/bin/python3'
const hasModule = spawnSync(python, ['-c', 'import etcd3gw']).status === 0

/** Ends with an error where an answer is not as asserted. */
const program = `
import sys
from etcd3gw.client import Etcd3Client
client, other = [Etcd3Client(port=int(port), api_path='/v3/', timeout=30) for port in sys.argv[1:3]]

assert client.put('a', '1') and client.put('a/b', b'\\x00\\xff')
assert client.get('a') == [b'1']
assert client.get('a/b') == [b'\\x00\\xff']
assert sorted(value for value, _ in client.get_prefix('a')) == [b'\\x00\\xff', b'1']
assert [entry['key'] for _, entry in client.get_all(sort_order='descend')] == [b'a/b', b'a']
assert client.create('c', 'one') and not client.create('c', 'two')
assert client.replace('c', 'one', 'two') and not client.replace('c', 'one', 'three')
assert other.get('c') == [b'two']
done = client.transaction({
    'compare': [{'key': 'Yw==', 'result': 'EQUAL', 'target': 'VERSION', 'version': 2}],
    'success': [{'request_range': {'key': 'Yw=='}}, {'request_delete_range': {'key': 'Yw=='}}],
    'failure': []})
assert done['succeeded'] and done['responses'][0]['response_range']['kvs'][0]['value'] == 'dHdv', done
assert client.delete_prefix('a') and not client.delete('a')
assert client.get('a') == []

lease = client.lease(ttl=60)
client.put('l', '1', lease=lease)
assert other.get('l') == [b'1'] and lease.keys() == [b'l']
assert lease.refresh() == 60 and 0 < lease.ttl() <= 60
assert lease.revoke() and client.get('l') == []

with client.lock('x', ttl=60) as lock:
    assert lock.is_acquired()
    assert not other.lock('x', ttl=60).acquire()
assert other.lock('x', ttl=60).acquire()

events, cancel = client.watch_prefix('w')
other.put('w1', '1')
other.delete('w1')
other.put('w2', '2')
seen = [next(events) for _ in range(3)]
cancel()
assert [event['kv']['key'] for event in seen] == [b'w1', b'w1', b'w2'], seen
assert [event.get('type') for event in seen] == [None, 'DELETE', None], seen
assert client.watch_once('w3', timeout=30, start_revision=1) if other.put('w3', '3') else False
assert {member['name'] for member in client.members()} == {'node-1', 'node-2', 'node-3'}
print('done')
`

test.skipIf(!hasModule)('python-etcd3gw gets the answers that it expects', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const ports = etcd.endpoints.map((endpoint) => new URL(endpoint).port)
  const { stdout } = await promisify(execFile)(python, ['-c', program, ...ports], { timeout: 50_000 })
  expect(stdout).toBe('done\n')
})
