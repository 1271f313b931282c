/** Lab 3D: logs that are cut behind snapshots. */
import type { NodeId } from '../../src/raft/index.js'
import { logKey } from '../../src/storage/index.js'
import { Lab } from './lab.js'

/** Entries from one snapshot to the next. */
const snapshotEntries = 10
/** What a server keeps beside its snapshot. */
const logBytesMax = 2000

const logKind = logKey(0)[0]

/** Ten commands that come one by one weigh more than this, with what each takes in memory, and make a snapshot due. */
const bounds = { logBytesMax: 2700, trailingBytes: 900 }

/** So small that a snapshot is sent in three chunks. */
const snapshotChunkBytes = 20

/** What happens to a server in each round, and how it comes back. */
interface Trouble {
  begin(lab: Lab, id: NodeId): void
  end(lab: Lab, id: NodeId): void
}

const disconnection: Trouble = {
  begin: (lab, id) => lab.disconnect(id),
  end: (lab, id) => lab.connect(id),
}

const crash: Trouble = {
  begin: (lab, id) => lab.crash(id),
  end: (lab, id) => lab.restart(id),
}

function snapshotLab(seed: number, isReliable = true): Lab {
  return new Lab(seed, 3, { isReliable, bounds, limits: { snapshotChunkBytes } })
}

function someCommands(lab: Lab): number {
  return snapshotEntries / 2 + lab.dice.below(snapshotEntries)
}

function expectShortLogs(lab: Lab): void {
  for (const { id, disk } of lab.cluster.nodes) {
    let bytes = 0
    for (const [key, row] of disk.disk.rows) if (key.charCodeAt(0) === logKind) bytes += row.byteLength
    if (bytes >= logBytesMax) throw new Error(`the log of node ${id} has ${bytes} bytes`)
  }
}

/** In each round a server, mostly a follower, is away while others take a snapshot. */
function withSnapshots(seed: number, trouble: Trouble, isReliable = true): Lab {
  const lab = snapshotLab(seed, isReliable)
  lab.one(3)
  let leader = lab.oneLeader()
  for (let round = 0; round < 30; round++) {
    const next = lab.after(leader, 1)
    const [victim, sender] = round % 3 === 1 ? [leader, next] : [next, leader]
    trouble.begin(lab, victim)
    lab.one(2)
    if (lab.claimsToLead(sender)) lab.startMany(sender, someCommands(lab))
    lab.one(2)
    expectShortLogs(lab)
    trouble.end(lab, victim)
    lab.one(3)
    leader = lab.oneLeader()
  }
  const { snapshotsInstalled } = lab.cluster.world.counts
  if (snapshotsInstalled < 10) throw new Error(`${snapshotsInstalled} snapshots were installed in 30 rounds`)
  if (isReliable) expectSentOnce(lab)
  return lab
}

/** A chunk is repeated when a heartbeat, which is not written, is answered before it [SN9]: now and then one of a snapshot. */
function expectSentOnce(lab: Lab): void {
  const { snapshotBytes, snapshotSizes } = lab.sent
  if (snapshotBytes > 1.2 * snapshotSizes)
    throw new Error(`${snapshotSizes} bytes of snapshots were sent as ${snapshotBytes}`)
}

export function basicSnapshots(seed: number): Lab {
  const lab = snapshotLab(seed)
  lab.one(3)
  const leader = lab.oneLeader()
  for (let round = 0; round < 30; round++) {
    // In one round of three the lab gives its commands to a server that does not lead and refuses them. Here they are left out.
    if (round % 3 !== 1) lab.startMany(leader, someCommands(lab))
    lab.one(3)
    expectShortLogs(lab)
  }
  const { snapshotsTaken } = lab.cluster.world.counts
  if (snapshotsTaken < 30) throw new Error(`three servers took ${snapshotsTaken} snapshots of 200 commands`)
  // Nobody was ever behind, so nobody needs a snapshot of another.
  if (lab.sent.of('installSnapshot') > 0)
    throw new Error('a snapshot was sent to a server that is up to date')
  return lab
}

export function installAfterDisconnection(seed: number): Lab {
  return withSnapshots(seed, disconnection)
}

export function installAfterDisconnectionUnreliable(seed: number): Lab {
  return withSnapshots(seed, disconnection, false)
}

export function installAfterCrash(seed: number): Lab {
  return withSnapshots(seed, crash)
}

export function installAfterCrashUnreliable(seed: number): Lab {
  return withSnapshots(seed, crash, false)
}

export function allCrash(seed: number): Lab {
  const lab = snapshotLab(seed, false)
  lab.one(3)
  for (let round = 0; round < 5; round++) {
    for (let left = someCommands(lab); left > 0; left--) lab.one(3)
    const before = lab.one(3)
    lab.crashAndRestartAll()
    const afterwards = lab.one(3)
    if (afterwards <= before) throw new Error(`command ${before} is followed by ${afterwards}`)
  }
  return lab
}

export function snapshotAtStart(seed: number): Lab {
  const lab = snapshotLab(seed, false)
  lab.one(3)
  for (let command = 0; command <= snapshotEntries; command++) lab.one(3)
  lab.crashAndRestartAll()
  // One command, so that something is written beside the snapshot that was found.
  lab.one(3)
  lab.crashAndRestartAll()
  lab.one(3)
  return lab
}
