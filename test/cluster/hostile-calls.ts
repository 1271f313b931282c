/** Calls of the handle whose arguments cannot be read, each at another point. None of them may change anything. */
import { type Cluster, callBytesMax, keyBytesMax, valueBytesMax } from '../../src/cluster/index.js'

/** Bytes whose buffer was handed to somebody else. */
export function detached(): Uint8Array {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

const bytes = Uint8Array.of(1, 2, 3)
const proxied = new Proxy(bytes, { get: (target, name) => Reflect.get(target, name, target) })
const inherited = Object.create(Uint8Array.prototype) as Uint8Array
const disguised = Object.setPrototypeOf(new Uint16Array(4), Uint8Array.prototype) as Uint8Array
const throwing = {
  get length(): number {
    throw new Error('a getter of the caller')
  },
  valueOf(): never {
    throw new Error('a valueOf of the caller')
  },
}

/** `before` good commands, and then an element that throws when it is read. */
function throwsAt(before: number): Uint8Array[] {
  return new Proxy(Array<Uint8Array>(before + 1).fill(bytes), {
    get(target, name) {
      if (name === String(before)) throw new Error('an element of the caller')
      return Reflect.get(target, name)
    },
  })
}

const notBytes: readonly unknown[] = [undefined, null, 7, {}, throwing, proxied, inherited, disguised]
const badKeys = [...notBytes, '', 'k'.repeat(keyBytesMax + 1), detached()]
const badValues = [...notBytes, 'v'.repeat(valueBytesMax + 1), detached()]
const badCommands: readonly unknown[] = [
  ...notBytes,
  ...[0, 1, 2].map(throwsAt),
  ...[0, 1, 2].map((at) => Object.assign([bytes, bytes, bytes], { [at]: detached() })),
  ...[proxied, inherited, disguised].map((bad) => [bytes, bad]),
  [],
  new Array(3),
  [bytes, new Uint8Array(callBytesMax)],
]
const badOptions: readonly unknown[] = [
  ...[null, 7, 'prefix', { start: null }, { end: null }, { prefix: null }],
  ...badValues.slice(2).flatMap((bad) => [{ start: bad }, { end: bad }, { prefix: bad }]),
  ...[0, -1, 1.5, Number.NaN, 2 ** 32, '7', throwing].map((limit) => ({ limit })),
  ...['start', 'end', 'prefix', 'limit'].map((name) =>
    Object.defineProperty({}, name, {
      get() {
        throw new Error('an option of the caller')
      },
    }),
  ),
]

type Call = (cluster: Cluster, key: string) => Promise<unknown>

export const hostileWrites: readonly Call[] = [
  ...badKeys.flatMap((bad): Call[] => [
    (cluster) => cluster.put(bad as string, 'v'),
    (cluster) => cluster.append(bad as string, 'v'),
    (cluster) => cluster.delete(bad as string),
    (cluster) => cluster.cas(bad as string, undefined, 'v'),
    (cluster) => cluster.cas(bad as string, 'v', 'w'),
  ]),
  ...badValues.flatMap((bad): Call[] => [
    (cluster, key) => cluster.put(key, bad as string),
    (cluster, key) => cluster.append(key, bad as string),
    (cluster, key) => cluster.cas(key, undefined, bad as string),
    (cluster, key) => cluster.cas(key, 'v', bad as string),
  ]),
  // Without an expected value, a compare-and-set expects that there is no such key.
  ...badValues.slice(1).map(
    (bad): Call =>
      (cluster, key) =>
        cluster.cas(key, bad as string, 'w'),
  ),
  ...badCommands.map(
    (bad): Call =>
      (cluster) =>
        cluster.propose(bad as Uint8Array[]),
  ),
]

export const hostileReads: readonly Call[] = [
  ...badKeys.map(
    (bad): Call =>
      (cluster) =>
        cluster.get(bad as string),
  ),
  ...badCommands.map(
    (bad): Call =>
      (cluster) =>
        cluster.query(bad as Uint8Array),
  ),
  ...badOptions.map(
    (bad): Call =>
      (cluster) =>
        cluster.range(bad as object),
  ),
]
