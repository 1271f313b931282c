/**
 * The peer URLs of members. Nodes of raftbox do not dial each other, so that a peer URL is a name only: the one that a
 * client has given with MemberAdd or MemberUpdate, or one that is made up. A file in the cluster's directory remembers those
 * of clients.
 */
import type { NodeId } from '../raft/index.js'
import { readRemembered, writeRemembered } from './remembered.js'

const fileName = 'peer-urls.json'
/** Node 1 has the next port: a number that is easily told from those of clients. */
const portsFrom = 12_380

export class PeerUrls {
  readonly #dir: string
  readonly #given: Map<NodeId, readonly string[]>

  constructor(dir: string) {
    this.#dir = dir
    this.#given = new Map(read(dir))
  }

  of(nodeId: NodeId): readonly string[] {
    return this.#given.get(nodeId) ?? [`http://127.0.0.1:${portsFrom + nodeId}`]
  }

  give(nodeId: NodeId, urls: readonly string[]): void {
    this.#given.set(nodeId, urls)
    this.#write()
  }

  forget(nodeId: NodeId): void {
    if (this.#given.delete(nodeId)) this.#write()
  }

  #write(): void {
    writeRemembered(this.#dir, fileName, Object.fromEntries(this.#given))
  }
}

/** The URLs are names that are easily given again: a file that is damaged is as good as none. */
function read(dir: string): [NodeId, string[]][] {
  const remembered = readRemembered(dir, fileName)
  if (typeof remembered !== 'object' || remembered === null) return []
  const isText = (url: unknown): url is string => typeof url === 'string'
  return Object.entries(remembered).flatMap(([nodeId, urls]) =>
    Array.isArray(urls) ? [[Number(nodeId), urls.filter(isText)]] : [],
  )
}
