/** etcd's store as a state machine: revisions, transactions, leases and the history that watches read. */
export * from './border.js'
