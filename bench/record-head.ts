/** What every record says of itself. */
import type { BenchRecord } from '../src/cli/bench-record.js'
import { describeMachine, describeVersions } from './machine.js'

/** For a run that began then and ends now. */
export function recordHead(startedAt: Date): Omit<BenchRecord, 'settings' | 'results'> {
  return {
    format: 'raftbox-bench',
    version: 1,
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    machine: describeMachine(),
    versions: describeVersions(),
  }
}
