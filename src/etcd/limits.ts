/** A limit of etcd's API that only its servers know: etcd's default. */
import { requestBytesMax } from '../mvcc/index.js'

/** Bytes of any message that is received, by gRPC or as JSON, and of a fragment of a watch's response. */
export const receivedBytesMax = requestBytesMax + 2 ** 19
