import { expect, test } from 'vitest'
import { startedEtcd, TestClient } from '../support.js'
import { refusal } from './support.js'

const userNotFound = { code: 9, details: 'etcdserver: user name not found' }
const roleNotFound = { code: 9, details: 'etcdserver: role name not found' }
const notEnabled = { code: 9, details: 'etcdserver: authentication is not enabled' }

test('authentication is off, and there are no users and no roles', async () => {
  const { endpoints } = await startedEtcd({ nodes: 1 })
  const client = new TestClient(endpoints[0] ?? '')
  const call = (method: string, request = {}) => client.call(`etcdserverpb.Auth/${method}`, request)
  expect(await call('UserList')).toMatchObject({ users: [] })
  expect(await call('RoleList')).toMatchObject({ roles: [] })
  expect(await call('AuthDisable')).toMatchObject({ header: { memberId: '1' } })
  const refusals = [
    ['AuthEnable', { code: 9, details: 'etcdserver: root user does not exist' }],
    ['Authenticate', notEnabled],
    ['UserGet', userNotFound],
    ['UserDelete', userNotFound],
    ['UserChangePassword', userNotFound],
    ['UserGrantRole', userNotFound],
    ['UserRevokeRole', userNotFound],
    ['RoleGet', roleNotFound],
    ['RoleDelete', roleNotFound],
    ['RoleGrantPermission', roleNotFound],
    ['RoleRevokePermission', roleNotFound],
    ['UserAdd', { code: 3, details: 'etcdserver: user name is empty' }],
    ['RoleAdd', { code: 3, details: 'etcdserver: role name is empty' }],
  ] as const
  for (const [method, expected] of refusals)
    expect([method, await refusal(call(method))]).toEqual([method, expected])
  expect(await refusal(call('UserAdd', { name: 'u', password: 'p' }))).toEqual(notEnabled)
  expect(await refusal(call('RoleAdd', { name: 'r' }))).toEqual(notEnabled)
})
