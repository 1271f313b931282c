/** Every group of the suite, in the order in which they run. */
import type { Group } from '../case.js'
import { micro } from './micro.js'
import { openLoop } from './open-loop.js'
import { batch, clients, hosts, nodes, reads, sizes } from './throughput.js'

export const groups: readonly Group[] = [micro, clients, sizes, nodes, batch, hosts, reads, openLoop]
