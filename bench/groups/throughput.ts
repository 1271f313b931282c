/** Commits per second from closed-loop clients, over everything that it depends on. */
import { counted, decimal } from '../../src/terminal/index.js'
import { type Group, pick } from '../suite/index.js'
import { durabilities, loadCase } from './measured-case.js'

const nameOf = { flush: 'durable', none: 'in memory' } as const

export const clients: Group = {
  name: 'clients',
  cases: (extent) =>
    pick(extent, [1, 8, 64, 256, 1024, 4096, 16_384], [1, 64, 1024]).flatMap((count) =>
      durabilities.map((durability) => {
        const title = `${counted(count, 'client')}, ${nameOf[durability]}`
        return loadCase(`${count}/${durability}`, title, { clients: count, durability })
      }),
    ),
}

export const sizes: Group = {
  name: 'sizes',
  cases: (extent) =>
    pick(extent, [16, 128, 1024, 16_384], [16, 16_384]).map((size) =>
      loadCase(String(size), `commands of ${decimal(size)} bytes`, { size }),
    ),
}

export const nodes: Group = {
  name: 'nodes',
  cases: (extent) =>
    pick(extent, [1, 3, 5, 7], [1, 5]).map((count) =>
      loadCase(String(count), counted(count, 'node'), { nodes: count }),
    ),
}

/** Small commands, many of them in one call: what is left is the cost of a command by itself. */
export const batch: Group = {
  name: 'batch',
  cases: (extent) =>
    pick(extent, [1, 16, 256], [256]).flatMap((count) =>
      durabilities.map((durability) => {
        const title = `${counted(count, '16-byte command')} a call, ${nameOf[durability]}`
        return loadCase(`${count}/${durability}`, title, { batch: count, durability }, { size: 16 })
      }),
    ),
}

export const hosts: Group = {
  name: 'hosts',
  cases: () => [
    loadCase('threads', 'a worker thread a node', { host: 'threads' }, { threads: 'on' }),
    loadCase('inline', 'all nodes in the main thread', { host: 'inline' }, { threads: 'off' }),
  ],
}

/** Reads are linearizable; workload c has nothing else. */
export const reads: Group = {
  name: 'reads',
  cases: (extent) =>
    pick(extent, ['a', 'b', 'c'] as const, ['a', 'c'] as const).flatMap((workload) =>
      pick(extent, [64, 1024], [1024]).flatMap((count) =>
        // Where reads are all, it is seen how the leader makes sure that it leads.
        (workload === 'c' ? (['lease', 'readIndex'] as const) : (['lease'] as const)).map((kind) => {
          const name = `${workload}/${count}${kind === 'lease' ? '' : `/${kind}`}`
          const title = `YCSB workload ${workload}, ${counted(count, 'client')}, reads by ${kind}`
          return loadCase(name, title, { workload, clients: count, reads: kind })
        }),
      ),
    ),
}
