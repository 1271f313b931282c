/** Begins a cluster for a scenario, where it shall run. */
import { BadInput } from '../terminal/index.js'
import type { Host, HostName } from './host.js'
import type { Scenario } from './scenario.js'
import { SimulatedHost } from './simulated-host.js'

export async function startHost(name: HostName, scenario: Scenario, seed: number): Promise<Host> {
  if (name === 'threads') throw new BadInput('--host: threads: not there yet, give simulated')
  return new SimulatedHost(scenario, seed)
}
