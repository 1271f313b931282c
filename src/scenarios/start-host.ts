/** Begins a cluster for a scenario, where it shall run. */
import type { Host, HostName } from './host.js'
import type { Scenario } from './scenario.js'
import { SimulatedHost } from './simulated-host.js'
import { ThreadsHost } from './threads-host.js'

export async function startHost(name: HostName, scenario: Scenario, seed: number): Promise<Host> {
  return name === 'threads' ? ThreadsHost.start(scenario) : new SimulatedHost(scenario, seed)
}
