/** The messages and services of the API, as `protos/*.proto` tell them. */
import { fileURLToPath } from 'node:url'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'

function load(keepCase: boolean): PackageDefinition {
  return loadSync(['rpc.proto', 'lock.proto', 'election.proto', 'health.proto', 'reflection.proto'], {
    // The package has `src` beside `dist`.
    includeDirs: [fileURLToPath(new URL('../../../src/etcd/protos', import.meta.url))],
    longs: String,
    defaults: true,
    arrays: true,
    keepCase,
  })
}

/** Messages as they are read: names in camelCase, 64-bit numbers as text, no field left out. */
export const protos: PackageDefinition = load(false)

/** A `FileDescriptorProto` for each package, with the names of fields as the proto files have them. */
export function fileDescriptors(): readonly Buffer[] {
  const files = Object.values(load(true)).flatMap((entry) =>
    'fileDescriptorProtos' in entry ? [entry.fileDescriptorProtos as Buffer[]] : [],
  )
  // Each message carries the files of all.
  return files[0] ?? []
}
