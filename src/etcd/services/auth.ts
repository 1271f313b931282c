/**
 * etcd's Auth service, as an etcd answers that has no users, no roles and authentication off. Users and roles can not be
 * added: a client that tries is told that authentication is not enabled.
 */
import { EtcdError, type EtcdErrorName } from '../errors.js'
import type { Member } from '../member.js'
import { codecOf, definitionOf, type Service, unary, undecoded } from './service.js'

const definition = definitionOf('etcdserverpb.Auth')

const refusals: Readonly<Record<string, EtcdErrorName>> = {
  AuthEnable: 'rootUserNotExist',
  Authenticate: 'authNotEnabled',
  UserGet: 'userNotFound',
  UserDelete: 'userNotFound',
  UserChangePassword: 'userNotFound',
  UserGrantRole: 'userNotFound',
  UserRevokeRole: 'userNotFound',
  RoleGet: 'roleNotFound',
  RoleDelete: 'roleNotFound',
  RoleGrantPermission: 'roleNotFound',
  RoleRevokePermission: 'roleNotFound',
}

/** Methods that add something with a name, and the error where the name is empty. */
const additions: Readonly<Record<string, EtcdErrorName>> = { UserAdd: 'userEmpty', RoleAdd: 'roleEmpty' }

export function authService(member: Member): Service {
  const answer = async (method: string, request: Buffer): Promise<Buffer> => {
    // etcd replicates each of these requests, so that there is no answer without a leader.
    const { revision } = await member.read('figures', Buffer.alloc(0))
    const ifNameless = additions[method]
    const refusal =
      ifNameless === undefined
        ? refusals[method]
        : codecOf<{ name: string }>(definition, method).decode(request).name === ''
          ? ifNameless
          : 'authNotEnabled'
    if (refusal !== undefined) throw new EtcdError(refusal)
    return member.header(revision)
  }
  const methods = Object.keys(definition).map((method) => [
    method,
    unary(member, (request) => answer(method, request)),
  ])
  return { definition: undecoded(definition), implementation: Object.fromEntries(methods) }
}
