/** etcd's v3 API over a cluster. */
export { EtcdError } from './errors.js'
export type { Member } from './member.js'
