/** etcd's store as a state machine. Commands, queries and answers are those of `border.ts`. */
import {
  type CommandRun,
  Memory,
  type ResultWriter,
  type StateMachine,
  type TimeTelling,
} from '../machine/index.js'
import { type Frame, forEachCommand, type LogIndex } from '../raft/index.js'
import { Alarms } from './alarms.js'
import { AnswerRoom } from './answer-room.js'
import {
  answerHeadBytes,
  mvccCommandOps,
  mvccName,
  mvccQueryOps,
  type Status,
  writeAnswerHead,
} from './border.js'
import { deleteRange, put, refusesPut } from './changes.js'
import { isReadOnly } from './check.js'
import { figuresBytes, writeFigures } from './figures.js'
import { hashKv } from './hash-kv.js'
import { eventsFrom, readHistoryQuery } from './history.js'
import { applyKv, isForKv, type KvAnswer, kvMessage, readKv } from './kv-commands.js'
import {
  endLease,
  grantLease,
  keepLeaseAlive,
  listLeases,
  type RequestPlace,
  revokeLease,
  timeToLive,
} from './lease-requests.js'
import { Leases } from './leases.js'
import { range } from './ranges.js'
import { readCompaction, readDeleteRange, readPut, readRange, readRequest, readTxn } from './requests.js'
import { messageOfResponse, type ResponseOp } from './responses.js'
import { hashState, readSnapshot, snapshotOf } from './snapshot.js'
import { Store } from './store.js'
import { Sweep } from './sweep.js'
import { runTxn } from './txn.js'
import { type Measured, numberFieldBytes, Reader, Writer } from './wire.js'

export function createMvcc(): StateMachine {
  return new Mvcc()
}

const noMessage: Measured = { length: 0, write: () => {} }
const nothing = new Memory(new Uint8Array(0))

/** Bytes of records that a run of commands, and a telling of the time, sweep at least: about a millisecond, and ten. */
const leastSweep = 128 << 10
const idleSweep = 2 << 20

/** The outcome of a request. */
type Answered = ResponseOp | Measured | Status

class Mvcc implements StateMachine {
  readonly name = mvccName
  #leases = new Leases()
  #alarms = new Alarms()
  #store = new Store(this.#leases)
  #sweep = new Sweep(this.#store)
  /** The snapshot that is being pulled. Until its end nothing is swept. */
  #snapshot: Iterator<Uint8Array> | undefined
  /** The buffer that the last result was written to. */
  #written = nothing

  apply(run: CommandRun, results: ResultWriter | undefined): void {
    this.#leases.inTerm(run.term)
    const { bytes: bytesBefore } = this.#store.records
    const memory = new Memory(run.bytes)
    forEachCommand(run, (start, end, position) => {
      const place = { memory, start, end }
      if (isForKv(place)) return this.#applyToKv(place, results)
      const answered = this.#applyCommand(memory, start, end, run.index + position)
      if (results !== undefined) this.#answer(results, answered)
    })
    // Twice as much as was written, so that the sweep gains on those who write.
    this.#sweepBy(leastSweep + 2 * (this.#store.records.bytes - bytesBefore))
  }

  #sweepBy(bytes: number): void {
    if (this.#snapshot === undefined) this.#sweep.step(bytes)
  }

  get leastTimeoutMs(): number {
    return this.#leases.leastTimeoutMs
  }

  /** Leases that are over are revoked, each at a revision of its own: not while the store is corrupt, as nothing is then. */
  timeTold(telling: TimeTelling): void {
    const over = this.#leases.timeTold(telling)
    if (!this.#alarms.isCorrupt) for (const lease of over) endLease(this.#leases, this.#store, lease)
    this.#sweepBy(idleSweep)
  }

  read(queries: Frame, results: ResultWriter): void {
    const memory = new Memory(queries.bytes)
    forEachCommand(queries, (start, end) => {
      const place = { memory, start, end }
      if (isForKv(place)) this.#answerKv(results, readKv(this.#store, place))
      else this.#answerQuery(memory, start, end, results)
    })
  }

  /** Applies one command, which is a revision of its own if it changes something. */
  #applyCommand(memory: Memory, start: number, end: number, index: LogIndex): Answered {
    const refused = this.#alarms.refuses({ memory, start, end })
    const answered = refused ?? this.#perform(memory, start, end, index)
    this.#store.commit()
    return answered
  }

  #applyToKv(place: RequestPlace, results: ResultWriter | undefined): void {
    const answer = applyKv(this.#store, place)
    this.#store.commit()
    if (results !== undefined) this.#answerKv(results, answer)
  }

  #perform(memory: Memory, opAt: number, end: number, index: LogIndex): Answered {
    const store = this.#store
    const leases = this.#leases
    const start = opAt + 1
    switch (memory.bytes[opAt]) {
      case mvccCommandOps.put: {
        const request = readRequest(readPut, memory, start, end)
        if (request === undefined) return 'malformed'
        return refusesPut(store, leases, memory, request) ?? put(store, memory, request)
      }
      case mvccCommandOps.deleteRange: {
        const request = readRequest(readDeleteRange, memory, start, end)
        if (request === undefined) return 'malformed'
        const room = new AnswerRoom()
        const response = deleteRange(store, memory, request, room)
        return room.isOver ? 'answerTooLarge' : response
      }
      case mvccCommandOps.txn: {
        const request = readRequest(readTxn, memory, start, end)
        return request === undefined ? 'malformed' : runTxn(store, leases, memory, request, 'log')
      }
      case mvccCommandOps.compact: {
        const request = readRequest(readCompaction, memory, start, end)
        return request === undefined ? 'malformed' : (store.compact(request.revision) ?? 'ok')
      }
      case mvccCommandOps.leaseGrant:
        return grantLease(leases, { memory, start, end }, index)
      case mvccCommandOps.leaseRevoke:
        return revokeLease(leases, store, { memory, start, end })
      case mvccCommandOps.leaseKeepAlive:
        return keepLeaseAlive(leases, { memory, start, end })
      case mvccCommandOps.alarm:
        return this.#alarms.answer({ memory, start, end })
      default:
        return 'malformed'
    }
  }

  #answerQuery(memory: Memory, start: number, end: number, results: ResultWriter): void {
    const store = this.#store
    switch (memory.bytes[start]) {
      case mvccQueryOps.range: {
        const request = readRequest(readRange, memory, start + 1, end)
        const answered = request === undefined ? 'malformed' : range(store, memory, request, 'query')
        return this.#answer(results, answered)
      }
      case mvccQueryOps.txnRange: {
        const request = readRequest(readTxn, memory, start + 1, end)
        // A query that changed this node would part it from the others.
        if (request === undefined || !isReadOnly(request)) return this.#answer(results, 'malformed')
        return this.#answer(results, runTxn(store, this.#leases, memory, request, 'query'))
      }
      case mvccQueryOps.leaseTimeToLive:
        return this.#answer(results, timeToLive(this.#leases, store, { memory, start: start + 1, end }))
      case mvccQueryOps.leaseLeases:
        return this.#answer(results, listLeases(this.#leases))
      case mvccQueryOps.alarms:
        return this.#answer(results, this.#alarms.list())
      case mvccQueryOps.hashKV:
        return this.#answerHashKv(memory, start + 1, end, results)
      case mvccQueryOps.history:
        return this.#answerHistory(memory, start + 1, end, results)
      case mvccQueryOps.figures: {
        const { memory: into, at } = this.#begin(results, 'ok', figuresBytes)
        return writeFigures(into.view, at, this.#figures())
      }
      default:
        return this.#answer(results, 'malformed')
    }
  }

  #answerHashKv(memory: Memory, start: number, end: number, results: ResultWriter): void {
    const { revision: current, compactRevision } = this.#store
    const reader = new Reader(memory, start, end)
    let revision = 0
    while (reader.next()) {
      if (reader.field === 1) revision = reader.int64()
      else reader.skip()
    }
    if (reader.failed) return this.#answer(results, 'malformed')
    if (revision > 0 && revision <= compactRevision) return this.#answer(results, 'compacted')
    if (revision > current) return this.#answer(results, 'futureRevision')
    const hash = hashKv(this.#store, revision === 0 ? current : revision)
    this.#answerWith(results, 'ok', {
      length: numberFieldBytes(hash) + numberFieldBytes(compactRevision),
      write: (writer) => {
        writer.numberField(2, hash)
        writer.numberField(3, compactRevision)
      },
    })
  }

  /** The body of `compacted` is the compacted revision. */
  #answerHistory(memory: Memory, start: number, end: number, results: ResultWriter): void {
    const store = this.#store
    const query = readHistoryQuery(memory, start, end)
    if (query === undefined) return this.#answer(results, 'malformed')
    if (query.from < store.compactRevision) {
      const { memory: into, at } = this.#begin(results, 'compacted', 8)
      return into.view.setFloat64(at, store.compactRevision, true)
    }
    this.#answerWith(results, 'ok', eventsFrom(store, query))
  }

  #answer(results: ResultWriter, answered: Answered): void {
    if (typeof answered === 'string') return this.#answerWith(results, answered, noMessage)
    const message = 'type' in answered ? messageOfResponse(this.#store, answered) : answered
    this.#answerWith(results, 'ok', message)
  }

  #answerWith(results: ResultWriter, status: Status, message: Measured): void {
    message.write(this.#begin(results, status, message.length))
  }

  /** Makes room for an answer, and writes its head. The message goes where the writer stands. */
  #begin(results: ResultWriter, status: Status, messageBytes: number): Writer {
    const at = results.reserve(answerHeadBytes + messageBytes)
    const memory = this.#memoryOf(results)
    writeAnswerHead(memory, at, status, this.#store.revision)
    return new Writer(memory, at + answerHeadBytes)
  }

  #answerKv(results: ResultWriter, answer: KvAnswer): void {
    const message = kvMessage(this.#store, answer)
    const at = results.reserve(message.length)
    message.write(new Writer(this.#memoryOf(results), at))
  }

  #memoryOf(results: ResultWriter): Memory {
    if (this.#written.bytes !== results.bytes) this.#written = new Memory(results.bytes)
    return this.#written
  }

  #figures() {
    const { revision, compactRevision, keys, records } = this.#store
    return {
      revision,
      compactRevision,
      keys: keys.order.live,
      revisions: records.count,
      bytes: records.bytes,
    }
  }

  snapshot(): Iterator<Uint8Array> {
    const pieces = snapshotOf(this.#store, this.#leases.packed(), this.#alarms.packed())
    const ended = (): void => {
      if (this.#snapshot === snapshot) this.#snapshot = undefined
    }
    const snapshot: Iterator<Uint8Array> = {
      next: () => {
        const result = pieces.next()
        if (result.done === true) ended()
        return result
      },
      return: () => {
        ended()
        return pieces.return(undefined)
      },
    }
    this.#snapshot = snapshot
    return snapshot
  }

  restore(pieces: Iterable<Uint8Array>): void {
    const { store, leases, alarms } = readSnapshot(pieces)
    this.#alarms = Alarms.unpacked(alarms)
    this.#store = store
    this.#leases = leases
    this.#sweep = new Sweep(store)
    // A snapshot under way goes on with the old store, which nothing changes from here on.
    this.#snapshot = undefined
  }

  hash(): string {
    return hashState(this.#store, this.#leases.packed(), this.#alarms.packed())
  }

  summary(): Readonly<Record<string, number>> {
    const { keys, revision } = this.#store
    return { keys: keys.order.live, leases: this.#leases.size, revision }
  }
}
