/** etcd's v3 API over a cluster. */
export { EtcdError } from './errors.js'
export type { Member } from './member.js'
export { EtcdServer, type Gateway, type ServiceOf } from './server.js'
export { services } from './services/all.js'
export { type Etcd, type EtcdOptions, type EtcdVerbs, startEtcd } from './start.js'
