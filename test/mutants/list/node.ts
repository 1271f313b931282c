/** The driver: the order of effects, answers to clients, snapshots of its own, and what it counts. */
import { bySimulator, byTests } from '../mutant.js'

const driver = 'src/driver/driver.ts'
const proposals = 'src/driver/proposals.ts'

export const node = [
  ...bySimulator([
    {
      id: 'promises-before-flush',
      breaks: 'OE2',
      what: 'messages that promise durability leave before the write',
      file: driver,
      find: 'if (ready.persist !== undefined) this.#write(ready.persist)',
      replace:
        'for (const message of ready.persist?.messages ?? []) this.#send(message)\n    if (ready.persist !== undefined) this.#write(ready.persist)',
    },
    {
      id: 'flush-not-awaited',
      breaks: 'DU1',
      what: 'a write counts as flushed as soon as the store has it',
      file: driver,
      find: 'this.#options.store.write(persist, this.#written)',
      replace: 'this.#options.store.write(persist, () => undefined)\n    this.#written(undefined)',
    },
    {
      id: 'write-beside-another',
      breaks: 'WR1',
      what: 'a write is handed to the store while another one is with it',
      file: driver,
      find: 'mayWrite: this.#writing === undefined,',
      replace: 'mayWrite: true,',
    },
    {
      id: 'failed-flush-ignored',
      breaks: 'SP1',
      what: 'a node goes on after a flush that failed',
      file: driver,
      find: 'if (error !== undefined) return this.#fail(error)\n    const persist',
      replace: 'const persist',
    },
    {
      id: 'snapshot-not-restored',
      breaks: 'OE6',
      what: 'a node acknowledges a snapshot of its leader and keeps its old state',
      file: driver,
      find: 'this.machine.restore(this.#stored.piecesOf(snapshot))\n',
      replace: '',
    },
    {
      id: 'restart-without-snapshot',
      breaks: 'DU17',
      what: 'a node that restarts begins with an empty state behind its snapshot',
      file: driver,
      find: 'if (snapshot !== undefined) machine.restore(this.#stored.piecesOf(snapshot))\n',
      replace: '',
    },
    {
      id: 'replaced-told-as-applied',
      breaks: 'PR5',
      what: "a proposal is told as applied when another leader's entry is in its place",
      file: proposals,
      find: 'return first.index === run.index && first.term === run.term && count === run.count',
      replace: 'return first.index === run.index && count === run.count',
    },
    {
      id: 'results-of-others',
      breaks: 'RQ1',
      what: 'the results of one command are told to the client of another',
      file: proposals,
      find: "this.#settle({ request, outcome: 'applied', index: first.index, count })",
      replace: "this.#settle({ request, outcome: 'applied', index: first.index + 1, count })",
    },
  ]),
  ...byTests(
    ['test/driver/log-time.test.ts'],
    [
      {
        id: 'log-time-runs-ahead',
        breaks: 'LT1',
        what: "the log's time runs ahead of the leader's clock",
        file: 'src/driver/log-time.ts',
        find: 'const passedMs = Math.floor(nowMs - atMs)',
        replace: 'const passedMs = Math.ceil(nowMs - atMs)',
      },
    ],
  ),
  ...byTests(
    ['test/driver/overload.test.ts'],
    [
      {
        id: 'reads-unbounded',
        breaks: 'OV4',
        what: 'reads that wait are never too many',
        file: 'src/driver/reads.ts',
        find: 'return this.#waitingBytes >= waitingBytesMax',
        replace: 'return this.#waitingBytes < 0',
      },
    ],
  ),
  ...byTests(
    ['test/driver/counters.test.ts', 'test/driver/order-of-effects.test.ts'],
    [
      {
        id: 'flushes-counted-twice',
        breaks: 'CO1',
        what: 'each flush counts twice',
        file: 'src/telemetry/meter.ts',
        find: 'this.#counters.add(counterAt.flushes, 1)',
        replace: 'this.#counters.add(counterAt.flushes, 2)',
      },
      {
        id: 'elections-not-counted',
        breaks: 'CO1',
        what: 'no election is counted',
        file: 'src/telemetry/meter.ts',
        find: "if (event.role === 'candidate') this.#counters.add(counterAt.elections, 1)\n",
        replace: '',
      },
      {
        id: 'leader-heard-again-not-counted',
        breaks: 'CO4',
        what: 'a leader that is heard again after its follower knew of none does not count',
        file: 'src/telemetry/meter.ts',
        find: 'this.#leaderId = event.leaderId\n',
        replace: 'this.#leaderId = event.leaderId ?? this.#leaderId\n',
      },
      {
        id: 'answers-before-counters',
        breaks: 'CO6',
        what: 'a caller has its answer before its command is counted',
        file: driver,
        find: 'this.#options.probe.turnEnded(this.raft.state)\n    this.#reply()',
        replace: 'this.#reply()\n    this.#options.probe.turnEnded(this.raft.state)',
      },
    ],
  ),
  // Few runs of the simulator come to where a leader loses a proposal, and another node commits it.
  ...byTests(
    ['test/driver/proposals.test.ts'],
    [
      {
        id: 'lost-place-told-as-refused',
        breaks: 'PR5',
        what: 'a proposal whose entries were replaced on its node alone is told as not applied',
        file: proposals,
        find: "this.#unknown(last, 'its log entries were replaced on the node that took it')",
        replace: 'this.#replaced(last)',
      },
      {
        id: 'skipped-told-as-refused',
        breaks: 'PR5',
        what: 'a proposal in the place of which a snapshot came is told as not applied',
        file: proposals,
        find: 'if (first.index > index) this.#replaced(proposal)',
        replace: 'if (first.index > 0) this.#replaced(proposal)',
      },
    ],
  ),
]
