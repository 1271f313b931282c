/** The trace of a snapshot on its way: sent by a leader, piece by piece, and installed by a follower. */
import type { LogIndex, NodeId } from '../raft/index.js'
import type { Happened, Stage } from '../telemetry/index.js'
import { type Span, serviceOf, Trace, within } from './span.js'

/** On its way from a leader to a follower. Times in milliseconds since 1970. */
interface Sending {
  readonly from: NodeId
  readonly to: NodeId
  readonly index: LogIndex
  readonly sinceMs: number
  installingMs: number | undefined
  /** The last answers to pieces of it, as they left the follower and came to the leader. */
  answeredMs: number | undefined
  heardMs: number | undefined
}

export class Snapshots {
  /** By follower. */
  readonly #sending = new Map<NodeId, Sending>()
  /** Given a trace that is whole. */
  readonly #ended: (spans: readonly Span[]) => void

  constructor(ended: (spans: readonly Span[]) => void) {
    this.#ended = ended
  }

  happened(event: Happened): void {
    const { nodeId, atMs: sinceMs } = event
    if (event.type === 'snapshotSending') {
      const { to, index } = event
      this.#giveUp(to, 'another snapshot was sent')
      const sending = { from: nodeId, to, index, sinceMs, installingMs: undefined }
      this.#sending.set(to, { ...sending, answeredMs: undefined, heardMs: undefined })
    } else if (event.type === 'snapshotInstalling') {
      const sending = this.#sending.get(nodeId)
      if (sending !== undefined) sending.installingMs = sinceMs
    } else if (event.type === 'killed' || event.type === 'failed' || event.type === 'role') {
      for (const { from, to } of [...this.#sending.values()])
        if (from === nodeId) this.#giveUp(to, `node ${from} ended, or leads no more`)
    }
  }

  chunkAnswered(nodeId: NodeId, peer: NodeId, direction: 'sent' | 'received', atMs: number): void {
    const sending = this.#sending.get(direction === 'sent' ? nodeId : peer)
    if (sending === undefined || atMs < sending.sinceMs) return
    if (direction === 'sent') sending.answeredMs = atMs
    else sending.heardMs = atMs
  }

  /** A follower that acknowledges what comes after the snapshot has installed it. */
  passed(nodeId: NodeId, stage: Stage, peer: NodeId, index: LogIndex, atMs: number): void {
    if (stage !== 'acknowledged') return
    const sending = this.#sending.get(peer)
    if (sending?.from !== nodeId || index < sending.index || atMs < sending.sinceMs) return
    this.#end(sending, sending.heardMs ?? atMs)
  }

  /** Ends what is not whole. */
  close(): void {
    for (const to of [...this.#sending.keys()]) this.#giveUp(to, 'the tracing ended')
  }

  #giveUp(to: NodeId, why: string): void {
    const sending = this.#sending.get(to)
    if (sending !== undefined) this.#end(sending, sending.heardMs ?? sending.sinceMs, why)
  }

  #end(sending: Sending, endMs: number, error?: string): void {
    const { from, to, index, sinceMs, installingMs, answeredMs } = sending
    this.#sending.delete(to)
    const trace = new Trace()
    const attributes = { 'raftbox.index': index, 'raftbox.node': from, 'raftbox.peer': to }
    const root = trace.add({
      ...{ service: serviceOf(from), name: 'snapshot', startMs: sinceMs, endMs, attributes, error },
    })
    const installedMs = answeredMs ?? endMs
    const sent = trace.add({
      ...({ service: serviceOf(from), name: 'sending', kind: 'client', parent: within(root) } as const),
      ...{ startMs: sinceMs, endMs: Math.max(endMs, sinceMs), attributes, error },
    })
    if (installingMs !== undefined)
      trace.add({
        ...({ service: serviceOf(to), name: 'installing', kind: 'server', parent: within(sent) } as const),
        ...{ startMs: installingMs, endMs: installedMs, after: [sent], error },
        attributes: { 'raftbox.index': index, 'raftbox.node': to },
      })
    this.#ended(trace.spans)
  }
}
