/** The services that every member has. */
import type { ServiceOf } from '../server.js'
import { authService } from './auth.js'
import { electionService } from './election.js'
import { healthService } from './health.js'
import { kvService } from './kv.js'
import { leaseService } from './lease.js'
import { lockService } from './lock.js'
import { maintenanceService } from './maintenance.js'
import { clusterService } from './members.js'
import { reflectionService } from './reflection.js'
import { watchService } from './watch.js'

export const services: readonly ServiceOf[] = [
  kvService,
  (member, { cluster }) => leaseService(member, cluster.options.electionTimeoutMs),
  (member, { roster }) => clusterService(member, roster),
  (member, { roster, cluster }) => maintenanceService(member, roster, cluster),
  (member, { cluster }) => watchService(member, cluster.options.electionTimeoutMs),
  lockService,
  electionService,
  authService,
  healthService,
  reflectionService,
]
