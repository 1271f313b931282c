/** What a cluster costs that has nothing to do: CPU of the whole process over ten seconds. */
import { startCluster } from '../src/cluster/index.js'

const seconds = 10
const cluster = await startCluster({ nodes: 3 })
await cluster.put('a', 'b')
await pause(5)
const messagesBefore = messagesSent()
const cpuBefore = process.cpuUsage()
const startedMs = performance.now()
await pause(seconds)
const { user, system } = process.cpuUsage(cpuBefore)
const share = (user + system) / 1000 / (performance.now() - startedMs)
const messages = (messagesSent() - messagesBefore) / seconds
console.log(`3 idle nodes: ${(share * 100).toFixed(2)} % of a core, ${messages.toFixed(0)} messages a second`)
await cluster.close()

function messagesSent(): number {
  return cluster.status().reduce((sum, node) => sum + node.messagesSent, 0)
}

function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration * 1000))
}
