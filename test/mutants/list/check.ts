/** Verdicts on histories: of the search, and of the judge of etcd's API. */
import { byTests } from '../mutant.js'

const search = 'src/check/search.ts'
const timeline = 'src/check/timeline.ts'
const window = 'src/check/window.ts'
const known = 'src/check/etcd/known.ts'
const shown = 'src/check/etcd/shown.ts'
const watches = 'src/check/etcd/watches.ts'
const leases = 'src/check/etcd/leases.ts'

export const check = [
  ...byTests(
    ['test/check/check.test.ts', 'test/check/window.test.ts'],
    [
      {
        id: 'full-memory-is-a-no',
        breaks: 'verdict',
        what: 'a search that lacks memory says that there is no order',
        file: search,
        find: "if (this.#isFull) return 'full'\n",
        replace: "if (this.#isFull) return 'not-linearizable'\n",
      },
      {
        id: 'failed-calls-happen',
        breaks: 'verdict',
        what: 'an operation that failed counts as one that may have happened',
        file: timeline,
        find: "operation.outcome === 'unknown' && !reads(operation)",
        replace: "operation.outcome !== 'ok' && !reads(operation)",
      },
      {
        id: 'unknown-happens-early',
        breaks: 'verdict',
        what: 'an operation of unknown outcome may have happened before its call',
        file: search,
        find: 'if (unknownAt[at]! > this.#row[0]!) return false\n',
        replace: '',
      },
      {
        id: 'window-misses-one',
        breaks: 'window',
        what: 'the last operation that a contradiction needs is left out of the window',
        file: window,
        find: 'kept = [...kept, candidates[count - 1]!]\n',
        replace: '',
      },
    ],
  ),
  ...byTests(
    ['test/check/etcd/rules.test.ts', 'test/check/etcd/random.test.ts'],
    [
      {
        id: 'first-revision-known-alone',
        breaks: 'revisions never go back',
        what: 'only the first revision that anybody was told counts as known',
        file: known,
        find: 'if (telling.revision > (this.#rising.at(-1)?.revision ?? 0)) this.#rising.push(telling)',
        replace: 'if (this.#rising.length === 0) this.#rising.push(telling)',
      },
      {
        id: 'missing-key-passes',
        breaks: 'a range shows its revision',
        what: 'a range may leave out a key that was there',
        file: shown,
        find: 'if (version?.held === undefined || shown.has(key)',
        replace: 'if (version?.held !== undefined || shown.has(key)',
      },
      {
        id: 'progress-promises-nothing',
        breaks: 'a watch misses no event',
        what: 'progress at a revision does not say that all events up to it were told',
        file: watches,
        find: 'if (tellsProgress) reach(part, revision, at)\n',
        replace: '',
      },
      {
        id: 'repeated-event-passes',
        breaks: 'a watch tells each event once',
        what: 'an event that a watch tells twice counts once',
        file: watches,
        find: 'seen.add(name)\n',
        replace: '',
      },
      {
        id: 'lease-may-end-early',
        breaks: 'a lease lives its TTL, and no longer',
        what: 'a keep-alive does not lengthen the life of a lease',
        file: leases,
        find: 'if (time > (lease.aliveUntil?.time ?? Number.NEGATIVE_INFINITY)) lease.aliveUntil',
        replace: 'if (lease.aliveUntil === undefined) lease.aliveUntil',
      },
      {
        id: 'open-question-is-a-yes',
        breaks: 'verdict',
        what: 'a contradiction that an unseen event may explain is passed over',
        file: 'src/check/etcd/judge.ts',
        find: 'if (this.#undecided.length < failuresMax)',
        replace: 'if (this.#undecided.length < 0)',
      },
      {
        id: 'call-happens-twice',
        breaks: 'a call happens once',
        what: 'a call of unknown outcome may have made several revisions',
        file: 'src/check/etcd/matching.ts',
        find: '    this.#makersOf.delete(revision)\n    return false',
        replace: '    this.#makersOf.delete(revision)\n    return true',
      },
    ],
  ),
  ...byTests(
    ['test/sim/judged.test.ts'],
    [
      {
        id: 'follower-does-not-ask-its-leader',
        breaks: 'RD14',
        what: 'a follower serves a read without asking its leader: clients see it without a ledger',
        file: 'src/raft/read-index.ts',
        find: 'readsToAsk.push(id)\n',
        replace: 'state.outbox.reads.push({ ids: [id], readIndex: state.log.commitIndex })\n',
      },
    ],
  ),
]
