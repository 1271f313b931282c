/** The gateway of one member: its services, its version, its health and its metrics. */
import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from '../../cluster/index.js'
import { receivedBytesMax } from '../limits.js'
import type { Member } from '../member.js'
import type { RpcCounts } from '../rpc-counts.js'
import type { Service } from '../services/service.js'
import { version } from '../version.js'
import { createGateway } from './gateway.js'
import { MemberMetrics } from './member-metrics.js'
import { jsonOf } from './messages.js'
import { methodOf } from './shapes.js'

const bodyMs = 30_000
const headersMs = 10_000
/** A health check that takes longer has failed, as in etcd. */
const healthyMs = 1000

const noBytes = Buffer.alloc(0)

export function gatewayOf(
  member: Member,
  { cluster }: { readonly cluster: Cluster },
  services: readonly Service[],
  counts: RpcCounts,
): Server {
  const metrics = new MemberMetrics(cluster, member, counts)
  return createGateway({
    services,
    // The minor version is that of the cluster, as no member is older.
    version: { etcdserver: version, etcdcluster: version.replace(/\d+$/, '0') },
    isHealthy: (exclude) => metrics.health(isHealthy(member, exclude)),
    metrics: () => metrics.scrape(),
    bounds: { requestBytesMax: receivedBytesMax, bodyMs, headersMs },
  })
}

/** Whether the member has a leader and no alarm but those to `exclude`, and serves a linearizable read. */
async function isHealthy(member: Member, exclude: readonly string[]): Promise<boolean> {
  if (member.look().leaderId === undefined) return false
  const check = async (): Promise<boolean> => {
    const raised = await member.readLocal('alarms', noBytes)
    if (alarmsOf(raised.body).some((alarm) => !exclude.includes(alarm))) return false
    await member.read('figures', noBytes)
    return true
  }
  const late = new AbortController()
  try {
    return await Promise.race([check(), delay(healthyMs, false, { signal: late.signal })])
  } catch {
    return false
  } finally {
    late.abort()
  }
}

const { response: alarmResponse, decodeResponse: decodeAlarms } = methodOf('/etcdserverpb.Maintenance/Alarm')

/** Names of the alarms that are raised. */
function alarmsOf(body: Buffer): string[] {
  const { alarms = [] } = jsonOf(alarmResponse, decodeAlarms(body)) as { alarms?: { alarm?: string }[] }
  return alarms.map(({ alarm = 'NONE' }) => alarm)
}
