/** Clusters that lost a majority of their disks for good, made anew from a disk that is left. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Disk, type LostDisk, machineKindOf, type Survey, stateOnDisk } from '../backup/index.js'
import { checkOptions, checkSignal, RaftError } from '../errors/index.js'
import { loadMachine, type SessionMachine } from '../machine/index.js'
import type { EntryId, LogIndex, NodeId, Term } from '../raft/index.js'
import { lockOf, type Pledge } from '../storage/index.js'
import { checkMachine } from './description.js'
import { ClusterDirectory } from './directory.js'
import { namedOf, piecesOf, type StateTold, surveyOf, toldOf } from './export.js'
import { asUnusable, usable } from './folders.js'
import { fill } from './import.js'
import { moduleOf } from './kv-commands.js'
import { pathOf } from './paths.js'
import { isCutOff, putInPlace, replaceFiles } from './replaced-directory.js'

/** A node that held entries which the survivor's disk does not hold. */
export interface HeldMore {
  readonly nodeId: NodeId
  /** The last entry that it held, as its disk says or, for a lost disk, as the directory remembers; term 0 is not known. */
  readonly last: EntryId
  readonly isLost: boolean
}

/** The state that a recovery takes over, and all that it may lose. */
export interface RecoveryPlan {
  readonly dir: string
  /** The survivor. */
  readonly from: NodeId
  /** Up to this entry, the survivor's snapshot proves that entries are committed. */
  readonly committedIndex: LogIndex
  /** The last entry on the survivor's disk. The new cluster begins with all entries up to it, committed or not. */
  readonly last: EntryId
  /** Members that held more. Their further entries are lost, acknowledged or not. */
  readonly heldMore: readonly HeldMore[]
  readonly lost: readonly LostDisk[]
  /** Voting nodes of the cluster, as many as before. */
  readonly nodes: number
}

export interface Recovered extends RecoveryPlan, StateTold {
  /** The folder below the directory that all files of the former cluster were put into. */
  readonly aside: string
  /** The new nodes, with ids that no node of the former cluster had. */
  readonly members: readonly NodeId[]
}

export interface RecoverOptions {
  /** The node whose disk the cluster is made from. */
  readonly from: NodeId
  /** The module of the cluster's state machine. Default: the key-value store, or etcd's where the directory holds that. */
  readonly machine?: URL | string | undefined
}

/** A recovery that is thought through and not carried out yet. It keeps others out of the directory until its `release`. */
export class Recovery {
  readonly plan: RecoveryPlan
  readonly #directory: ClusterDirectory
  readonly #survey: Survey
  readonly #survivor: Disk
  readonly #machine: URL | string | undefined

  /** Changes nothing. Throws a `RaftError` when the disks that are left can elect a leader: nothing is to be given up then. */
  constructor(dir: string, options: RecoverOptions) {
    checkOptions('Recovery', options, ['from', 'machine'])
    const { from, machine } = options
    this.#directory = ClusterDirectory.atRest(dir)
    try {
      this.#machine = moduleOf(this.#directory.machine, machine)
      checkMachine(this.#directory.path, this.#directory.machine, machineKindOf(this.#machine))
      this.#survey = surveyOf(this.#directory)
      this.#survivor = namedOf(this.#survey, 'from', from)
      checkIsNeeded(this.#survey, this.#directory.path)
      this.plan = planOf(this.#directory.path, this.#survey, this.#survivor)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /**
   * Makes the new cluster and puts the former one aside. The new nodes begin with the survivor's state and in a term after
   * all that the former cluster is known to have had, so no vote and no promise of a former node counts among them.
   */
  async carryOut(signal?: AbortSignal): Promise<Recovered> {
    checkSignal(signal)
    const { path } = this.#directory
    const former = this.#directory.allPledges()
    const createMachine = await loadMachine(this.#machine, this.#directory.machine.machineName)
    const machine = machineKindOf(this.#machine)
    const { last, nodes } = this.plan
    const state = this.#survey.read(this.#survivor, (disk) =>
      stateOnDisk(createMachine(), machine, disk, last.index),
    )
    const snapshot = { ...last, size: sizeOf(state) }
    const description = { nodes, machine, machineName: createMachine().name }
    let members: readonly NodeId[] = []
    const make = (unfinished: string): Promise<void> => {
      const successor = ClusterDirectory.successor(unfinished, former, description)
      members = successor.members
      return fill(successor, snapshot, piecesOf(state), this.#termAfter(former), signal)
    }
    try {
      const aside = await replaceFiles(path, make)
      return { ...this.plan, ...toldOf(state), aside, members }
    } catch (error) {
      throw asUnusable(path, error)
    }
  }

  release(): void {
    this.#directory.release()
  }

  #termAfter(former: readonly Pledge[]): Term {
    const terms = former.map(({ hardState }) => hardState.currentTerm)
    return Math.max(this.plan.last.term, ...terms, ...this.#survey.disks.map(({ log }) => log.last.term)) + 1
  }
}

function checkIsNeeded({ proof, lost }: Survey, dir: string): void {
  if (proof === undefined) return
  const renewed = lost.map(({ nodeId }) => nodeId).join(',')
  const how = lost.length === 0 ? 'start it' : `start it, and let node ${renewed} begin anew (renew)`
  const why = `needs no recovery: the disks of a majority are there, so ${how}; nothing is lost then`
  throw new RaftError('DIRECTORY_INCOMPATIBLE', { dir, why })
}

function planOf(dir: string, { members, disks, lost }: Survey, { nodeId: from, log }: Disk): RecoveryPlan {
  const { last } = log
  if (last.index === 0)
    throw new RaftError('INVALID_OPTION', {
      option: 'from',
      expected: 'a node that holds entries',
      actual: from,
    })
  const onDisk = disks.map(({ nodeId, log }) => ({ nodeId, last: log.last, isLost: false }))
  const remembered = members
    .filter(({ pledge }) => lost.some(({ nodeId }) => nodeId === pledge.nodeId))
    .map(({ pledge: { nodeId, held } }) => ({ nodeId, last: held, isLost: true }))
  return {
    dir,
    from,
    committedIndex: log.snapshot?.index ?? 0,
    last,
    heldMore: [...onDisk, ...remembered].filter((other) => holdsMore(other.last, last)),
    lost,
    nodes: log.membership.voters.length,
  }
}

function holdsMore(other: EntryId, own: EntryId): boolean {
  return other.term > own.term || other.index > own.index
}

function sizeOf(state: SessionMachine): number {
  let size = 0
  for (const piece of piecesOf(state)) size += piece.byteLength
  return size
}

/**
 * Goes on with a recovery that was cut off while it put files in their place. Returns the folder of the files that were put
 * aside; `undefined`: there is no such recovery.
 */
export function goOnWithRecovery(dir: string): string | undefined {
  const path = resolve(pathOf('dir', dir))
  return usable(path, () => {
    if (!existsSync(path) || !isCutOff(path)) return undefined
    const lock = lockOf(path)
    try {
      return isCutOff(path) ? putInPlace(path) : undefined
    } finally {
      lock.release()
    }
  })
}
