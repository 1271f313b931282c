/** The description of a cluster in its directory, and what is remembered of each member: read, checked and made. */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { RaftError } from '../errors/index.js'
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

export interface Description {
  readonly raftbox: number
  readonly nodes: number
}

/** Makes what is not there yet, and returns how many nodes there are. */
export function broughtUpToDate(
  path: string,
  known: Description | undefined,
  asked: number | undefined,
): number {
  const pledges = join(path, pledgesFile)
  const nodes = known?.nodes ?? asked ?? nodesDefault
  if (known !== undefined && known.raftbox >= formatOfFixedMembers) {
    checkPledges(path, nodes)
    if (known.raftbox < formatVersion) describe(path, nodes)
    return nodes
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
  describe(path, nodes)
  return nodes
}

export function describe(path: string, nodes: number): void {
  writeWhole(path, describingFile, Buffer.from(`${JSON.stringify({ raftbox: formatVersion, nodes })}\n`))
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

function hasBegun(pledges: string): boolean {
  return existsSync(pledges) && readPledges(pledges).some((pledge) => pledge.hasBegun)
}

export function checkPledges(path: string, nodes: number): void {
  const file = join(path, pledgesFile)
  const remedy = `a directory is copied as a whole, so put ${pledgesFile} back from where it was copied, or use another directory`
  if (!existsSync(file)) throw incompatible(path, `does not remember its nodes: ${remedy}`)
  const { length } = readPledges(file)
  if (length < nodes) throw incompatible(path, `remembers ${length} nodes, and has ${nodes}: ${remedy}`)
}

export function readDescription(path: string, nodes: number | undefined): Description | undefined {
  const text = readIfThere(join(path, describingFile))
  // Versions that wrote it in place could leave it empty when the disk was full.
  if (text === undefined || text === '') return undefined
  const description = parse<Description>(text)
  const isKnown =
    description !== undefined &&
    [formatVersion, formatOfFixedMembers, formatWithoutPledges].includes(description.raftbox)
  if (!isKnown || !Number.isInteger(description.nodes)) {
    const found = description?.raftbox === undefined ? 'something else' : `format ${description.raftbox}`
    const remedy = 'use the version that wrote it, or another directory'
    throw incompatible(path, `holds ${found}, and this version reads format ${formatVersion}: ${remedy}`)
  }
  if (nodes !== undefined && nodes !== description.nodes) checkMembers(path, description, nodes)
  return description
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
