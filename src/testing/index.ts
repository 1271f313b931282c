/** Helpers for tests: of the protocol, and of what others build on it. */
export * from './log-spec.js'
export { type DiskSetup, ModelDisk } from './model-disk.js'
export { type Effect, encodeApplied, NetworkNode, type NodeSetup, type StepObserver } from './network-node.js'
export * from './raft-network.js'
export { type StoreCase, type StoreHarness, storeConformance } from './store-conformance.js'
export type { TestDisk } from './store-expectations.js'
