/** A thread that reads a board until it closes. It tells when it has read three notices, and what it read that nobody wrote. */
import { parentPort, workerData } from 'node:worker_threads'
import { Board } from '../../src/node/index.js'

const board = new Board(workerData)
const wrong: string[] = []
const seen = new Set<number>()
let hasToldAll = false
parentPort?.postMessage('reads')
while (board.gate === 'open') {
  try {
    const { standing } = board.read()
    const [first] = standing
    if (standing.some((each) => each.sinceMs !== first?.sinceMs)) wrong.push('parts of two notices')
    seen.add(standing.length)
    if (seen.size === 3 && !hasToldAll) {
      hasToldAll = true
      parentPort?.postMessage('has read three')
    }
  } catch (error) {
    wrong.push((error as Error).message)
  }
}
parentPort?.postMessage({ wrong })
