/** Calls to servers of etcd's API: the puts that a cluster is asked for, over the border. */
import { type Call, drawNumber, keyTemplate, type NextCall, valueFor, writeKey } from '../calls.js'
import type { EtcdClient } from './client.js'
import { putRequest } from './protobuf.js'

/** A request begins with the tag and the length of its key. */
const keyStart = 2

/** Puts of `size` bytes each, on keys drawn evenly; `batch` of them, on keys that follow each other, in a transaction. */
export function etcdPutCalls(client: EtcdClient, { size, batch }: { size: number; batch: number }): NextCall {
  const key = Buffer.from(keyTemplate)
  const value = valueFor(size)
  const puts = Array.from({ length: batch }, () => putRequest(key, value))
  const one = (): Promise<unknown> => {
    writeKey(key, 0, drawNumber())
    return client.put(key, value)
  }
  // A transaction may put a key only once.
  const all = (): Promise<unknown> => {
    const first = drawNumber()
    for (const [at, put] of puts.entries()) writeKey(put, keyStart, first + at)
    return client.putAll(puts)
  }
  const call: Call = { op: 'put', commands: batch, perform: batch === 1 ? one : all }
  return () => call
}
