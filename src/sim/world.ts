/** What all parts of one run share. */
import type { Checker, Questions } from '../proof/index.js'
import type { Chronicle } from '../telemetry/index.js'
import type { Counts } from './counts.js'
import type { Fingerprint } from './fingerprint.js'
import type { Tracer } from './tracer.js'
import type { VirtualTime } from './virtual-time.js'

export interface World {
  readonly time: VirtualTime
  readonly tracer: Tracer
  readonly fingerprint: Fingerprint
  readonly checker: Checker
  readonly questions: Questions
  readonly counts: Counts
  /** The story of the run: all happenings, with causes. */
  readonly chronicle: Chronicle
  /** Takes the lines of a recording of the run; `undefined`: nobody wants one. */
  readonly record: ((line: string) => void) | undefined
}
