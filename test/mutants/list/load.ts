/** The figures of a measurement. */
import { byTests } from '../mutant.js'

const clients = 'src/load/clients.ts'
const measure = 'src/load/measure.ts'
const tally = 'src/load/tally.ts'
const histogram = 'src/telemetry/latency-histogram.ts'

export const load = [
  ...byTests(
    ['test/load/measure.test.ts'],
    [
      {
        id: 'warm-up-counted',
        breaks: 'commitsPerSecond',
        what: 'the calls of the warm-up are in the figures',
        file: 'src/load/window.ts',
        find: "phases.begin('warm-up', warmUpSeconds)",
        replace: "tally.open()\n    phases.begin('warm-up', warmUpSeconds)",
      },
      {
        id: 'rate-of-all-commands',
        breaks: 'commitsPerSecond',
        what: 'the rate is made of all commands since the start',
        file: measure,
        find: 'Math.round((tally.commands / ms) * 1000)',
        replace: 'Math.round((tally.commandsSoFar / ms) * 1000)',
      },
      {
        id: 'elections-told-as-none',
        breaks: 'elections',
        what: 'no election is told',
        file: measure,
        find: 'elections: after.elections - before.elections,',
        replace: 'elections: before.elections - before.elections,',
      },
      {
        id: 'flushes-since-start',
        breaks: 'flushesPerCommit',
        what: 'the flushes are those since the start',
        file: measure,
        find: 'perCommit(after.flushes - before.flushes)',
        replace: 'perCommit(after.flushes)',
      },
      {
        id: 'heartbeats-of-warm-up',
        breaks: 'heartbeatLateP999ms',
        what: 'the heartbeats of the warm-up are in the figures',
        file: measure,
        find: 'warmedUp: () => cluster.takeHeartbeatLateness(),',
        replace: 'warmedUp: async () => undefined,',
      },
      {
        id: 'unanswered-not-told',
        breaks: 'unanswered',
        what: 'calls that were due and not answered are not told',
        file: clients,
        find: 'return this.#unanswered + unsent\n',
        replace: 'return 0\n',
      },
    ],
  ),
  ...byTests(
    ['test/load/clients.test.ts'],
    [
      {
        id: 'latency-from-sending',
        breaks: 'p99ms',
        what: 'a call counts from when it was sent, and not from when it was due (coordinated omission)',
        file: clients,
        find: 'void this.#call(this.#nextDueMs)',
        replace: 'void this.#call(this.#tally.now())',
      },
      {
        id: 'pausing-unanswered',
        breaks: 'unanswered',
        what: 'a call that failed and pauses is told as unanswered too',
        file: clients,
        find: 'return this.#unanswered + unsent\n',
        replace: 'return this.#inFlight + unsent\n',
      },
      {
        id: 'backlog-of-warm-up',
        breaks: 'p50ms',
        what: "the calls that an open loop's warm-up has left undone count in the window",
        file: clients,
        find: 'this.#nextDueMs = Math.max(this.#nextDueMs, this.#countsFromMs)\n',
        replace: '',
      },
    ],
  ),
  ...byTests(
    ['test/load/tally.test.ts'],
    [
      {
        id: 'batch-counted-as-one',
        breaks: 'commitsPerSecond',
        what: 'the commands of a batch count as one',
        file: tally,
        find: '    this.#commands += calls * commands\n',
        replace: '    this.#commands += calls\n',
      },
      {
        id: 'silence-before-window',
        breaks: 'unavailableMs',
        what: 'the longest silence counts from before the window',
        file: tally,
        find: 'this.#lastAnswerMs = this.now()\n    this.#isOpen = true',
        replace: 'this.#isOpen = true',
      },
      {
        id: 'cut-counts-again',
        breaks: 'commitsPerSecond of a second',
        what: 'a stretch of the window counts the commands of those before it again',
        file: tally,
        find: 'this.#commandsAtCut = this.#commands\n',
        replace: '',
      },
    ],
  ),
  ...byTests(
    ['test/load/measure.test.ts', 'test/load/tally.test.ts'],
    [
      {
        id: 'unknown-told-as-not-applied',
        breaks: 'notApplied, unknown',
        what: 'a call of which nobody knows counts as not applied',
        file: tally,
        find: 'if (this.#isOpen && isKnown) this.notApplied++',
        replace: 'if (this.#isOpen) this.notApplied++',
      },
    ],
  ),
  ...byTests(
    ['test/load/timeline.test.ts'],
    [
      {
        id: 'elections-in-each-second',
        breaks: 'elections of a second',
        what: 'an election counts in each second after it',
        file: 'src/load/timeline.ts',
        find: 'this.#startedAtMs = nowMs\n    this.#elections = 0',
        replace: 'this.#startedAtMs = nowMs',
      },
    ],
  ),
  ...byTests(
    ['test/telemetry/latency-histogram.test.ts'],
    [
      {
        id: 'percentile-one-call-late',
        breaks: 'p50ms, p99ms, p999ms',
        what: 'a percentile is one call too far',
        file: histogram,
        find: 'if (calls >= rank) return end',
        replace: 'if (calls > rank) return end',
      },
      {
        id: 'latency-told-as-shorter',
        breaks: 'p50ms, p99ms, p999ms',
        what: 'a long latency is told as the beginning of its class',
        file: histogram,
        find: 'return (Math.floor(us / width) + 1) * width - 1',
        replace: 'return Math.floor(us / width) * width',
      },
    ],
  ),
  ...byTests(
    ['test/telemetry/heartbeat-watch.test.ts'],
    [
      {
        id: 'lateness-with-interval',
        breaks: 'heartbeatLateP999ms',
        what: 'the interval counts as lateness of a heartbeat',
        file: 'src/telemetry/heartbeat-watch.ts',
        find: 'Math.max(0, sinceLastMs - this.#intervalMs)',
        replace: 'Math.max(0, sinceLastMs)',
      },
      {
        id: 'reads-on-time',
        breaks: 'heartbeatLateP999ms',
        what: 'heartbeats that reads bring count as heartbeats on time',
        file: 'src/telemetry/heartbeat-watch.ts',
        find: ' && sinceLastMs >= this.#intervalMs / 2',
        replace: '',
      },
    ],
  ),
]
