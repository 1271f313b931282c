/**
 * A cluster's directory: one holder at a time, one format, and what is remembered of each member. A refusal has changed
 * nothing that was there.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { RaftError } from '../errors/index.js'
import type { Membership, NodeId } from '../raft/index.js'
import {
  addPledge,
  type FileLock,
  lockOf,
  newPledge,
  type Pledge,
  PledgeSlot,
  readPledges,
  renewedPledge,
  writePledges,
} from '../storage/index.js'
import {
  type Asked,
  broughtUpToDate,
  checkPledges,
  type Description,
  describe,
  firstIds,
  hasBegun,
  type MachineKnown,
  membersIn,
  newPledges,
  nodesDefault,
  readablePledges,
  readDescription,
} from './description.js'
import { pledgesFile } from './directory-files.js'
import { incompatible, makeFolder, putAside, usable } from './folders.js'
import { checkVotersLeft, lostDisksError } from './lost-disks.js'
import { pathOf } from './paths.js'

export class ClusterDirectory {
  readonly path: string
  /** `undefined` for a temporary folder, which nobody else knows. */
  readonly #lock: FileLock | undefined
  /** False for nodes without disks: they begin with the first configuration each time, so nothing else is remembered. */
  readonly #isRemembered: boolean
  #description: Description
  #members: readonly NodeId[]
  #lastId: NodeId

  /** `pledges`: what is remembered. `undefined`: nothing, so that the nodes are those of the first configuration. */
  private constructor(
    path: string,
    description: Description,
    pledges: readonly Pledge[] | undefined,
    lock: FileLock | undefined,
  ) {
    const { nodes } = description
    this.path = path
    this.#description = description
    this.#lock = lock
    this.#isRemembered = pledges !== undefined
    this.#members = pledges === undefined ? firstIds(nodes) : membersIn(pledges)
    this.#lastId = pledges?.length ?? nodes
  }

  /**
   * Takes the directory for the caller. The machine must be the one that it was made for, and `nodes` agree with what it was
   * made with, or with its members. `isRemembered` is false for nodes without disks.
   */
  static open(dir: string | undefined, asked: Asked, isRemembered = true): ClusterDirectory {
    if (dir === undefined) return openTemporary({ ...asked, nodes: asked.nodes ?? nodesDefault })
    const path = resolve(dir)
    return usable(path, () => {
      // Before the lock leaves a file in a directory that is somebody else's.
      readDescription(path, asked)
      if (!isRemembered) checkNothingKept(path)
      makeFolder(path)
      const lock = lockOf(path)
      try {
        // Read again, for it may have changed until the lock was had.
        const description = broughtUpToDate(path, readDescription(path, asked), asked)
        return new ClusterDirectory(
          path,
          description,
          isRemembered ? readPledges(join(path, pledgesFile)) : undefined,
          lock,
        )
      } catch (error) {
        lock.release()
        throw error
      }
    })
  }

  /** The machine that a directory remembers, read beside its holder, if it has one. `undefined`: there is no cluster. */
  static machineIn(dir: string): MachineKnown | undefined {
    const path = resolve(pathOf('dir', dir))
    return usable(path, () => readDescription(path, {}))
  }

  /** Takes a directory that a cluster was made in, to read it. Makes nothing that is not there, but for the lock. */
  static atRest(dir: string): ClusterDirectory {
    const path = resolve(pathOf('dir', dir))
    return usable(path, () => {
      const description = readDescription(path, {})
      if (description === undefined) throw incompatible(path, 'holds no cluster: name a directory of raftbox')
      return new ClusterDirectory(path, description, readablePledges(path), lockOf(path))
    })
  }

  /**
   * Makes the directory of a cluster that takes the place of another. `former` are all pledges of the other: their nodes
   * count as removed, and the new members have ids that none of them had.
   */
  static successor(path: string, former: readonly Pledge[], description: Description): ClusterDirectory {
    return usable(path, () => {
      const gone = former.map((pledge) => ({ ...pledge, isRemoved: true }))
      const members = Array.from({ length: description.nodes }, (_, at) =>
        newPledge(gone.length + at + 1, randomUUID()),
      )
      writePledges(join(path, pledgesFile), [...gone, ...members])
      describe(path, description)
      return ClusterDirectory.atRest(path)
    })
  }

  /** For a folder of the caller's own. */
  static temporary(path: string, description: Description): ClusterDirectory {
    const pledges = newPledges(description.nodes)
    writePledges(join(path, pledgesFile), pledges)
    return new ClusterDirectory(path, description, pledges, undefined)
  }

  /** The nodes that the cluster was made with: 1 to this number are the voters of its first configuration. */
  get nodes(): number {
    return this.#description.nodes
  }

  /** The machine for which the directory was made, as far as it is remembered. */
  get machine(): MachineKnown {
    const { machine, machineName } = this.#description
    return { machine, machineName }
  }

  /** Remembers the first name that the machine has. */
  keepMachineName(machineName: string | undefined): void {
    if (machineName === undefined || this.#description.machineName !== undefined) return
    this.#description = { ...this.#description, machineName }
    if (this.#lock !== undefined) usable(this.path, () => describe(this.path, this.#description))
  }

  nodePath(nodeId: NodeId): string {
    return join(this.path, `node-${nodeId}`)
  }

  /** Where the members are remembered. */
  get pledgesPath(): string {
    return join(this.path, pledgesFile)
  }

  /** The nodes that the directory has a place for: members, and nodes that are being added or removed. */
  get members(): readonly NodeId[] {
    return this.#members
  }

  /** The pledge of a node, if the file of the pledges can be read. */
  readablePledge(nodeId: NodeId): Pledge | undefined {
    return readablePledges(this.path)?.find((pledge) => pledge.nodeId === nodeId)
  }

  /** The pledge of each member, as it is remembered. Throws when the file is damaged. */
  pledges(): Pledge[] {
    return this.allPledges().filter(({ isRemoved }) => isRemoved !== true)
  }

  /** The same, and what is remembered of nodes that were removed. */
  allPledges(): Pledge[] {
    return usable(this.path, () => {
      checkPledges(this.path, this.nodes)
      return readPledges(this.pledgesPath)
    })
  }

  /** Gives an id that no node had before, and remembers it. */
  add(): NodeId {
    const nodeId = this.#lastId + 1
    if (this.#isRemembered)
      usable(this.path, () => addPledge(this.pledgesPath, newPledge(nodeId, randomUUID())))
    this.#lastId = nodeId
    this.#members = [...this.#members, nodeId]
    return nodeId
  }

  /** Forgets a node that does not run any more. Its folder goes with it, unless it is kept. */
  remove(nodeId: NodeId, keepsFolder: boolean): void {
    usable(this.path, () => {
      if (this.#isRemembered) this.#change(nodeId, (pledge) => ({ ...pledge, isRemoved: true }))
      this.#members = this.#members.filter((each) => each !== nodeId)
      if (!keepsFolder) rmSync(this.nodePath(nodeId), { recursive: true, force: true })
    })
  }

  /** The refusal of a start for the disks that are lost. `membership`: as for `renew`. */
  lostDisksError(errors: readonly RaftError[], membership?: Membership): RaftError {
    return lostDisksError(errors, { path: this.path, pledges: this.pledges(), membership })
  }

  /**
   * Lets members that lost their disks begin with empty ones; what is left of their folders is put aside. Refused when
   * too few of the other voters may vote: nobody could be elected any more. `membership`: the latest configuration that any
   * other node told; `undefined`: none told any, and each node counts as a voter.
   */
  renew(nodeIds: readonly NodeId[], membership?: Membership): void {
    usable(this.path, () => {
      const pledges = this.pledges()
      const renewed = pledges.filter(({ nodeId }) => nodeIds.includes(nodeId))
      checkVotersLeft(nodeIds, { path: this.path, pledges, membership })
      for (const pledge of renewed) checkIsRemembered(pledge)
      // First what is left is put aside: a crash or an error in between leaves disks that are lost as before.
      for (const { nodeId, identity } of renewed) putAside(this.nodePath(nodeId), identity ?? randomUUID())
      for (const { nodeId } of renewed) this.#change(nodeId, (pledge) => renewedPledge(pledge, randomUUID()))
    })
  }

  /** Lets go of the directory, and removes it when it is a temporary one. */
  release(): void {
    if (this.#lock !== undefined) return this.#lock.release()
    usable(this.path, () => rmSync(this.path, { recursive: true, force: true }))
  }

  #change(nodeId: NodeId, changed: (pledge: Pledge) => Pledge): void {
    const slot = new PledgeSlot(this.pledgesPath, nodeId)
    try {
      slot.keep(changed(slot.pledge), true)
    } finally {
      slot.close()
    }
  }
}

/** Nodes without disks would begin with nothing beside the data that is there. */
function checkNothingKept(path: string): void {
  if (!hasBegun(join(path, pledgesFile))) return
  const expected = `flush, as ${path} holds the data of nodes with disks (use another directory, or none)`
  throw new RaftError('INVALID_OPTION', { option: 'durability', expected, actual: 'none' })
}

function openTemporary(description: Description): ClusterDirectory {
  const parent = tmpdir()
  return usable(
    parent,
    () => {
      const path = mkdtempSync(join(parent, 'raftbox-'))
      try {
        return ClusterDirectory.temporary(path, description)
      } catch (error) {
        rmSync(path, { recursive: true, force: true })
        throw error
      }
    },
    '; set TMPDIR to a folder that can be written, or name a directory',
  )
}

/** In a directory of an earlier version, a node's first start tells in which term it is. */
function checkIsRemembered({ nodeId, identity, hardState }: Pledge): void {
  if (identity !== undefined || hardState.currentTerm > 0) return
  throw new RaftError('INVALID_OPTION', {
    option: 'renew',
    expected:
      'a node whose term is remembered (this directory is of an earlier version: put the folder back)',
    actual: `${nodeId}`,
  })
}
