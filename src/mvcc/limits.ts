/** Limits of etcd's API: etcd's defaults. */

/** Operations of a transaction, those of nested transactions included. */
export const opsMax = 128
/** Bytes of a request that changes something. */
export const requestBytesMax = 1.5 * 2 ** 20
