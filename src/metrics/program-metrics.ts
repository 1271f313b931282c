/** Metrics of the program that holds a cluster: its calls, its threads, the faults that it began, what it left out. */
import { faultTypes } from '../faults/index.js'
import { type Metric, ofAll, ofLatencies, ofWords } from './metric.js'

export const programMetrics: readonly Metric[] = [
  ofWords(
    'counter',
    'raftbox_calls_total',
    'Calls of all clients in this process that ended: answered, or with the error code that the label tells.',
    'outcome',
    ({ calls }) => ({ answered: calls.answered.count, ...Object.fromEntries(calls.failed) }),
  ),
  ofLatencies(
    'raftbox_call_duration_seconds',
    'From the end of the turn in which a call was made to its answer.',
    [],
    ({ calls }) => [[{}, calls.answered]],
  ),
  ofLatencies(
    'raftbox_event_loop_late_seconds',
    'How late the event loop of a thread took its turns: of each node, and of the main thread, which is no node.',
    ['thread', 'node'],
    ({ loopLate, nodes }) => [
      [{ thread: 'main' }, loopLate],
      ...nodes.map(
        ({ nodeId, latencies }) => [{ thread: 'node', node: nodeId }, latencies.ticksLate] as const,
      ),
    ],
  ),
  ofWords('gauge', 'raftbox_faults_standing', 'Faults that stand, by their type.', 'type', ({ faults }) => {
    const standing = new Map(faultTypes.map((type) => [type, 0]))
    for (const { fault } of faults) standing.set(fault.type, (standing.get(fault.type) ?? 0) + 1)
    return Object.fromEntries(standing)
  }),
  ofAll(
    'counter',
    'raftbox_happenings_missed_total',
    'Happenings that are lost, as nodes told them faster than the main thread read them.',
    ({ happeningsMissed }) => happeningsMissed,
  ),
  ofWords(
    'counter',
    'raftbox_dropped_total',
    'What slow readers were not sent, by what it was: frames and events of the page, lines of the log, spans and commands of traces.',
    'what',
    ({ dropped, calls: { traces } }) =>
      traces === undefined
        ? dropped
        : { ...dropped, spans: traces.spansDropped, traces: traces.callsDropped },
  ),
  ofAll(
    'counter',
    'raftbox_spans_sent_total',
    'Spans of traces that a collector or a file has taken.',
    ({ calls }) => calls.traces?.spansSent ?? 0,
  ),
  ofAll('counter', 'process_cpu_seconds_total', 'Processor time of the whole process, in seconds.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }),
  ofAll('gauge', 'process_resident_memory_bytes', 'Memory of the whole process, in bytes.', () =>
    process.memoryUsage.rss(),
  ),
  ofAll(
    'gauge',
    'process_start_time_seconds',
    'When the process was started, in seconds since 1970.',
    () => performance.timeOrigin / 1000,
  ),
]
