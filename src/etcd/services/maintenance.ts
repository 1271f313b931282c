/** etcd's Maintenance service. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sealPadding } from '../../backup/index.js'
import type { Cluster } from '../../cluster/index.js'
import { readFigures } from '../../mvcc/index.js'
import { EtcdError } from '../errors.js'
import type { Member } from '../member.js'
import type { Roster } from '../roster.js'
import { version } from '../version.js'
import {
  codecOf,
  definitionOf,
  refusalOf,
  type Service,
  serverStream,
  unary,
  undecoded,
  withHeader,
} from './service.js'

interface Alarms {
  readonly alarms: readonly { readonly memberID: string; readonly alarm: number }[]
}

const maintenance = definitionOf('etcdserverpb.Maintenance')
const definition = undecoded(maintenance)
const alarms = codecOf<object, Alarms>(maintenance, 'Alarm')
const statuses = codecOf<object>(maintenance, 'Status')
const hashes = codecOf<object>(maintenance, 'Hash')
const kvHashes = codecOf<object, { readonly hash: number }>(maintenance, 'HashKV')
const snapshots = codecOf<object>(maintenance, 'Snapshot')
const moves = codecOf<{ readonly targetID: string }>(maintenance, 'MoveLeader')

const noBytes = Buffer.alloc(0)

export function maintenanceService(member: Member, roster: Roster, cluster: Cluster): Service {
  const { nodeId } = member
  return {
    definition,
    implementation: {
      // Responses of `Alarm`, `Defragment` and `MoveLeader` have no header.
      Alarm: unary(member, (request) => alarm(member, request)),
      Status: unary(
        member,
        () => status(member),
        () => true,
      ),
      // A node has nothing to defragment: its disk reuses the room of what is deleted.
      Defragment: unary(member, async () => noBytes),
      Hash: unary(member, async () => {
        const { revision, body } = await member.readLocal('hashKV', noBytes)
        return withHeader(member, {
          revision,
          body: hashes.encode({ hash: kvHashes.decodeResponse(body).hash }),
        })
      }),
      HashKV: unary(member, async (request) => withHeader(member, await member.readLocal('hashKV', request))),
      Snapshot: serverStream(member, (_request, signal) => snapshot(cluster, member, signal)),
      MoveLeader: unary(member, async (request) => {
        const { targetID } = moves.decode(request)
        if (member.look().leaderId !== nodeId) throw new EtcdError('notLeader')
        await roster.moveLeader(nodeId, Number(targetID))
        return noBytes
      }),
    },
  }
}

/** etcd refuses an `Alarm` with the text of the error alone: its code is lost on the way to the client. */
async function alarm(member: Member, request: Buffer): Promise<Buffer> {
  try {
    return (await member.propose('alarm', request)).body
  } catch (error) {
    if (error instanceof EtcdError && error.reason === 'malformed') throw error
    throw new Error(refusalOf(error).details, { cause: error })
  }
}

async function status(member: Member): Promise<Buffer> {
  const { leaderId, term, commitIndex, lastApplied } = member.look()
  const figures = await member.readLocal('figures', noBytes)
  const { bytes } = readFigures(figures.body)
  const raised = await member.readLocal('alarms', noBytes)
  const errors = alarms.decodeResponse(raised.body).alarms.map(inWords)
  const body = statuses.encode({
    version,
    dbSize: bytes,
    dbSizeInUse: bytes,
    leader: leaderId ?? 0,
    raftIndex: commitIndex,
    raftTerm: term,
    raftAppliedIndex: lastApplied,
    errors: leaderId === undefined ? [new EtcdError('noLeader').details, ...errors] : errors,
    isLearner: member.isLearner,
  })
  return withHeader(member, { revision: figures.revision, body })
}

const alarmNames = ['NONE', 'NOSPACE', 'CORRUPT']

/** As Go prints the message: fields that are 0 are left out, and each of the others has a space behind it. */
function inWords({ memberID, alarm }: Alarms['alarms'][number]): string {
  const ofMember = memberID === '0' ? '' : `memberID:${memberID} `
  return alarm === 0 ? ofMember : `${ofMember}alarm:${alarmNames[alarm] ?? alarm} `
}

/** Bytes of the file in one response, as etcd sends them. */
const partBytes = 32 * 1024

/** The state of a node as a sealed export of raftbox. The last response has the seal. */
async function* snapshot(cluster: Cluster, { nodeId }: Member, signal: AbortSignal): AsyncGenerator<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'raftbox-snapshot-'))
  try {
    const file = join(folder, 'snapshot')
    await cluster.export(file, { from: nodeId, signal })
    const { size } = await stat(file)
    const padding = Buffer.alloc(sealPadding(size))
    const hash = createHash('sha256')
    let remainingBytes = size + padding.byteLength
    const part = (blob: Buffer): Buffer => {
      hash.update(blob)
      remainingBytes -= blob.byteLength
      return snapshots.encode({ remainingBytes, blob })
    }
    for await (const blob of createReadStream(file, { highWaterMark: partBytes })) yield part(blob)
    if (padding.byteLength > 0) yield part(padding)
    yield snapshots.encode({ blob: hash.digest() })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
