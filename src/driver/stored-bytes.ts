/** Bytes of entries and snapshots that the protocol does not hold in memory. They are read from the store as they are needed. */
import type { EntryRun, InstallSnapshot, LogRun, Message, Replication, Snapshot } from '../raft/index.js'
import type { LogStore } from '../storage/index.js'

/** Bytes read at a time while the state machine is restored. */
const restoreBytes = 1 << 20

export class StoredBytes {
  readonly #store: LogStore

  constructor(store: LogStore) {
    this.#store = store
  }

  /** The message with all of its bytes, as it leaves; `undefined` when the store no longer has them. */
  filled(message: Message): Message | undefined {
    if (message.type === 'installSnapshot') return this.#withData(message)
    const isReplication = message.type === 'appendEntries' && message.mode === 'replication'
    return isReplication ? this.#withEntries(message) : message
  }

  wholeOf(run: LogRun): EntryRun | undefined {
    return run.bytes === undefined ? this.#store.readEntries(run) : run
  }

  *piecesOf(snapshot: Snapshot): Generator<Uint8Array> {
    for (let offset = 0; offset < snapshot.size; offset += restoreBytes) {
      const length = Math.min(restoreBytes, snapshot.size - offset)
      const piece = this.#store.readSnapshot(snapshot.index, offset, length)
      if (piece === undefined) throw new Error(`the snapshot at index ${snapshot.index} is not in the store`)
      yield piece
    }
  }

  /** `undefined` once the store has cut entries of the message off. The protocol then sends a snapshot in their place. */
  #withEntries(message: Replication): Message | undefined {
    if (message.entries.every(({ bytes }) => bytes !== undefined)) return message
    const entries: EntryRun[] = []
    for (const run of message.entries) {
      const whole = this.wholeOf(run)
      if (whole === undefined) return undefined
      entries.push(whole)
    }
    return { ...message, entries }
  }

  /** A chunk gets its bytes as it leaves: the protocol knows offsets only. */
  #withData(message: InstallSnapshot): Message | undefined {
    const { lastIncludedIndex, offset, length } = message
    const data = this.#store.readSnapshot(lastIncludedIndex, offset, length)
    return data && { ...message, data }
  }
}
