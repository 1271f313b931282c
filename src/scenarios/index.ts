/** Scenarios: files that break a cluster step by step under load, and say whether it kept its promises. */
export { type HostName, hostNames } from './host.js'
export { findScenario, shippedScenarios } from './library.js'
export { parseScenario } from './parse.js'
export { runScenario, type ScenarioResult } from './runner.js'
export type { Scenario } from './scenario.js'
export { startHost } from './start-host.js'
export { ThreadsHost } from './threads-host.js'
