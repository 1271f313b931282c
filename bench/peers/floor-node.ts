/** A node of the floor, in its worker thread. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { open } from 'lmdb'

export interface Seat {
  readonly followers: number
  /** Where its LMDB is; `undefined` in memory. */
  readonly path: string | undefined
}

/** Commands of one size, one behind the other; each begins with the number of its key. */
export interface Batch {
  readonly count: number
  readonly size: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A batch that the leader has posted and not answered yet. */
interface Pending extends Batch {
  isWritten: boolean
  flushedByFollowers: number
}

const { followers: followerCount, path } = workerData as Seat
/** Beside the leader itself. */
const followersNeeded = Math.ceil(followerCount / 2)
const mapBytesMax = 16 * 2 ** 30

/** A synchronous transaction is on disk when it returns. */
const disk =
  path === undefined
    ? undefined
    : open<Uint8Array, number>({
        path,
        encoding: 'binary',
        keyEncoding: 'uint32',
        mapSize: mapBytesMax,
        overlappingSync: false,
      })
const values = new Map<number, Uint8Array>()
let nextIndex = 1

function write(batches: readonly Batch[]): void {
  const writeAll = (): void => {
    for (const { bytes } of batches) disk?.putSync(nextIndex++, bytes)
  }
  if (disk !== undefined) disk.transactionSync(writeAll)
}

function apply({ count, size, bytes }: Batch): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = 0; at < count * size; at += size) {
    values.set(view.getUint32(at, true), bytes.subarray(at, at + size))
  }
}

/** The message that came, and all that came behind it. */
function drain<T>(port: MessagePort, first: T): T[] {
  const all = [first]
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) all.push(next.message)
  return all
}

function joined(batches: readonly Batch[], size: number): Batch {
  const [only] = batches
  if (only !== undefined && batches.length === 1) return only
  const count = batches.reduce((sum, batch) => sum + batch.count, 0)
  const bytes = new Uint8Array(count * size)
  let end = 0
  for (const batch of batches) {
    bytes.set(batch.bytes, end)
    end += batch.bytes.length
  }
  return { count, size, bytes }
}

function follow(leader: MessagePort): void {
  leader.on('message', (first: Batch) => {
    const batches = drain(leader, first)
    write(batches)
    leader.postMessage(batches.length)
    for (const batch of batches) apply(batch)
  })
}

class Leader {
  readonly #followers: MessagePort[] = []
  readonly #pending: Pending[] = []
  /** How many batches each follower has flushed, and how many were answered. */
  readonly #flushed = new Map<MessagePort, number>()
  #answered = 0
  #clients: MessagePort | undefined

  addFollower(port: MessagePort): void {
    this.#followers.push(port)
    this.#flushed.set(port, 0)
    port.on('message', (count: number) => this.#onFlushed(port, count))
  }

  serve(clients: MessagePort): void {
    this.#clients = clients
    clients.on('message', (first: Batch) => {
      this.#replicate(joined(drain(clients, first), first.size))
    })
  }

  /** The followers write at the same time as the leader does. */
  #replicate(batch: Batch): void {
    const pending: Pending = { ...batch, isWritten: false, flushedByFollowers: 0 }
    this.#pending.push(pending)
    for (const follower of this.#followers) follower.postMessage(batch)
    write([batch])
    pending.isWritten = true
    this.#answer()
  }

  #onFlushed(follower: MessagePort, count: number): void {
    const before = this.#flushed.get(follower) ?? 0
    this.#flushed.set(follower, before + count)
    for (let number = before; number < before + count; number++) {
      const pending = this.#pending[number - this.#answered]
      if (pending !== undefined && number >= this.#answered) pending.flushedByFollowers++
    }
    this.#answer()
  }

  #answer(): void {
    let commands = 0
    for (let head = this.#pending[0]; head && isCommitted(head); head = this.#pending[0]) {
      this.#pending.shift()
      this.#answered++
      apply(head)
      commands += head.count
    }
    if (commands > 0) this.#clients?.postMessage(commands)
  }
}

function isCommitted({ isWritten, flushedByFollowers }: Pending): boolean {
  return isWritten && flushedByFollowers >= followersNeeded
}

interface Introduction {
  readonly follower?: MessagePort
  readonly leader?: MessagePort
  readonly clients?: MessagePort
}

const leader = new Leader()
parentPort?.on('message', ({ follower, leader: toLeader, clients }: Introduction) => {
  if (follower !== undefined) leader.addFollower(follower)
  if (toLeader !== undefined) follow(toLeader)
  if (clients !== undefined) leader.serve(clients)
})
