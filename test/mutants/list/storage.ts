/** The store, its recovery, and the pledges of a cluster's directory. The simulator runs the same code on disks in memory. */
import { bySimulator, byTests } from '../mutant.js'
import { lostDisks } from './plans.js'

const chain = 'src/storage/chain.ts'
const lmdbStore = 'src/storage/lmdb-store.ts'
const oneFlush = 'src/storage/one-flush/index.ts'
const pledge = 'src/storage/pledge.ts'
const pledgedStore = 'src/storage/pledged-store.ts'
const record = 'src/storage/record.ts'
const recordStore = 'src/storage/record-store.ts'
const recovery = 'src/storage/recovery.ts'
const redo = 'src/storage/one-flush/redo.ts'
const shelf = 'src/storage/shelf.ts'

export const storage = [
  ...bySimulator([
    {
      id: 'end-of-log-not-written',
      breaks: 'DU1',
      what: 'a write of entries does not write down where the log ends',
      file: recordStore,
      find: 'if (isLogChanged || persist.entries.length > 0) write.changes.push(this.#pointersChange())',
      replace: 'if (isLogChanged) write.changes.push(this.#pointersChange())',
    },
    {
      id: 'vote-not-written',
      breaks: 'DU5',
      what: 'term and vote are not written',
      file: recordStore,
      find: 'if (persist.hardState !== undefined) write.changes.push(hardStateChange(persist.hardState))\n',
      replace: '',
    },
    {
      id: 'cut-records-stay',
      breaks: 'ST4',
      what: 'records that are cut off stay on the disk',
      file: recordStore,
      find: 'removeRecords(write, removed)\n    if (head',
      replace: 'if (head',
    },
    {
      id: 'log-kept-behind-install',
      breaks: 'ST9',
      what: 'the records behind a received snapshot stay on the disk',
      file: recordStore,
      find: 'removed.filter((start) => start > snapshot.index),',
      replace: 'removed.filter((start) => start < 0),',
    },
    {
      id: 'cut-one-record-too-far',
      breaks: 'ST8',
      what: 'the cut behind a snapshot takes one record too many',
      file: chain,
      find: 'const cutCount = base === this.lastIndex ? this.#starts.length : this.#positionOf(base + 1)',
      replace:
        'const cutCount = base === this.lastIndex ? this.#starts.length : this.#positionOf(base + 1) + 1',
    },
    {
      id: 'cut-records-never-removed',
      breaks: 'ST8',
      what: 'the records behind a snapshot are cut from the log and stay on the disk',
      file: recordStore,
      find: 'this.#sweep.addRecords(this.#chain.cut(base.index))',
      replace: 'this.#chain.cut(base.index)',
    },
    {
      id: 'snapshot-pieces-mixed',
      breaks: 'ST6',
      what: 'two attempts at a snapshot have the same generation',
      file: shelf,
      find: 'generation: this.#nextGeneration++,',
      replace: 'generation: this.#nextGeneration,',
    },
    {
      id: 'foreign-disk-accepted',
      breaks: 'PL1',
      what: "another node's disk is opened",
      file: pledge,
      find: 'if (found.identity !== identity) {',
      replace: 'if (found.identity === undefined && identity !== undefined) {',
    },
  ]),
  ...byTests(
    ['test/sim/damage.test.ts'],
    [
      {
        id: 'snapshot-piece-not-verified',
        breaks: 'ST4',
        what: 'a piece of a snapshot is sent without a look at its checksum',
        file: record,
        find: 'if (record.byteLength < chunkHeaderBytes || !isIntact(record)) {',
        replace: 'if (record.byteLength < chunkHeaderBytes) {',
      },
    ],
  ),
  ...byTests(
    ['test/storage/recovery.test.ts'],
    [
      {
        id: 'damage-taken-for-end',
        breaks: 'DU3',
        what: 'a log whose last records are missing is taken for a shorter one',
        file: recovery,
        find: 'if (chain.lastIndex < last.index) {',
        replace: 'if (chain.lastIndex < 0) {',
      },
      {
        id: 'torn-tail-kept',
        breaks: 'DU4',
        what: 'records past the acknowledged end are kept',
        file: recovery,
        find: 'if (tornTail.length > 0) table.commitNow(tornTail)\n',
        replace: '',
      },
      {
        id: 'checksum-not-compared',
        breaks: 'DU3',
        what: 'a damaged record is taken for data',
        file: record,
        find: 'return checksumOf(bytes) === crc32(bytes.subarray(checksumBytes))',
        replace: 'return true',
      },
      {
        id: 'misplaced-record-accepted',
        breaks: 'DU7',
        what: 'an intact record under the key of another is taken',
        file: record,
        find: 'if (run.index !== index) {',
        replace: 'if (run.index < 0) {',
      },
      {
        id: 'chain-not-compared',
        breaks: 'DU7',
        what: 'the last record is not compared with the one that was acknowledged',
        file: recovery,
        find: 'if (chain.tail !== last.checksum) {',
        replace: 'if (chain.tail < 0) {',
      },
    ],
  ),
  ...byTests(
    ['test/storage/power-loss-of-store.test.ts'],
    [
      {
        id: 'commit-without-flush',
        breaks: 'DU1',
        what: 'a transaction counts as flushed once LMDB has committed it',
        file: oneFlush,
        find: 'this.#system.fdatasync(this.#descriptor, (error) => {\n      if (error === null) this.#unsettled.noteSoon(this.#transaction)\n      done(error)\n    })',
        replace: 'this.#unsettled.noteSoon(this.#transaction)\n    done(null)',
      },
    ],
  ),
  ...byTests(
    ['test/storage/every-sector.test.ts'],
    [
      {
        id: 'torn-rows-taken-for-whole',
        breaks: 'DU4',
        what: 'a start takes the rows of the last transaction without a look at their checksums',
        file: redo,
        find: 'if (value === undefined || !isIntact(value) || checksumOf(value) !== checksum) return undefined',
        replace: 'if (value === undefined && !isIntact && !checksumOf) return undefined',
      },
      {
        id: 'torn-transaction-not-undone',
        breaks: 'DU6',
        what: 'a start never goes back behind a transaction that may be torn',
        file: redo,
        find: 'if (pages === undefined || newest === settled) return undefined\n    return {',
        replace: 'if (pages === undefined || newest >= settled) return undefined\n    return {',
      },
    ],
  ),
  ...byTests(
    ['test/cluster/flush-before-answer.test.ts', 'test/storage/power-loss-of-store.test.ts'],
    [
      {
        id: 'told-before-flush',
        breaks: 'DU1',
        what: 'the log is told of a write before its flush is over',
        file: lmdbStore,
        find: 'this.#flushing.flush((error) => {\n        if (error !== null) return fail(error)\n        this.#took(this.#now() - beganMs)\n        this.#finish(batch)\n      })',
        replace:
          'tellFlushed(batch)\n      this.#flushing.flush((error) => {\n        if (error !== null) return fail(error)\n        this.#writeNext()\n      })',
      },
    ],
  ),
  ...byTests(
    ['test/crashes/moments.test.ts'],
    [
      {
        id: 'cut-before-snapshot-is-flushed',
        breaks: 'DU8',
        what: 'the records behind a snapshot are gone before the write that makes it the newest is flushed',
        file: recordStore,
        find: 'this.#sweep.addRecords(this.#chain.cut(base.index))',
        replace:
          'for (const start of this.#chain.cut(base.index))\n      this.#table.commitNow([{ key: logKey(start), value: undefined }])',
      },
    ],
  ),
  ...byTests(
    ['test/storage/lmdb-store.test.ts'],
    [
      {
        id: 'write-after-failure',
        breaks: 'DU2',
        what: 'a store takes writes after one that failed',
        file: lmdbStore,
        find: '    this.#failure = failure\n    const failed',
        replace: '    const failed',
      },
    ],
  ),
  ...byTests(
    ['test/storage/store-conformance.test.ts'],
    [
      {
        id: 'retained-snapshot-dropped',
        breaks: 'ST7',
        what: 'a snapshot that is being sent is dropped for a newer one',
        file: shelf,
        find: 'if (this.#retained.has(index)) continue\n',
        replace: '',
      },
    ],
  ),
  ...byTests(
    ['test/storage/pledges.test.ts'],
    [
      {
        id: 'pledge-not-flushed',
        breaks: 'PL2',
        what: 'a new term and vote are pledged without a flush',
        file: pledgedStore,
        find: 'held: hasHeld ? { index, term } : pledge.held }, true)',
        replace: 'held: hasHeld ? { index, term } : pledge.held }, false)',
      },
      {
        id: 'clone-accepted',
        breaks: 'PL4',
        what: 'a clone of a disk is taken for the disk',
        file: pledge,
        find: 'const isOwnLife = lives.length === 0 ? life === noLife : lives.includes(life)',
        replace: 'const isOwnLife = true',
      },
    ],
  ),
  ...bySimulator(
    [
      {
        id: 'renewed-disk-votes',
        breaks: 'EL21',
        what: 'a node with a renewed disk may vote at once',
        file: pledge,
        find: 'votesFromTerm: currentTerm,',
        replace: 'votesFromTerm: 0,',
      },
      {
        id: 'older-copy-accepted',
        breaks: 'PL1',
        what: 'a disk that holds less than its node promised is opened',
        file: pledge,
        find: 'if (found.last.index < held.index) {',
        replace: 'if (found.last.index < 0) {',
      },
    ],
    lostDisks,
  ),
  // No run of the simulator cuts a record.
  ...byTests(
    ['test/storage/store-conformance.test.ts'],
    [
      {
        id: 'head-of-record-lost',
        breaks: 'ST3',
        what: 'a cut within a record loses the entries before the cut',
        file: recordStore,
        find: 'if (head !== undefined) this.#append(write, head)\n',
        replace: '',
      },
    ],
  ),
  // A hundred seeds with cuts and crashes did not come to it: the cut and a crash before the next entries.
  ...byTests(
    ['test/storage/torn-start.test.ts'],
    [
      {
        id: 'begun-log-begins-anew',
        breaks: 'PL6',
        what: 'torn first pages of a node that has begun count as no log',
        file: lmdbStore,
        find: 'if (place?.pledge.hasBegun === false && isTornStart(path, file)) rmSync',
        replace: 'if (isTornStart(path, file)) rmSync',
      },
    ],
  ),
  ...byTests(
    ['test/storage/pledges.test.ts'],
    [
      {
        id: 'cut-entries-missed',
        breaks: 'PL3',
        what: 'entries that are cut off are missed at the next start',
        file: pledgedStore,
        find: 'if (pledge.held.index > index) this.#place.keep({ ...pledge, held: { index, term: 0 } }, true)',
        replace: 'if (pledge.held.index < 0) this.#place.keep({ ...pledge, held: { index, term: 0 } }, true)',
      },
    ],
  ),
]
