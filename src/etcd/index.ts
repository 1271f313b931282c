/** etcd's v3 API over a cluster. */
export { EtcdError } from './errors.js'
export {
  clusterOptionsOf,
  type Etcd,
  type EtcdOptions,
  type EtcdVerbs,
  serveEtcd,
  startEtcd,
} from './start.js'
