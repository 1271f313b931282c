export type * from './control.js'
export { type ControlledNode, InlineNode } from './controlled-node.js'
export { NodeThread } from './node-thread.js'
