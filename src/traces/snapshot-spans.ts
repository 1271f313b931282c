/** The trace of a snapshot on its way: sent by a leader, piece by piece, and installed by a follower. */
import type { LogIndex, NodeId } from '../raft/index.js'
import type { Happened } from '../telemetry/index.js'
import { type Span, serviceOf, Trace, within } from './span.js'
import type { Tracks } from './tracks.js'

/** On its way from a leader to a follower. Times in milliseconds since 1970. */
interface Sending {
  readonly from: NodeId
  readonly to: NodeId
  readonly index: LogIndex
  readonly sinceMs: number
  installingMs: number | undefined
}

/** Answers to pieces of snapshots for one follower: their times, oldest first. */
interface Answers {
  /** The times at which the follower sent them. */
  sent: number[]
  /** The times at which the leader received them. */
  received: number[]
}

/**
 * The rows of a snapshot are read before its happenings are heard, since these take the way through the main thread. The
 * happenings therefore wait until all rows of their time are there.
 */
export class Snapshots {
  readonly #tracks: Tracks
  #waiting: Happened[] = []
  /** By follower. */
  readonly #sending = new Map<NodeId, Sending>()
  /** By follower. */
  readonly #answers = new Map<NodeId, Answers>()
  /** Given a trace that is whole. */
  readonly #ended: (spans: readonly Span[]) => void

  constructor(tracks: Tracks, ended: (spans: readonly Span[]) => void) {
    this.#tracks = tracks
    this.#ended = ended
  }

  happened(event: Happened): void {
    if (isStep(event) || isEnd(event)) this.#waiting.push(event)
  }

  chunkAnswered(nodeId: NodeId, peer: NodeId, direction: 'sent' | 'received', atMs: number): void {
    const follower = direction === 'sent' ? nodeId : peer
    const answers = this.#answers.get(follower) ?? { sent: [], received: [] }
    this.#answers.set(follower, answers)
    answers[direction].push(atMs)
  }

  /** Makes the traces of snapshots that came to an end until then. All rows until then have been read. */
  look(dueMs: number): void {
    const due = this.#waiting.filter(({ atMs }) => atMs <= dueMs)
    this.#waiting = this.#waiting.filter(({ atMs }) => atMs > dueMs)
    // Happenings of different nodes are told in any order.
    for (const event of due.sort((a, b) => a.atMs - b.atMs)) {
      this.#endInstalled(event.atMs)
      this.#take(event)
    }
    this.#endInstalled(dueMs)
  }

  /** Answers from before that time are needed no more, but for those of snapshots that are on their way. */
  forgetBefore(ms: number): void {
    for (const [to, answers] of this.#answers) {
      const fromMs = Math.min(ms, this.#sending.get(to)?.sinceMs ?? ms)
      answers.sent = withLastBefore(answers.sent, fromMs, ms)
      answers.received = withLastBefore(answers.received, fromMs, ms)
      if (answers.sent.length + answers.received.length === 0) this.#answers.delete(to)
    }
  }

  /** Ends what is not whole. */
  close(nowMs: number): void {
    for (const to of [...this.#sending.keys()]) this.#giveUp(to, nowMs, 'the tracing ended')
  }

  #take(event: Happened): void {
    const { nodeId, atMs } = event
    if (event.type === 'snapshotSending') {
      const { to, index } = event
      this.#giveUp(to, atMs, 'another snapshot was sent')
      this.#sending.set(to, { from: nodeId, to, index, sinceMs: atMs, installingMs: undefined })
    } else if (event.type === 'snapshotInstalling') {
      const sending = this.#sending.get(nodeId)
      if (sending !== undefined) sending.installingMs = atMs
    } else {
      for (const { from, to } of [...this.#sending.values()])
        if (from === nodeId) this.#giveUp(to, atMs, `node ${from} ended, or leads no more`)
    }
  }

  /** A follower that acknowledges what comes after the snapshot has installed it. */
  #endInstalled(untilMs: number): void {
    for (const sending of [...this.#sending.values()]) {
      const { from, to, index, sinceMs } = sending
      const atMs = this.#tracks.reaching(from, 'acknowledged', to, index, sinceMs)
      if (atMs === undefined || atMs > untilMs) continue
      const heardMs = lastBetween(this.#answers.get(to)?.received, sinceMs, atMs)
      this.#end(sending, heardMs ?? atMs)
    }
  }

  #giveUp(to: NodeId, atMs: number, why: string): void {
    const sending = this.#sending.get(to)
    if (sending !== undefined) this.#end(sending, atMs, why)
  }

  #end(sending: Sending, endMs: number, error?: string): void {
    const { from, to, index, sinceMs, installingMs } = sending
    this.#sending.delete(to)
    const trace = new Trace()
    const attributes = { 'raftbox.index': index, 'raftbox.node': from, 'raftbox.peer': to }
    const root = trace.add({
      ...{ service: serviceOf(from), name: 'snapshot', startMs: sinceMs, endMs, attributes, error },
    })
    const sent = trace.add({
      ...({ service: serviceOf(from), name: 'sending', kind: 'client', parent: within(root) } as const),
      ...{ startMs: sinceMs, endMs, attributes, error },
    })
    if (installingMs !== undefined) {
      const answeredMs = lastBetween(this.#answers.get(to)?.sent, sinceMs, endMs)
      trace.add({
        ...({ service: serviceOf(to), name: 'installing', kind: 'server', parent: within(sent) } as const),
        ...{ startMs: installingMs, endMs: answeredMs ?? endMs, after: [sent], error },
        attributes: { 'raftbox.index': index, 'raftbox.node': to },
      })
    }
    this.#ended(trace.spans)
  }
}

function isStep({ type }: Happened): boolean {
  return type === 'snapshotSending' || type === 'snapshotInstalling'
}

/** True for a happening at a leader with which all of its sendings end. */
function isEnd({ type }: Happened): boolean {
  return type === 'killed' || type === 'failed' || type === 'role'
}

function lastBetween(
  times: readonly number[] | undefined,
  fromMs: number,
  untilMs: number,
): number | undefined {
  return times?.findLast((ms) => ms >= fromMs && ms <= untilMs)
}

/** Of the times before `ms`, at most the last one stays, where it is not before `fromMs`. */
function withLastBefore(times: readonly number[], fromMs: number, ms: number): number[] {
  const last = lastBetween(times, fromMs, ms)
  const later = times.filter((each) => each > ms)
  return last === undefined ? later : [last, ...later]
}
