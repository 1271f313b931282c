/** Runs a recording again, line by line: each life of a node in a protocol of its own. */
import {
  assert,
  type Input,
  isInvariantViolation,
  type LogIndex,
  type NodeId,
  Raft,
  type RaftOptions,
  type Role,
  type Term,
} from '../raft/index.js'
import { BadLine, parseLine, version } from './line.js'
import { hashOf } from './state-hash.js'

/** A life of a node, as far as it was repeated. */
export interface Life {
  readonly node: NodeId
  /** Counted from 1. */
  readonly number: number
  /** How many inputs it took. */
  readonly inputs: number
  readonly role: Role
  readonly currentTerm: Term
  readonly commitIndex: LogIndex
  readonly lastIndex: LogIndex
  /** The hash of the state at the end. */
  readonly hash: string
  /** The hash that was recorded; `undefined`: the recording does not tell the life's end. */
  readonly recordedHash: string | undefined
  /** The invariant that did not hold, and the line that told the input. The life ended there. */
  readonly violation: { readonly line: number; readonly invariant: string } | undefined
}

interface Living {
  readonly node: NodeId
  readonly number: number
  readonly raft: Raft
  inputs: number
  recordedHash: string | undefined
  violation: Life['violation']
}

/** Of every kind, so that the compiler asks for a new one. */
const inputTypes: Readonly<Record<Input['type'], true>> = {
  tick: true,
  message: true,
  propose: true,
  read: true,
  flushed: true,
  applied: true,
  compacted: true,
  snapshotMissing: true,
  campaign: true,
  timeoutNow: true,
  setElectionTimeout: true,
  changeMembership: true,
  transfer: true,
  endTurn: true,
}

export class Replay {
  readonly #ended: Life[] = []
  readonly #living = new Map<NodeId, Living>()
  #hasHead = false
  #stops: string | undefined

  /** Takes the next line. Throws a `BadLine` when a recording has no such line there. */
  take(line: number, text: string): void {
    const fields = parseLine(text)
    if (!this.#hasHead) return this.#head(fields)
    if (this.#stops !== undefined) throw new BadLine('it follows the end of the recording')
    if ('stops' in fields) {
      this.#stops = String(fields['stops'])
      return
    }
    const { node } = fields
    if (typeof node !== 'number' || !Number.isSafeInteger(node) || node < 1) {
      throw new BadLine('it names no node')
    }
    if ('begins' in fields) this.#begin(node, fields['begins'])
    else if ('told' in fields) this.#tell(node, fields['told'], line)
    else if ('ends' in fields) this.#end(node, fields['ends'])
    else throw new BadLine('it tells neither a beginning, nor an input, nor an end')
  }

  get hasHead(): boolean {
    return this.#hasHead
  }

  /** Why the recording ended before the lives did; `undefined`: it did not. */
  get stops(): string | undefined {
    return this.#stops
  }

  /** All lives in the order of their ends, and those that have none last. */
  get lives(): readonly Life[] {
    return [...this.#ended, ...[...this.#living.values()].map(lifeOf)]
  }

  #head(fields: Partial<Record<string, unknown>>): void {
    if (fields['recording'] !== 'raftbox') throw new BadLine('it is not the head of a recording of raftbox')
    if (fields['version'] !== version) {
      throw new BadLine(`the recording is of version ${fields['version']}, and this raftbox reads ${version}`)
    }
    this.#hasHead = true
  }

  #begin(node: NodeId, options: unknown): void {
    const raft = attempt('it does not tell how a node begins', () => {
      const begun = new Raft(options as RaftOptions)
      assert(begun.state.membership.voters.length > 0, 'a cluster has voters')
      return begun
    })
    if (raft.state.id !== node)
      throw new BadLine(`it tells the beginning of node ${raft.state.id} as ${node}`)
    const before = this.#living.get(node)
    if (before !== undefined) this.#ended.push(lifeOf(before))
    const number = 1 + this.#ended.filter((life) => life.node === node).length
    this.#living.set(node, {
      node,
      number,
      raft,
      inputs: 0,
      recordedHash: undefined,
      violation: undefined,
    })
  }

  #tell(node: NodeId, told: unknown, line: number): void {
    const living = this.#livingOf(node)
    const { type } = (told ?? {}) as Partial<Input>
    if (type === undefined || !Object.hasOwn(inputTypes, type)) {
      throw new BadLine(`it tells an input of the unknown type ${JSON.stringify(type)}`)
    }
    if (living.violation !== undefined) return
    living.inputs++
    attempt(`it does not tell a ${type}`, () => {
      try {
        living.raft.step(told as Input)
      } catch (error) {
        if (!isInvariantViolation(error)) throw error
        living.violation = { line, invariant: error.message }
      }
    })
  }

  #end(node: NodeId, hash: unknown): void {
    const living = this.#livingOf(node)
    if (typeof hash !== 'string') throw new BadLine('it tells an end without its hash')
    living.recordedHash = hash
    this.#ended.push(lifeOf(living))
    this.#living.delete(node)
  }

  #livingOf(node: NodeId): Living {
    const living = this.#living.get(node)
    if (living === undefined) throw new BadLine(`node ${node} has not begun`)
    return living
  }
}

function lifeOf({ raft, ...living }: Living): Life {
  const { role, currentTerm, log } = raft.state
  const { commitIndex, lastIndex } = log
  return { ...living, role, currentTerm, commitIndex, lastIndex, hash: hashOf(raft) }
}

/** Input of another shape makes the protocol throw errors of many kinds: each is told as a bad line. */
function attempt<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new BadLine(`${what} (${error instanceof Error ? error.message : error})`, { cause: error })
  }
}
