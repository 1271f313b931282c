/** Reads of the protocol and of the driver, and the ages that stale reads tell. */
import { bySimulator } from '../mutant.js'
import { pausedLeaders } from './plans.js'

const driverReads = 'src/driver/reads.ts'
const freshness = 'src/driver/freshness.ts'
const readIndex = 'src/raft/read-index.ts'
const readsFile = 'src/raft/reads.ts'
const roles = 'src/raft/roles.ts'

export const reads = [
  ...bySimulator([
    {
      id: 'read-before-first-commit',
      breaks: 'RD2',
      what: 'a new leader serves a read before it has committed an entry of its term',
      file: readsFile,
      find: 'return isAnyWaiting && confirmingReads === undefined && log.termAt(log.commitIndex) === currentTerm',
      replace: 'return isAnyWaiting && confirmingReads === undefined',
    },
    {
      id: 'read-unconfirmed',
      breaks: 'RD3',
      what: 'a read is served before a majority has answered its round',
      file: readsFile,
      find: 'if (answeredRound(state) < confirming.round) return\n',
      replace: '',
    },
    {
      id: 'follower-does-not-ask',
      breaks: 'RD14',
      what: 'a follower serves a read without asking its leader',
      file: readIndex,
      find: 'readsToAsk.push(id)\n',
      replace: 'state.outbox.reads.push({ ids: [id], readIndex: state.log.commitIndex })\n',
    },
    {
      id: 'old-question-answered',
      breaks: 'RD18',
      what: 'an answer to an earlier question confirms the reads of a later one',
      file: readIndex,
      find: 'if (askedReads?.question !== question || from !== leaderId) return\n',
      replace: 'if (askedReads === undefined || from !== leaderId) return\n',
    },
    {
      id: 'readindex-of-other-log',
      breaks: 'RD20',
      what: 'a follower commits up to a readIndex where its log holds another entry',
      file: readIndex,
      find: 'if (toldCommit.index > log.commitIndex && log.has(toldCommit)) log.commitIndex = toldCommit.index',
      replace:
        'if (toldCommit.index > log.commitIndex && toldCommit.index <= log.lastIndex) log.commitIndex = toldCommit.index',
    },
    {
      id: 'reads-never-given-up',
      breaks: 'RD6',
      what: 'a leader that steps down leaves its waiting reads without an answer',
      file: roles,
      find: 'if (ids.length > 0) state.outbox.reads.push({ ids, readIndex: undefined })\n',
      replace: '',
    },
    {
      id: 'read-before-applied',
      breaks: 'RQ3',
      what: 'a read is served before its readIndex is applied',
      file: driverReads,
      find: 'if (readIndex > lastApplied || bytesServed >= this.#resultBytesMax) break',
      replace: 'if (bytesServed >= this.#resultBytesMax) break',
    },
    {
      id: 'old-answer-read-ahead',
      breaks: 'RQ4',
      what: 'an answer that was read ahead is told though the state was older than the readIndex',
      file: driverReads,
      find: 'if (ahead.lastApplied >= readIndex) return ahead.results',
      replace: 'if (ahead.lastApplied >= 0) return ahead.results',
    },
    {
      id: 'age-from-answer',
      breaks: 'RQ9',
      what: 'the age of a stale read counts from the answer, and not from the question',
      file: freshness,
      find: 'this.#upToDateAtMs = atMs\n',
      replace: 'this.#upToDateAtMs = this.#clock.now()\n',
    },
    {
      id: 'age-of-unapplied',
      breaks: 'RQ9',
      what: 'the age of a stale read counts from a question whose readIndex is not applied',
      file: freshness,
      find: 'if (this.#raft.state.log.lastApplied < readIndex) return\n',
      replace: '',
    },
    {
      id: 'age-zero-unapplied',
      breaks: 'RQ9',
      what: 'a leader tells an age of 0 that has not applied all that it has committed',
      file: freshness,
      find: 'if (isAllApplied && this.#raft.holdsLease(',
      replace: 'if (this.#raft.holdsLease(',
    },
  ]),
  ...bySimulator(
    [
      {
        id: 'read-by-round-before',
        breaks: 'RD5',
        what: 'a read is confirmed by the round before its own',
        file: readsFile,
        find: 'round: heartbeatRound + 1,',
        replace: 'round: heartbeatRound,',
      },
    ],
    pausedLeaders,
  ),
]
