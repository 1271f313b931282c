/** A process or a thread that takes a directory, says what became of it, and holds it until it is ended. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { ClusterDirectory } from '../../src/cluster/directory.js'

const dir = isMainThread ? process.argv[2] : (workerData as string)
if (isMainThread) process.stdout.write(`${taken()}\n`)
else parentPort?.postMessage(taken())
setInterval(() => undefined, 60_000)

function taken(): string {
  try {
    ClusterDirectory.open(dir, { nodes: 3, machine: 'kv' })
    return 'held'
  } catch (error) {
    return (error as { code: string }).code
  }
}
