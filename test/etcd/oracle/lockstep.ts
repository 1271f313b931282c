/** Runs a program on two servers at once, and compares every answer and every watch. */
import { isDeepStrictEqual } from 'node:util'
import type { Answer, Message } from './client.js'
import { isSame } from './differences.js'
import { isRead, type Operation, type Program, show } from './program.js'
import { type Asked, Side } from './side.js'
import { progressLog } from './watch-log.js'

/** Where two servers differ. */
export class Difference extends Error {
  constructor(operation: unknown, right: unknown, ours: unknown) {
    super(`${show(operation)}\n  etcd:    ${show(right)}\n  raftbox: ${show(ours)}`)
  }
}

interface Watch {
  readonly on: number
  readonly request: Message
  readonly id: string
  readonly start: number
  live: boolean
}

const everything = { key: Buffer.from('\0'), rangeEnd: Buffer.from('\0') }
/** Reads that are under way at once. */
const readsMax = 16

export class Lockstep {
  readonly right: Side
  readonly ours: Side
  readonly #watches = new Map<number, Watch>()
  operations = 0

  constructor(right: Asked, ours: Asked) {
    this.right = new Side(right, right.peerUrls)
    this.ours = new Side(ours, right.peerUrls)
  }

  /** Stores begin with a compaction: to watch from before the first one means something to no client. */
  async begin(): Promise<void> {
    for (const side of [this.right, this.ours]) await side.meet()
    await this.#both({ call: 'KV/Put', request: { key: Buffer.from('a') } })
    await this.#finish()
  }

  /** Rejects with the first `Difference`. Afterwards both stores are empty. */
  async run(program: Program): Promise<void> {
    this.right.begin()
    this.ours.begin()
    this.#watches.clear()
    let reads: Operation[] = []
    for (const operation of program) {
      if (isRead(operation) && reads.length < readsMax) {
        reads.push(operation)
        continue
      }
      await this.#all(reads)
      reads = []
      await this.#one(operation)
    }
    await this.#all(reads)
    await this.#finish()
  }

  close(): void {
    for (const side of [this.right, this.ours]) {
      side.endStreams()
      side.client.close()
    }
  }

  async #all(reads: readonly Operation[]): Promise<void> {
    await Promise.all(reads.map((read) => this.#one(read)))
  }

  async #one(operation: Operation): Promise<void> {
    if ('watch' in operation) return this.#watch(operation)
    if ('cancel' in operation) return this.#cancel(operation.cancel)
    if ('cancelId' in operation) return this.#cancelUnknown(operation)
    if ('progress' in operation) return this.#progress(operation.progress)
    // A watch that has not come to the compacted revisions is cancelled or not, as it happens.
    if ('call' in operation && operation.call === 'KV/Compact') await this.#reachAll()
    // The hash is of the leases' ids too, and each server has chosen its own.
    if ('call' in operation && operation.call === 'Maintenance/HashKV' && this.right.hasChosen) return
    // The id of a lease that each server has chosen is other bytes, and any byte can mean something else once it is garbled.
    if ('garble' in operation && !this.right.garbled(operation).equals(this.ours.garbled(operation))) return
    await this.#both(operation)
  }

  async #both(operation: Parameters<Side['answer']>[0]): Promise<Answer> {
    this.operations += 1
    const [right, ours] = await Promise.all([this.right.answer(operation), this.ours.answer(operation)])
    if (!isSame(operation, right, ours)) throw new Difference(operation, right, ours)
    return right
  }

  async #watch(operation: { watch: Message; on: number; as: number }): Promise<void> {
    this.operations += 1
    const [right, ours] = await Promise.all(
      [this.right, this.ours].map((side) => side.createWatch(operation.watch, operation.on)),
    )
    if (right === undefined || !isDeepStrictEqual(right, ours)) throw new Difference(operation, right, ours)
    await this.#cancel(operation.as)
    const watch = { on: operation.on, request: operation.watch, ...right }
    this.#watches.set(operation.as, watch)
    // A watch of compacted revisions is cancelled soon after it was created.
    if (watch.live && watch.start < this.right.compacted) await this.#awaitEnd(operation, watch)
  }

  async #awaitEnd(operation: unknown, watch: Watch): Promise<void> {
    const { id, on } = watch
    watch.live = false
    await this.#told(operation, on, (side) => {
      const log = side.stream(on)
      return log.until(() => log.entriesOf(id).at(-1)?.['canceled'] === true)
    })
    this.#compareLogs(operation, on, id)
  }

  async #cancel(name: number): Promise<void> {
    const watch = this.#watches.get(name)
    if (!watch?.live) return
    await this.#reach([watch])
    this.operations += 1
    const { id, on } = watch
    for (const side of [this.right, this.ours]) side.stream(on).write({ cancelRequest: { watchId: id } })
    await this.#awaitEnd({ cancel: name }, watch)
  }

  /** Only a later answer on the stream tells that the server has read the request. */
  async #cancelUnknown({ cancelId, on }: { cancelId: string; on: number }): Promise<void> {
    const known = [...this.#watches.entries()].find(
      ([, watch]) => watch.live && watch.on === on && watch.id === cancelId,
    )
    if (known !== undefined) return this.#cancel(known[0])
    this.right.stream(on).write({ cancelRequest: { watchId: cancelId } })
    this.ours.stream(on).write({ cancelRequest: { watchId: cancelId } })
    await this.#progress(on)
  }

  async #progress(on: number): Promise<void> {
    this.operations += 1
    await this.#told({ progress: on }, on, (side) => {
      const log = side.stream(on)
      const before = log.entriesOf(progressLog).length
      log.write({ progressRequest: {} })
      return log.until(() => log.entriesOf(progressLog).length > before)
    })
    this.#compareLogs({ progress: on }, on, progressLog)
  }

  async #told(operation: unknown, on: number, ask: (side: Side) => Promise<boolean>): Promise<void> {
    const [right, ours] = await Promise.all([ask(this.right), ask(this.ours)])
    const endings = [this.right, this.ours].map((side) => side.stream(on).ended)
    if (!right || !ours || endings[0] !== endings[1]) {
      const tell = (told: boolean | undefined, ended: unknown): unknown => ended ?? (told ? 'told' : 'silent')
      throw new Difference(operation, tell(right, endings[0]), tell(ours, endings[1]))
    }
  }

  async #reachAll(): Promise<void> {
    await this.#reach([...this.#watches.values()])
  }

  /** Waits until the watches have told everything so far: each gets a last event, which comes after all others. */
  async #reach(watches: readonly Watch[]): Promise<void> {
    for (const watch of watches) {
      const revision = await this.#lastEvent(watch)
      if (revision === undefined) continue
      await this.#told({ reach: watch.request, revision }, watch.on, (side) => {
        const log = side.stream(watch.on)
        return log.until(() => log.hasReached(watch.id, revision))
      })
      this.#compareLogs({ reach: watch.request }, watch.on, watch.id)
    }
  }

  /** The revision of an event that the watch must tell, or none if it tells nothing. */
  async #lastEvent({ live, request, start }: Watch): Promise<number | undefined> {
    const filters = (request['filters'] ?? []) as readonly number[]
    const [noPut, noDelete] = [filters.includes(0), filters.includes(1)]
    if (!live || (noPut && noDelete)) return undefined
    const asked = request['key'] as Buffer
    const key = asked.length === 0 ? Buffer.from('\0') : asked
    const put = await this.#both({ call: 'KV/Put', request: { key } })
    const last = noDelete ? put : await this.#both({ call: 'KV/DeleteRange', request: { key } })
    const revision = 'response' in last ? Number((last.response['header'] as Message)['revision']) : 0
    return revision >= start ? revision : undefined
  }

  #compareLogs(operation: unknown, on: number, id: string): void {
    const [right, ours] = [this.right, this.ours].map((side) => side.plain(side.stream(on).entriesOf(id)))
    if (!isDeepStrictEqual(right, ours)) throw new Difference(operation, right, ours)
  }

  /** Both must hold the same at the end. Then what a program left is taken away. */
  async #finish(): Promise<void> {
    await this.#both({ call: 'KV/Range', request: everything })
    await this.#endAlarms()
    await this.#dismissAll()
    for (const name of this.#watches.keys()) await this.#cancel(name)
    for (const [on, log] of this.right.streams) {
      for (const id of log.ids()) this.#compareLogs({ all: id }, on, id)
    }
    this.right.endStreams()
    this.ours.endStreams()
    await this.#both({ call: 'KV/DeleteRange', request: everything })
    await this.#revokeAll()
    await this.#both({
      call: 'KV/Compact',
      request: { revision: { revision: 'now', plus: 0 }, physical: true },
    })
  }

  async #endAlarms(): Promise<void> {
    const list = await this.#both({ call: 'Maintenance/Alarm', request: {} })
    const alarms = 'response' in list ? (list.response['alarms'] as readonly Message[]) : []
    for (const { memberID, alarm } of alarms) {
      await this.#both({ call: 'Maintenance/Alarm', request: { action: 2, memberID, alarm } })
    }
  }

  async #dismissAll(): Promise<void> {
    await this.#both({ call: 'Cluster/MemberList', request: {} })
    for (const side of [this.right, this.ours]) await side.dismissAll()
  }

  async #revokeAll(): Promise<void> {
    await this.#both({ call: 'Lease/LeaseLeases', request: {} })
    for (const side of [this.right, this.ours]) await side.revokeAll()
  }
}
