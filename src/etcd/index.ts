/** etcd's v3 API over a cluster. */
export { EtcdError } from './errors.js'
export type { Member } from './member.js'
export type { EtcdServer } from './server.js'
export {
  clusterOptionsOf,
  type Etcd,
  type EtcdOptions,
  type EtcdVerbs,
  serveEtcd,
  startEtcd,
} from './start.js'
