/** Runs a shrunk failure again, in a thread of the pool. */
import { type Failure, type Rerun, rerun } from '../shrink/index.js'

export default function rerunJob(failure: Failure): Rerun {
  return rerun(failure)
}
