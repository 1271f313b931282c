/** The messages that the acts of a run have sent, and those among them that a recorded message stands for. */
import { entriesIn, lastIndexOf, type Message } from '../raft/index.js'
import { type CarriedType, carriedTypeOf } from '../telemetry/index.js'

interface Letter {
  /** The act that sent it, and its place among the messages of this kind that the act sent to this node. */
  readonly of: number
  readonly kind: CarriedType
  readonly nth: number
  readonly message: Message
  isTaken: boolean
}

export class Mail {
  /** By sender, receiver and kind, in the order of sending. */
  readonly #letters = new Map<string, Letter[]>()
  readonly #areSnapshotsApart: boolean

  /** Unless snapshots are apart, a snapshot stands for the entries that it holds. */
  constructor({ areSnapshotsApart = false } = {}) {
    this.#areSnapshotsApart = areSnapshotsApart
  }

  /** The latest message between these nodes of this kind that was not taken, whatever it says. */
  latest(recorded: Message): Letter | undefined {
    const letter = this.#letters.get(this.#keyOf(recorded))?.findLast(({ isTaken }) => !isTaken)
    if (letter !== undefined) letter.isTaken = true
    return letter
  }

  sent(of: number, messages: readonly Message[]): void {
    const counts = new Map<string, number>()
    for (const message of messages) {
      const key = this.#keyOf(message)
      const nth = counts.get(key) ?? 0
      counts.set(key, nth + 1)
      const letters = this.#letters.get(key) ?? []
      this.#letters.set(key, letters)
      letters.push({ of, kind: carriedTypeOf(message), nth, message, isTaken: false })
    }
  }

  /** The messages in place of a recorded one, which count as taken from then on; none, if nothing like it was sent. */
  like(recorded: Message): readonly Letter[] {
    const letters = this.#letters.get(this.#keyOf(recorded)) ?? []
    const ofTerm = letters.filter(({ message }) => message.term === recorded.term)
    const found = this.#replicates(recorded) ? covered(recorded, ofTerm) : alike(recorded, ofTerm)
    for (const letter of found) letter.isTaken = true
    return found
  }

  #keyOf(message: Message): string {
    const type = carriedTypeOf(message)
    const kind = this.#areSnapshotsApart ? type : type.replace('installSnapshot', 'appendEntries')
    return `${message.from} ${message.to} ${kind}`
  }

  #replicates(message: Message): boolean {
    const type = carriedTypeOf(message)
    return (
      type.startsWith('appendEntries') || (!this.#areSnapshotsApart && type.startsWith('installSnapshot'))
    )
  }
}

/**
 * The messages that carry or acknowledge what the recorded one does: it may have more entries, or fewer, than one of
 * the acts. If all of them were taken, the recorded one is taken again, and so is the last of them.
 */
function covered(recorded: Message, letters: readonly Letter[]): readonly Letter[] {
  const [from, to] = [startOf(recorded), reachOf(recorded)]
  const alike = letters.filter(({ message }) => isYes(message) === isYes(recorded))
  const within = alike.filter(({ message }) => startOf(message) >= from && reachOf(message) <= to)
  const around = alike.filter(({ message }) => startOf(message) <= from && reachOf(message) >= to)
  const found = within.length > 0 ? within : around.slice(0, 1)
  const fresh = found.filter(({ isTaken }) => !isTaken)
  return fresh.length > 0 ? fresh : found.slice(-1)
}

/** The entry before those that the message carries, or that it acknowledges. */
function startOf(message: Message): number {
  const isOfEntries = message.type === 'appendEntries' || message.type === 'appendEntriesResponse'
  return isOfEntries ? message.prevLogIndex : 0
}

/** The last entry that the message carries or acknowledges. */
function reachOf(message: Message): number {
  switch (message.type) {
    case 'appendEntries': {
      const last = entriesIn(message).at(-1)
      return last === undefined ? message.prevLogIndex : lastIndexOf(last)
    }
    case 'appendEntriesResponse':
      return message.success ? message.matchIndex : message.prevLogIndex
    case 'installSnapshot':
      return message.lastIncludedIndex
    default:
      return Number.POSITIVE_INFINITY
  }
}

function isYes(message: Message): boolean {
  return message.type !== 'appendEntriesResponse' || message.success
}

/** The first that says the same and was not taken, else one that comes again. */
function alike(recorded: Message, letters: readonly Letter[]): Letter[] {
  const same = letters.filter(({ message }) => sayingOf(message) === sayingOf(recorded))
  const letter = same.find(({ isTaken }) => !isTaken) ?? same.at(-1)
  return letter === undefined ? [] : [letter]
}

/** The round of heartbeats, the answer to a request for votes, or the place in a snapshot. */
function sayingOf(message: Message): boolean | number | undefined {
  if (message.type === 'requestVoteResponse' || message.type === 'preVoteResponse') return message.voteGranted
  if (message.type === 'installSnapshot' || message.type === 'installSnapshotResponse') return message.offset
  const isHeartbeat = message.type === 'appendEntries' || message.type === 'appendEntriesResponse'
  return isHeartbeat && message.mode === 'heartbeat' ? message.round : undefined
}
