/** Which machines understand the commands of the key-value store: that store itself, and etcd's. */
import { machineKindOf } from '../backup/index.js'
import { mvccModule, mvccName } from '../mvcc/index.js'
import type { MachineKnown } from './description.js'
import { ClusterDirectory } from './directory.js'

/** The machine of a directory that remembers none counts as the key-value store. */
export function takesKvCommands({ machine, machineName }: MachineKnown): boolean {
  return machine !== 'own' || machineName === mvccName
}

/** The note of a directory on the machine of a module. The name of a machine of its user's own is not known here. */
export function machineKnownBy(module: string | undefined): MachineKnown {
  const machineName = module === mvccModule.href ? mvccName : undefined
  return { machine: machineKindOf(module), machineName }
}

/** The module of a directory's machine, of which the caller gives one of its own only: etcd's is known here. */
export function moduleOf(
  { machineName }: MachineKnown,
  given: URL | string | undefined,
): URL | string | undefined {
  return given ?? (machineName === mvccName ? mvccModule : undefined)
}

/** True for a directory whose nodes have begun with etcd's store. The directory stays as it is, and may be in use. */
export function holdsEtcd(dir: string): boolean {
  return ClusterDirectory.machineIn(dir)?.machineName === mvccName
}
