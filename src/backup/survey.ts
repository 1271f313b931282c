/** The disks of all members of a cluster at rest, and what they prove together. */
import { RaftError, reasonOf } from '../errors/index.js'
import { assert, logOrigin, type NodeId, RaftLog } from '../raft/index.js'
import { type DiskAtRest, type Pledge, readDiskAtRest } from '../storage/index.js'
import { type Disk, type Proof, provenBy } from './proven.js'

/** A member as the cluster's directory knows it. */
export interface MemberAtRest {
  readonly pledge: Pledge
  readonly folder: string
}

/** A member whose disk cannot be used, and the reason. */
export interface LostDisk {
  readonly nodeId: NodeId
  readonly why: string
}

export class Survey {
  readonly members: readonly MemberAtRest[]
  /** The disks that can be read. A member that has not begun counts as one with an empty log. */
  readonly disks: readonly Disk[]
  readonly lost: readonly LostDisk[]
  /** `undefined`: the disks that are left can elect nobody, or contradict each other. */
  readonly proof: Proof | undefined
  /** How the disks contradict each other, if they do. */
  readonly contradiction: string | undefined

  /**
   * Reads all of each disk. A disk that contradicts its pledge counts as lost, since it may lack what its node has
   * acknowledged.
   */
  constructor(members: readonly MemberAtRest[]) {
    const disks: Disk[] = []
    const lost: LostDisk[] = []
    for (const member of members) {
      const { pledge } = member
      try {
        disks.push(readMember(member, (disk) => diskOf(pledge, disk)) ?? emptyDisk(pledge))
      } catch (error) {
        lost.push({ nodeId: pledge.nodeId, why: whyOf(error) })
      }
    }
    this.members = members
    this.disks = disks
    this.lost = lost
    try {
      this.proof = provenBy(disks)
    } catch (error) {
      this.contradiction = reasonOf(error)
    }
  }

  /** Reads a disk of the survey again. */
  read<Found>({ nodeId }: Disk, read: (disk: DiskAtRest) => Found): Found {
    const member = this.members.find(({ pledge }) => pledge.nodeId === nodeId)
    const found = member && readMember(member, read)
    assert(found !== undefined, 'a disk of the survey is read')
    return found
  }
}

function readMember<Found>(
  { pledge, folder }: MemberAtRest,
  read: (disk: DiskAtRest) => Found,
): Found | undefined {
  return readDiskAtRest(folder, pledge.nodeId, pledge, read)
}

function diskOf(
  { nodeId }: Pledge,
  { base, snapshot, entries, membership, votesFromTerm }: DiskAtRest,
): Disk {
  return { nodeId, log: new RaftLog(base, snapshot, entries, membership), votesFromTerm }
}

/** Nobody has voted the node into a configuration that it knows, so it cannot lead. */
function emptyDisk({ nodeId, votesFromTerm }: Pledge): Disk {
  const membership = { voters: [], votersOutgoing: [], learners: [] }
  return { nodeId, log: new RaftLog(logOrigin, undefined, [], membership), votesFromTerm }
}

/** The reason alone: what is to be done about a lost disk depends on what is asked for. */
function whyOf(error: unknown): string {
  const why = error instanceof RaftError ? String(error.details['why']) : reasonOf(error)
  return why.split('; ', 1)[0] ?? why
}
