/** Changes of the members of a running cluster, step by step, written once for every host. */
export * from './changeable.js'
export * from './member-kind.js'
export * from './methods.js'
export * from './procedure.js'
export * from './procedures.js'
