/** The ports of the nodes, and the number of the cluster: remembered in a file of the cluster's directory. */
import { portMax } from '../errors/index.js'
import type { NodeId } from '../raft/index.js'
import { readRemembered, writeRemembered } from './remembered.js'

/** Remembers the ports in the directory of a cluster. */
const fileName = 'etcd.json'

/** A node that is added has one of so many ports behind those of the others. */
const triesMax = 100

interface OnDisk {
  readonly clusterId: string
  /** The port that was asked for; 0: any free ones. */
  readonly base: number
  readonly ports: Readonly<Record<NodeId, number>>
}

export class Ports {
  readonly clusterId: bigint
  readonly #dir: string
  readonly #base: number
  readonly #ports = new Map<NodeId, number>()
  /** Whether the file has all that is remembered. */
  #isWritten = false

  /** `base` is the port of the first node. 0 is any free one for each, and `undefined` what the directory remembers. */
  constructor(dir: string, base: number | undefined) {
    this.#dir = dir
    const known = readPorts(dir)
    this.#base = base ?? known?.base ?? 0
    this.clusterId = BigInt(known?.clusterId ?? crypto.getRandomValues(new BigUint64Array(1))[0] ?? 1)
    if (known === undefined || base === 0 || known.base !== this.#base) return
    for (const [nodeId, port] of Object.entries(known.ports)) this.#ports.set(Number(nodeId), port)
  }

  /** The port of one of the nodes that the server begins with. */
  reserve(nodeId: NodeId): number {
    const [port = 0] = this.of(nodeId)
    if (port > 0) this.#ports.set(nodeId, port)
    return port
  }

  /** The ports that a node may have, in the order in which they are tried. */
  of(nodeId: NodeId): readonly number[] {
    const known = this.#ports.get(nodeId)
    if (known !== undefined) return [known]
    if (this.#base === 0) return [0]
    const next = Math.max(this.#base - 1, ...this.#ports.values()) + 1
    return Array.from({ length: Math.max(1, Math.min(triesMax, portMax - next + 1)) }, (_, at) => next + at)
  }

  keep(nodeId: NodeId, port: number): void {
    if (this.#ports.get(nodeId) === port) return
    this.#ports.set(nodeId, port)
    this.#isWritten = false
  }

  forget(nodeId: NodeId): void {
    if (this.#ports.delete(nodeId)) this.#isWritten = false
  }

  /** To be called once ports have changed: a write waits for the disk. */
  write(): void {
    if (this.#isWritten) return
    const known: OnDisk = {
      clusterId: String(this.clusterId),
      base: this.#base,
      ports: Object.fromEntries(this.#ports),
    }
    this.#isWritten = true
    writeRemembered(this.#dir, fileName, known)
  }
}

/** `undefined`: the directory is not that of a cluster that has spoken etcd's API, or its file is damaged. */
function readPorts(dir: string): OnDisk | undefined {
  const known = readRemembered(dir, fileName) as OnDisk | undefined
  if (typeof known?.clusterId !== 'string' || typeof known.ports !== 'object') return undefined
  const ports = Object.values(known.ports ?? {})
  const isWhole = /^\d{1,20}$/.test(known.clusterId) && [known.base, ...ports].every(isPort)
  return isWhole ? known : undefined
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) >= 0 && Number(port) <= portMax
}
