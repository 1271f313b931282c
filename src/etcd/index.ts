/** etcd's v3 API over a cluster. */
export { EtcdError } from './errors.js'
export type { Member } from './member.js'
export { EtcdServer, type Gateway, type Service } from './server.js'
export { services } from './services.js'
export { type Etcd, type EtcdOptions, type EtcdVerbs, startEtcd } from './start.js'
