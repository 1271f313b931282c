/** Log lines of what happens in a cluster, structured, for people and for tools. */
export {}
