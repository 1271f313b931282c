/** The state machine and the sessions in front of it. */
import { bySimulator, byTests } from '../mutant.js'

const kv = 'src/machine/kv.ts'
const sessionMachine = 'src/machine/session-machine.ts'
const sessionSnapshot = 'src/machine/session-snapshot.ts'
const sessions = 'src/machine/sessions.ts'

export const machine = [
  ...bySimulator([
    {
      id: 'call-applied-twice',
      breaks: 'SE2',
      what: 'a call of a session that is in the log again is applied again',
      file: sessions,
      find: 'if (known !== undefined) return known\n',
      replace: '',
    },
    {
      id: 'received-call-applied-again',
      breaks: 'SE4',
      what: 'a call that the client has its answer to is applied again',
      file: sessions,
      find: "if (call.sequence < session.firstOutstanding) return 'stale'\n",
      replace: '',
    },
    {
      id: 'use-not-noted',
      breaks: 'SE5',
      what: 'a session that is used expires all the same',
      file: sessions,
      find: 'session.lastUseMs = this.timeMs\n',
      replace: '',
    },
    {
      id: 'sessions-not-in-snapshot',
      breaks: 'SE7',
      what: 'a snapshot does not carry the sessions',
      file: sessionMachine,
      find: 'this.#isUnused ? noSessions : this.#packed()',
      replace: 'noSessions',
    },
    {
      id: 'log-time-not-in-snapshot',
      breaks: 'SE7',
      what: "the log's time is lost with a snapshot",
      file: sessionSnapshot,
      find: 'sessions.timeMs = timeMs\n',
      replace: '',
    },
    {
      id: 'call-answered-as-another',
      breaks: 'SE2',
      what: 'a call that is in the log again is answered as another call of its session',
      file: sessions,
      find: 'if (known !== undefined) return known\n',
      replace:
        'if (known !== undefined) return [...session.answers.values()].find(({ count }) => count === known.count) ?? known\n',
    },
    {
      id: 'session-expires-by-own-clock',
      breaks: 'SE5',
      what: 'a session expires by the clock of its node',
      file: sessions,
      find: 'this.timeMs = Math.max(this.timeMs, timeMs)\n',
      replace:
        'globalThis.readings = (globalThis.readings ?? 0) + 1\n    this.timeMs = Math.max(this.timeMs, timeMs + (globalThis.readings % 100))\n',
    },
    {
      id: 'later-call-passes-over',
      breaks: 'SE3',
      what: 'a call that is behind a later one is taken for applied',
      file: sessions,
      find: 'if (call.sequence < session.firstOutstanding) return',
      replace: 'if (call.sequence < Math.max(session.firstOutstanding, ...session.answers.keys())) return',
    },
    {
      id: 'compare-and-set-without-compare',
      breaks: 'LIN',
      what: 'a compare-and-set writes whatever the value is',
      file: kv,
      find: 'if (ref === 0 || !this.#state.hasValue(ref, this.#source, expected, expectedLength))',
      replace: 'if (ref === 0)',
    },
    {
      id: 'append-replaces',
      breaks: 'LIN',
      what: 'an append replaces the value',
      file: kv,
      find: 'this.#overwrite(hash, ref, present, start, end)',
      replace: 'this.#overwrite(hash, ref, 0, start, end)',
    },
    {
      id: 'snapshot-of-later-value',
      breaks: 'SNAP',
      what: 'a snapshot has the value of a key that was written after the snapshot began',
      file: kv,
      find: 'this.#snapshot?.keep(ref)\n    this.#state.revision++\n    const written',
      replace: 'this.#state.revision++\n    const written',
    },
    {
      id: 'snapshot-of-later-key',
      breaks: 'SNAP',
      what: 'a snapshot has a key that was made after the snapshot began',
      file: kv,
      find: 'const mark = this.#snapshotCount\n',
      replace: 'const mark = 0\n',
    },
    {
      id: 'range-passes-over-key',
      breaks: 'LIN',
      what: 'a range passes over the last key of a block',
      file: 'src/machine/kv-order.ts',
      find: 'for (; at < count; at++) if (!visit(',
      replace: 'for (; at < count - 1; at++) if (!visit(',
    },
  ]),
  ...byTests(
    ['test/machine/sessions.test.ts'],
    [
      // No run of the simulator cuts a frame of a session, so parts of frames are left to the tests.
      {
        id: 'open-frame-not-restored',
        breaks: 'SE8',
        what: 'a snapshot that is taken within a frame forgets the rest of the frame',
        file: sessionMachine,
        find: 'this.#open = open\n    this.#machine.restore(machine)',
        replace: 'this.#machine.restore(machine)',
      },
      {
        id: 'answer-of-other-command',
        breaks: 'SE2',
        what: 'a frame that was cut is answered with the results of its first commands',
        file: sessionMachine,
        find: 'giveKnown(results, answer?.results, met, known)',
        replace: 'giveKnown(results, answer?.results, 0, known)',
      },
      {
        id: 'hash-without-sessions',
        breaks: 'SE7',
        what: 'the hash of a node does not cover its sessions',
        file: sessionMachine,
        find: "return this.#isUnused ? hash : createHash('sha256').update(this.#packed()).update(hash).digest('hex')",
        replace: 'return hash',
      },
      {
        id: 'answers-unbounded',
        breaks: 'SE11',
        what: 'sessions remember results without a bound',
        file: sessions,
        find: 'if (this.#keptBytes > answerBytesMax) this.#forgetOldest()\n',
        replace: '',
      },
      {
        id: 'busy-session-replaced',
        breaks: 'SE9',
        what: 'a further session takes the place of one that was used just now',
        file: sessions,
        find: 'this.#sessions.delete(session.id)\n      this.#sessions.set(session.id, session)',
        replace: 'this.#sessions.set(session.id, session)',
      },
    ],
  ),
]
