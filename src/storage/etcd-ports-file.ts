/** Remembers the ports of etcd's API in the directory of a cluster: a directory that has the file speaks the API. */
export const etcdPortsFile = 'etcd.json'
