/** A thread that reads a board until all is told, and tells what it read that was never written. */
import { parentPort, workerData } from 'node:worker_threads'
import { Board } from '../../src/node/index.js'

const board = new Board(workerData)
const wrong: string[] = []
const seen = new Set<number>()
parentPort?.postMessage('reads')
while (board.gate === 'open') {
  try {
    const { standing } = board.read()
    const [first] = standing
    if (standing.some((each) => each.sinceMs !== first?.sinceMs)) wrong.push('parts of two notices')
    seen.add(standing.length)
  } catch (error) {
    wrong.push((error as Error).message)
  }
}
parentPort?.postMessage({ wrong, seen: seen.size })
