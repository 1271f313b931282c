/** The names of a directory's own files. */
export const describingFile = 'cluster.json'
export const pledgesFile = 'pledges.jsonl'
