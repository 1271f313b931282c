/** The names of a directory's own files. */
export const describingFile = 'cluster.json'
export const pledgesFile = 'pledges.jsonl'
/** Remembers the ports of etcd's API: a directory that has it speaks the API. */
export const etcdPortsFile = 'etcd.json'
