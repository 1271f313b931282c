/** The node whose log the tests write. */
export const nodeId = 7
