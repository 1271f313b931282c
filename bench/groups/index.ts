/** Every group of the suite, in the order in which they run. */
import type { Group } from '../suite/index.js'
import { catchUp } from './catch-up.js'
import { check } from './check.js'
import { etcdStore } from './etcd-store.js'
import { failover } from './failover.js'
import { heartbeats } from './heartbeats.js'
import { history, logLength, startUp } from './long-logs.js'
import { micro } from './micro.js'
import { openLoop } from './open-loop.js'
import { page } from './page.js'
import { returns } from './returns.js'
import { stability } from './stability.js'
import { stages } from './stages.js'
import { batch, clients, hosts, nodes, reads, sizes } from './throughput.js'

export const groups: readonly Group[] = [
  ...[micro, check, etcdStore, stages, clients, sizes, nodes, batch, hosts, reads, openLoop],
  ...[failover, catchUp, returns, startUp, logLength, history, heartbeats, stability, page],
]
