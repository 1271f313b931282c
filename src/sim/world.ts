/** The things that all parts of one run share. */
import { Checker, Questions, type WatchedNode, type Witness } from '../proof/index.js'
import type { Membership, NodeId } from '../raft/index.js'
import type { DiskMoment } from '../storage/index.js'
import { Chronicle, type Happened, Sequence } from '../telemetry/index.js'
import { type Counts, noCounts } from './counts.js'
import { Fingerprint } from './fingerprint.js'
import { Mail } from './mail.js'
import { Moments } from './moments.js'
import type { Script } from './script.js'
import { Tracer } from './tracer.js'
import { Findings } from './violation.js'
import { VirtualTime } from './virtual-time.js'

/** The functions that hear of a run while it goes on. */
export interface Hearers {
  /** Called with a line for each thing that happens. */
  readonly trace?: (line: string) => void
  /** Called with each happening of the story. */
  readonly happened?: (event: Happened) => void
  /** Called with the lines of a recording of all that the nodes' protocols are told. */
  readonly record?: (line: string) => void
  /** Hears what drives the nodes. */
  readonly script?: Script
}

export interface World {
  readonly findings: Findings
  readonly time: VirtualTime
  readonly tracer: Tracer
  readonly fingerprint: Fingerprint
  readonly checker: Checker
  readonly questions: Questions
  readonly mail: Mail
  readonly counts: Counts
  /** The moments of the nodes' work at which faults strike. */
  readonly moments: Moments
  /** The story of the run: all happenings, with causes. */
  readonly chronicle: Chronicle
  /** Takes the lines of a recording of the run; `undefined`: nobody wants one. */
  readonly record: ((line: string) => void) | undefined
  /** Hears what drives the nodes; `undefined`: nobody does. */
  readonly script: Script | undefined
  /** Hears of each moment after which a power loss of the node leaves something else; `undefined`: nobody does. */
  diskMoment: ((nodeId: NodeId, moment: DiskMoment) => void) | undefined
}

/** `membership`: the configuration before the first entry. `nodes`: those that there are at any time. */
export function newWorld(
  { trace, happened, record, script }: Hearers,
  membership: Membership,
  nodes: readonly WatchedNode[],
): World {
  const time = new VirtualTime()
  const tracer = new Tracer(time, trace)
  const findings = new Findings(time, tracer)
  const counts = noCounts()
  const report = findings.report.bind(findings)
  const committed: Witness['committed'] = (id, { index, term }) =>
    tracer.record(id, { type: 'committed', index, term })
  return {
    findings,
    time,
    tracer,
    counts,
    mail: new Mail(report, script),
    moments: new Moments(counts, script),
    checker: new Checker({ report, committed }, counts, nodes, membership),
    questions: new Questions(report),
    fingerprint: new Fingerprint(),
    chronicle: new Chronicle(new Sequence(Sequence.allocate()), (event) => happened?.(event)),
    record,
    script,
    diskMoment: undefined,
  }
}
