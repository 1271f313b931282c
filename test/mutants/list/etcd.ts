/** etcd's store: revisions, transactions, compaction, history, leases, and watches. */
import { byTests } from '../mutant.js'

const history = 'src/mvcc/history.ts'
const hub = 'src/etcd/watch/hub.ts'
const leases = 'src/mvcc/leases.ts'
const ranges = 'src/mvcc/ranges.ts'
const store = 'src/mvcc/store.ts'
const stream = 'src/etcd/watch/stream.ts'
const watcher = 'src/etcd/watch/watcher.ts'
const txn = 'src/mvcc/txn.ts'

export const etcd = [
  ...byTests(
    ['test/mvcc/revisions.test.ts'],
    [
      {
        id: 'create-revision-moves',
        breaks: 'RV2',
        what: 'a further put of a key gets another create revision',
        file: store,
        find: 'createRevision: present?.createRevision ?? revision,',
        replace: 'createRevision: revision,',
      },
      {
        id: 'version-goes-on-after-delete',
        breaks: 'RV2',
        what: 'a put after a delete goes on with the version',
        file: store,
        find: 'const isLive = head !== 0 && !records.isDelete(head)\n    const present',
        replace: 'const isLive = head !== 0\n    const present',
      },
      {
        id: 'revision-without-change',
        breaks: 'RV1',
        what: 'a command that changes nothing makes a revision',
        file: store,
        find: 'this.revision = this.visibleRevision\n',
        replace: 'this.revision++\n',
      },
    ],
  ),
  ...byTests(
    ['test/mvcc/compaction.test.ts'],
    [
      {
        id: 'compaction-drops-value-in-force',
        breaks: 'KC3',
        what: 'a compaction drops the record in force of a key that was written at its revision',
        file: store,
        find: 'return later === 0 || records.revisionOf(later) > compactRevision',
        replace: 'return later !== 0 && records.revisionOf(later) > compactRevision',
      },
      {
        id: 'deletes-survive-compaction',
        breaks: 'KC3',
        what: 'a delete before the compaction stays in the history',
        file: store,
        find: 'if (records.isDelete(ref)) return false\n',
        replace: '',
      },
      {
        id: 'compaction-of-the-future',
        breaks: 'KC1',
        what: 'a compaction above the present revision is taken',
        file: store,
        find: "if (revision > this.revision) return 'futureRevision'\n    this",
        replace: 'this',
      },
      {
        id: 'read-below-compaction',
        breaks: 'KC2',
        what: 'a read below the compaction is answered',
        file: ranges,
        find: "if (revision < store.compactRevision) return 'compacted'\n",
        replace: '',
      },
    ],
  ),
  ...byTests(
    ['test/mvcc/ranges.test.ts'],
    [
      {
        id: 'limit-hides-count',
        breaks: 'RG4',
        what: 'the count of a range is that of the keys within the limit',
        file: ranges,
        find: 'const count = found.length < kvsMax ? found.length : countOf(store, keyed, revision)',
        replace: 'const count = found.length',
      },
      {
        id: 'future-read-as-present',
        breaks: 'RG3',
        what: 'a read at a later revision than the present one is answered',
        file: ranges,
        find: "if (request.revision > current) return 'futureRevision'\n",
        replace: '',
      },
    ],
  ),
  ...byTests(
    ['test/mvcc/transactions.test.ts'],
    [
      {
        id: 'compare-of-one-key-of-range',
        breaks: 'TX2',
        what: 'a compare with a range end looks at the last key of the range alone',
        file: txn,
        find: 'return holds && room.take(0)',
        replace: 'return room.take(0)',
      },
      {
        id: 'nested-compare-sees-changes',
        breaks: 'TX1',
        what: 'one compare that holds is enough for success',
        file: txn,
        find: 'request.compare.every((compare)',
        replace: 'request.compare.some((compare)',
      },
      {
        id: 'refused-put-within-transaction',
        breaks: 'TX4',
        what: 'a transaction with a put that must be refused runs',
        file: txn,
        find: 'firstRefusal(running, request, refusesPutOp) ?? firstRefusal(running, request, refusesRangeOp)',
        replace: 'firstRefusal(running, request, refusesRangeOp)',
      },
    ],
  ),
  ...byTests(
    ['test/mvcc/history.test.ts'],
    [
      {
        id: 'revision-torn-in-history',
        breaks: 'HY1',
        what: 'an answer of the history ends within a revision',
        file: history,
        find: 'if (whole.count > 0 && length > bytesMax) {',
        replace: 'if (whole.count < 0) {',
      },
      {
        id: 'previous-of-same-transaction',
        breaks: 'HY4',
        what: 'the key-value before a change is one of the same revision',
        file: history,
        find: 'while (prev !== 0 && records.revisionOf(prev) === revision) prev = records.earlierOf(prev)\n',
        replace: '',
      },
    ],
  ),
  ...byTests(
    ['test/mvcc/leases.test.ts'],
    [
      {
        id: 'keep-alive-without-effect',
        breaks: 'LS4',
        what: 'a keep-alive does not give the whole time to live',
        file: leases,
        find: 'lease.sinceMs = untold\n    this.#untold.add(lease)',
        replace: 'this.#untold.delete(lease)',
      },
      {
        id: 'lease-ends-in-new-term',
        breaks: 'LS4',
        what: 'the time to live does not begin anew in a new term',
        file: leases,
        find: 'const since = Math.max(sinceMs, this.#termSinceMs)',
        replace: 'const since = sinceMs',
      },
      {
        id: 'lease-ends-too-early',
        breaks: 'LS4',
        what: 'a lease ends at the last moment of its time to live',
        file: leases,
        find: 'if (this.#timeMs <= this.#endMs(lease) || taken++ === endedMax) break',
        replace: 'if (this.#timeMs < this.#endMs(lease) || taken++ === endedMax) break',
      },
    ],
  ),
  ...byTests(
    ['test/etcd/watch-hub.test.ts'],
    [
      {
        id: 'watch-told-of-the-past',
        breaks: 'a watch begins at its revision',
        what: 'a watch is told of the revision before the one that it asked for',
        file: watcher,
        find: 'return event.revision >= watcher.next &&',
        replace: 'return event.revision + 1 >= watcher.next &&',
      },
      {
        id: 'slow-watch-loses-events',
        breaks: 'a watch tells every event',
        what: 'a watch whose client has no room loses the events that do not fit',
        file: hub,
        find: 'late(watcher, events[0]!.revision)\n',
        replace: 'late(watcher, revision + 1)\n',
      },
      {
        id: 'lost-history-not-told',
        breaks: 'a watch of lost history is canceled',
        what: 'a watch whose history is gone is not told that it is canceled',
        file: stream,
        find: 'this.#send(header, watcher.idBytes, canceled, compactRevisionBytes(compactRevision))',
        replace: 'this.#send(header, watcher.idBytes, compactRevisionBytes(compactRevision))',
      },
    ],
  ),
  ...byTests(
    ['test/mvcc/lease-commands.test.ts'],
    [
      {
        id: 'lease-keeps-key',
        breaks: 'LS3',
        what: 'a key that was put under another lease ends with its former one',
        file: store,
        find: 'if (present !== undefined && present.lease !== 0n) this.#leases.detach(number, present.lease)\n',
        replace: '',
      },
    ],
  ),
]
