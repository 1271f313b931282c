/** Debian's python3-etcd3, as it is. The package fails by itself where a lock is held: Debian has a newer `tenacity`. */
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startedEtcd } from './support.js'

const python = '/usr/bin/python3'
const hasModule = spawnSync(python, ['-c', 'import etcd3']).status === 0

/** Ends with an error where an answer is not as asserted. */
const program = `
import sys, etcd3
client = etcd3.client(host='127.0.0.1', port=int(sys.argv[1]), timeout=20)

client.put('a', '1')
client.put('a/b', '2')
assert client.get('a')[0] == b'1'
assert client.get('a')[1].version == 1
assert sorted(value for value, _ in client.get_prefix('a')) == [b'1', b'2']
assert client.replace('a', '1', 'one') and not client.replace('a', '1', 'two')
assert client.put_if_not_exists('c', '3') and not client.put_if_not_exists('c', '4')
succeeded, answers = client.transaction(
    compare=[client.transactions.value('a') == 'one', client.transactions.version('a') > 0],
    success=[client.transactions.put('a', 'then'), client.transactions.get('c')],
    failure=[client.transactions.delete('a')])
assert succeeded and answers[1][0][0] == b'3', answers
assert client.delete('c') and not client.delete('c')
assert client.delete_prefix('a').deleted == 2

events, cancel = client.watch_prefix('w')
for at in range(3):
    client.put('w%d' % at, str(at))
client.delete('w0')
seen = [next(events) for _ in range(4)]
assert [type(event).__name__ for event in seen] == ['PutEvent'] * 3 + ['DeleteEvent'], seen
assert [event.key for event in seen] == [b'w0', b'w1', b'w2', b'w0']
cancel()
again, cancel = client.watch_prefix('w', start_revision=seen[1].mod_revision, prev_kv=True)
assert [next(again).mod_revision for _ in range(3)] == [event.mod_revision for event in seen[1:]]
cancel()
client.compact(seen[3].mod_revision)
refused, _ = client.watch('w0', start_revision=1)
try:
    next(refused)
    assert False, 'a watch of what is compacted'
except etcd3.exceptions.RevisionCompactedError as error:
    assert error.compacted_revision == seen[3].mod_revision

lease = client.lease(30)
client.put('l', '1', lease)
assert list(lease.keys) == [b'l'] and 0 < lease.remaining_ttl <= 30 and lease.granted_ttl == 30
assert [answer.TTL for answer in lease.refresh()] == [30]
lease.revoke()
assert client.get('l')[0] is None

lock = client.lock('x', ttl=30)
other = client.lock('x', ttl=30)
assert lock.acquire() and lock.is_acquired()
assert client.put_if_not_exists(lock.key, b'') is False
assert lock.release()
assert other.acquire() and other.release()
print('done')
`

test.skipIf(!hasModule)('python-etcd3 gets the answers that it expects', async () => {
  const etcd = await startedEtcd({ nodes: 3 })
  const { port } = new URL(etcd.endpoints[0]!)
  const { stdout } = await promisify(execFile)(python, ['-c', program, port], { timeout: 50_000 })
  expect(stdout).toBe('done\n')
})
