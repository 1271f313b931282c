/** The messages and services of the API, as `protos/*.proto` tell them. */
import { fileURLToPath } from 'node:url'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'

/** Messages as they are read: names in camelCase, 64-bit numbers as text, no field left out. */
export const protos: PackageDefinition = loadSync(
  ['rpc.proto', 'lock.proto', 'election.proto', 'health.proto', 'reflection.proto'],
  {
    // The package has `src` beside `dist`.
    includeDirs: [fileURLToPath(new URL('../../../src/etcd/protos', import.meta.url))],
    longs: String,
    defaults: true,
    arrays: true,
  },
)
