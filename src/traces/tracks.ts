/** How far each node came in each stage, and when. A cluster may tell 100,000 rows a second, so arrays of numbers hold them. */
import { countOfLeading, type LogIndex, type NodeId, type Term } from '../raft/index.js'
import type { Stage } from '../telemetry/index.js'

/** Rows are forgotten in large steps, so that a row costs little. */
const forgetRowsMin = 4096

/** The rows of one stage of one node. A stage that has peers has a track for each peer. */
class Track {
  #indexes: number[] = []
  #terms: number[] = []
  #times: number[] = []

  add(index: LogIndex, term: Term, atMs: number): void {
    this.#indexes.push(index)
    this.#terms.push(term)
    this.#times.push(atMs)
  }

  /**
   * The moment at which the node came past the index, from a time on. Where an entry was replaced by another one, there
   * are several: the last one up to `untilMs` counts, or the first one after it.
   */
  passing(index: LogIndex, fromMs: number, untilMs: number): number | undefined {
    let found: number | undefined
    for (let at = this.#firstFrom(fromMs); at < this.#times.length; at++) {
      const atMs = this.#times[at] ?? 0
      if (atMs > untilMs && found !== undefined) break
      if ((this.#indexes[at] ?? 0) < index) continue
      // A row of another term may be of a log that was cut back since.
      const isFromBelow =
        at === 0 || (this.#indexes[at - 1] ?? 0) < index || this.#terms[at - 1] !== this.#terms[at]
      if (isFromBelow) found = atMs
    }
    return found
  }

  /** The term of the row of that moment. */
  termAt(atMs: number): Term | undefined {
    return this.#terms[this.#firstFrom(atMs)]
  }

  /** The moment of the first row, from a time on, that is at the index or past it. */
  reaching(index: LogIndex, fromMs: number): number | undefined {
    for (let at = this.#firstFrom(fromMs); at < this.#times.length; at++)
      if ((this.#indexes[at] ?? 0) >= index) return this.#times[at]
    return undefined
  }

  /** The place of the first row that is not older. */
  #firstFrom(fromMs: number): number {
    return countOfLeading(this.#times.length, (place) => (this.#times[place] ?? 0) < fromMs)
  }

  forgetBefore(ms: number): void {
    // The last row before stays: it tells from where the next one came.
    const rows = this.#firstFrom(ms) - 1
    if (rows < forgetRowsMin) return
    this.#indexes = this.#indexes.slice(rows)
    this.#terms = this.#terms.slice(rows)
    this.#times = this.#times.slice(rows)
  }
}

/** The tracks of one node. */
class NodeTracks {
  /** By stage and peer. */
  readonly tracks = new Map<Stage, Map<NodeId, Track>>()
  lastMs = 0
  /** Rows between these times were lost. */
  readonly gaps: { readonly fromMs: number; untilMs: number }[] = []

  track(stage: Stage, peer: NodeId): Track {
    const byPeer = this.tracks.get(stage) ?? new Map<NodeId, Track>()
    const track = byPeer.get(peer) ?? new Track()
    if (!byPeer.has(peer)) this.tracks.set(stage, byPeer.set(peer, track))
    return track
  }
}

const gapsMax = 64

export class Tracks {
  readonly #nodes = new Map<NodeId, NodeTracks>()
  /** Rows from before may be forgotten. */
  #sinceMs = 0

  get nodeIds(): readonly NodeId[] {
    return [...this.#nodes.keys()]
  }

  passed(nodeId: NodeId, stage: Stage, peer: NodeId, index: LogIndex, term: Term, atMs: number): void {
    const node = this.#node(nodeId)
    node.track(stage, peer).add(index, term, atMs)
    const gap = node.gaps.at(-1)
    if (gap?.untilMs === Number.POSITIVE_INFINITY) gap.untilMs = atMs
    node.lastMs = atMs
  }

  lost(nodeId: NodeId): void {
    const node = this.#node(nodeId)
    node.gaps.push({ fromMs: node.lastMs, untilMs: Number.POSITIVE_INFINITY })
    if (node.gaps.length > gapsMax) node.gaps.shift()
  }

  forget(nodeId: NodeId): void {
    this.#nodes.delete(nodeId)
  }

  forgetBefore(ms: number): void {
    this.#sinceMs = ms
    for (const { tracks } of this.#nodes.values())
      for (const byPeer of tracks.values()) for (const track of byPeer.values()) track.forgetBefore(ms)
  }

  /** Whether rows of the node in that time may be lost. */
  isPatchy(nodeId: NodeId, fromMs: number, untilMs: number): boolean {
    if (fromMs < this.#sinceMs) return true
    return this.#node(nodeId).gaps.some((gap) => gap.fromMs <= untilMs && gap.untilMs >= fromMs)
  }

  /** See `Track`. `peer` is 0 where the stage has none. */
  passing(
    nodeId: NodeId,
    stage: Stage,
    peer: NodeId,
    index: LogIndex,
    fromMs: number,
    untilMs: number,
  ): number | undefined {
    return this.#nodes.get(nodeId)?.tracks.get(stage)?.get(peer)?.passing(index, fromMs, untilMs)
  }

  /** See `Track`. */
  reaching(nodeId: NodeId, stage: Stage, peer: NodeId, index: LogIndex, fromMs: number): number | undefined {
    return this.#nodes.get(nodeId)?.tracks.get(stage)?.get(peer)?.reaching(index, fromMs)
  }

  /** See `Track`. Of a stage that has no peers. */
  termAt(nodeId: NodeId, stage: Stage, atMs: number): Term | undefined {
    return this.#nodes.get(nodeId)?.tracks.get(stage)?.get(0)?.termAt(atMs)
  }

  #node(nodeId: NodeId): NodeTracks {
    const node = this.#nodes.get(nodeId) ?? new NodeTracks()
    if (!this.#nodes.has(nodeId)) this.#nodes.set(nodeId, node)
    return node
  }
}
