/** The description of a cluster in its directory, and what is remembered of each member: read, checked and made. */
import { randomUUID } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { MachineId, MachineKind } from '../backup/index.js'
import { RaftError } from '../errors/index.js'
import { mvccName } from '../mvcc/index.js'
import type { NodeId } from '../raft/index.js'
import { newPledge, type Pledge, readPledges, writePledges, writeWhole } from '../storage/index.js'
import { describingFile, pledgesFile } from './directory-files.js'
import { incompatible, readIfThere } from './folders.js'
import { isCutOff } from './replaced-directory.js'

/** Raised when what is on disk changes its form. */
const formatVersion = 3
/** The format whose members never change. */
const formatOfFixedMembers = 2
/** The format without pledges. A directory of it is brought up to date when it is opened. */
const formatWithoutPledges = 1
export const nodesDefault = 3

/** The machine as a directory remembers it. A directory that was made by an earlier version tells none. */
export interface MachineKnown {
  readonly machine?: MachineKind | undefined
  readonly machineName?: string | undefined
}

export interface Description extends MachineKnown {
  readonly nodes: number
}

/** The description that a caller expects. `nodes` is `undefined` where any number will do. */
export interface Asked extends MachineId {
  readonly nodes: number | undefined
  /** The machine is that of etcd's API. */
  readonly isEtcd?: boolean
}

interface DescriptionOnDisk extends Description {
  readonly raftbox: number
}

/** Makes what is not there yet, and returns what describes the directory. */
export function broughtUpToDate(
  path: string,
  known: DescriptionOnDisk | undefined,
  asked: Asked,
): Description {
  const pledges = join(path, pledgesFile)
  if (
    known !== undefined &&
    isUnused(path, known) &&
    asked.nodes !== undefined &&
    asked.nodes !== known.nodes
  ) {
    // A first start that was refused, or nodes without disks, left it. Without it the directory is made anew.
    rmSync(join(path, describingFile))
    return broughtUpToDate(path, undefined, asked)
  }
  const nodes = known?.nodes ?? asked.nodes ?? nodesDefault
  if (known !== undefined && known.raftbox >= formatOfFixedMembers) {
    checkPledges(path, nodes)
    // Before a node has begun, the directory holds nothing that only one machine understands.
    const machine = hasBegun(pledges) ? known : asked
    const description = { ...known, machine: machine.machine, machineName: machine.machineName }
    if (known.raftbox < formatVersion || machine === asked) describe(path, description)
    return description
  }
  if (known === undefined && hasBegun(pledges)) {
    const remedy = isCutOff(path)
      ? 'its recovery was cut off, so begin it again'
      : 'put that file back, or use another directory'
    throw incompatible(path, `holds nodes and no ${describingFile}: ${remedy}`)
  }
  const isOldAndUsed =
    known !== undefined &&
    firstIds(nodes).some((nodeId) => existsSync(join(path, `node-${nodeId}`, 'data.mdb')))
  // First the members: the description says that all of the directory is there.
  writePledges(pledges, isOldAndUsed ? unnamedPledges(nodes) : newPledges(nodes))
  const description = known ?? { ...asked, nodes }
  describe(path, description)
  return description
}

export function describe(path: string, { nodes, machine, machineName }: Description): void {
  const description: DescriptionOnDisk = { raftbox: formatVersion, nodes, machine, machineName }
  writeWhole(path, describingFile, Buffer.from(`${JSON.stringify(description)}\n`))
}

export function firstIds(nodes: number): NodeId[] {
  return Array.from({ length: nodes }, (_, at) => at + 1)
}

export function membersIn(pledges: readonly Pledge[]): NodeId[] {
  return pledges.flatMap(({ nodeId, isRemoved }) => (isRemoved ? [] : nodeId))
}

/** Logs can be read although the memory of the members is damaged. */
export function readablePledges(path: string): Pledge[] | undefined {
  try {
    return readPledges(join(path, pledgesFile))
  } catch {
    return undefined
  }
}

export function newPledges(nodes: number): Pledge[] {
  return firstIds(nodes).map((nodeId) => newPledge(nodeId, randomUUID()))
}

/** Pledges of members whose disks carry no identity, for a directory of the earlier format. */
function unnamedPledges(nodes: number): Pledge[] {
  return firstIds(nodes).map((nodeId) => ({ ...newPledge(nodeId, undefined), hasBegun: true }))
}

/** True while no node has begun with its disk, so that nothing depends on what describes the directory. */
function isUnused(path: string, { raftbox }: DescriptionOnDisk): boolean {
  return raftbox >= formatOfFixedMembers && !hasBegun(join(path, pledgesFile))
}

/** True once a node of a directory has begun with its disk. */
export function hasBegun(pledges: string): boolean {
  return existsSync(pledges) && readPledges(pledges).some((pledge) => pledge.hasBegun)
}

export function checkPledges(path: string, nodes: number): void {
  const file = join(path, pledgesFile)
  const remedy = `a directory is copied as a whole, so put ${pledgesFile} back from where it was copied, or use another directory`
  if (!existsSync(file)) throw incompatible(path, `does not remember its nodes: ${remedy}`)
  const { length } = readPledges(file)
  if (length < nodes) throw incompatible(path, `remembers ${length} nodes, and has ${nodes}: ${remedy}`)
}

export function readDescription(
  path: string,
  { nodes, machine, isEtcd }: Partial<Asked>,
): DescriptionOnDisk | undefined {
  const text = readIfThere(join(path, describingFile))
  // Versions that wrote it in place could leave it empty when the disk was full.
  if (text === undefined || text === '') return undefined
  const description = parse<DescriptionOnDisk>(text)
  const isKnown =
    description !== undefined &&
    [formatVersion, formatOfFixedMembers, formatWithoutPledges].includes(description.raftbox)
  if (!isKnown || !Number.isInteger(description.nodes)) {
    const found = description?.raftbox === undefined ? 'something else' : `format ${description.raftbox}`
    const remedy = 'use the version that wrote it, or another directory'
    throw incompatible(path, `holds ${found}, and this version reads format ${formatVersion}: ${remedy}`)
  }
  if (nodes !== undefined && nodes !== description.nodes && !isUnused(path, description))
    checkMembers(path, description, nodes)
  if (machine !== undefined && hasBegun(join(path, pledgesFile)))
    checkMachine(path, description, machine, isEtcd)
  return description
}

/** Throws when a directory is for the machine of the other kind. */
export function checkMachine(path: string, known: MachineKnown, machine: MachineKind, isEtcd = false): void {
  if (known.machine === undefined || known.machine === machine) return
  const ofOwn =
    known.machineName === mvccName
      ? `that of etcd's API, for which ${path} was made (startEtcd and raftbox sandbox bring it)`
      : `the module of the machine for which ${path} was made`
  if (machine === 'kv')
    throw new RaftError('INVALID_OPTION', {
      option: 'machine',
      expected: ofOwn,
      actual: 'the key-value store',
    })
  const [actual, other] = isEtcd
    ? ["etcd's store", "choose another directory for etcd's API"]
    : ['a machine of your own', 'choose another directory, or leave the machine out']
  const because = `${path} holds a key-value store; ${other}`
  const expected = 'the key-value store'
  throw new RaftError('INVALID_OPTION', { option: 'machine', expected, actual, because })
}

/** A directory whose members have changed is opened by its first number of nodes, or by the present one. */
function checkMembers(path: string, description: Description, nodes: number): void {
  const pledges = join(path, pledgesFile)
  const members = existsSync(pledges) ? membersIn(readPledges(pledges)) : firstIds(description.nodes)
  if (nodes === members.length) return
  const isAsMade = members.length === description.nodes && members.at(-1) === description.nodes
  const asMade = `${description.nodes}, as ${path} was made with`
  const expected = isAsMade ? asMade : `${asMade}, or left out: its members are ${members.join(', ')}`
  throw new RaftError('INVALID_OPTION', { option: 'nodes', expected, actual: nodes })
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
