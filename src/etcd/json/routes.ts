/** The paths of etcd's gateway, each with the method that it calls. */
const ofService = (service: string, root: string, methods: Readonly<Record<string, string>>) =>
  Object.entries(methods).map(([path, method]) => [`/v3/${root}${path}`, `/${service}/${method}`] as const)

/** From `/v3/kv/range` to `/etcdserverpb.KV/Range`. */
export const routes: ReadonlyMap<string, string> = new Map([
  ...ofService('etcdserverpb.KV', 'kv/', {
    range: 'Range',
    put: 'Put',
    deleterange: 'DeleteRange',
    txn: 'Txn',
    compaction: 'Compact',
  }),
  ...ofService('etcdserverpb.Watch', 'watch', { '': 'Watch' }),
  ...ofService('etcdserverpb.Lease', 'lease/', {
    grant: 'LeaseGrant',
    revoke: 'LeaseRevoke',
    keepalive: 'LeaseKeepAlive',
    timetolive: 'LeaseTimeToLive',
    leases: 'LeaseLeases',
  }),
  ...ofService('etcdserverpb.Lease', 'kv/lease/', {
    revoke: 'LeaseRevoke',
    timetolive: 'LeaseTimeToLive',
    leases: 'LeaseLeases',
  }),
  ...ofService('etcdserverpb.Cluster', 'cluster/member/', {
    add: 'MemberAdd',
    remove: 'MemberRemove',
    update: 'MemberUpdate',
    list: 'MemberList',
    promote: 'MemberPromote',
  }),
  ...ofService('etcdserverpb.Maintenance', 'maintenance/', {
    alarm: 'Alarm',
    status: 'Status',
    defragment: 'Defragment',
    // etcd gives HashKV the same path, where nothing reaches it.
    hash: 'Hash',
    snapshot: 'Snapshot',
    'transfer-leadership': 'MoveLeader',
  }),
  ...ofService('etcdserverpb.Auth', 'auth/', {
    enable: 'AuthEnable',
    disable: 'AuthDisable',
    authenticate: 'Authenticate',
    'user/add': 'UserAdd',
    'user/get': 'UserGet',
    'user/list': 'UserList',
    'user/delete': 'UserDelete',
    'user/changepw': 'UserChangePassword',
    'user/grant': 'UserGrantRole',
    'user/revoke': 'UserRevokeRole',
    'role/add': 'RoleAdd',
    'role/get': 'RoleGet',
    'role/list': 'RoleList',
    'role/delete': 'RoleDelete',
    'role/grant': 'RoleGrantPermission',
    'role/revoke': 'RoleRevokePermission',
  }),
  ...ofService('v3lockpb.Lock', 'lock/', { lock: 'Lock', unlock: 'Unlock' }),
  ...ofService('v3electionpb.Election', 'election/', {
    campaign: 'Campaign',
    proclaim: 'Proclaim',
    leader: 'Leader',
    observe: 'Observe',
    resign: 'Resign',
  }),
])
