/** A program whose only node, in a thread of its own, takes memory until it has none; prints how that was told. */
import { pathToFileURL } from 'node:url'
import { startCluster } from '../../src/cluster/index.js'

const machine = pathToFileURL('test/machine/fixtures/greedy.mjs')
const cluster = await startCluster({ nodes: 1, durability: 'none', machine })
await cluster.propose(new Uint8Array(1)).catch(({ code }) => process.stdout.write(`${code}\n`))
process.stdout.write(`${cluster.status()[0]?.failure}\n`)
await cluster.close()
