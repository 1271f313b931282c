/** Limits of etcd's API: etcd's defaults. */

/** Bytes of a request that changes something. */
export const requestBytesMax = 1.5 * 2 ** 20
/** Bytes of any message that is received, by gRPC or as JSON, and of a fragment of a watch's response. */
export const receivedBytesMax = requestBytesMax + 2 ** 19
