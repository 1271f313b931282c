/**
 * A program for the tests of the LMDB store: appends entry after entry to the log in a directory and prints
 * what it is told of each. Ends at the first failure, after one more try.
 *
 *     node lmdb-writer.js DIR BYTES-OF-AN-ENTRY WRITES [VERSION-OF-LMDB]
 */
import { writeSync } from 'node:fs'
import { openLmdbStore } from '../../src/storage/index.js'
import { installedLmdb } from '../../src/storage/one-flush/lmdb-version.js'
import { persistOf, runOf, testMembership } from '../../src/testing/store-model.js'
import { nodeId } from './node-id.js'

const installed = installedLmdb()
const [dir = '', size = '100', writes = '10', version = installed.lmdb] = process.argv.slice(2)
const lmdb = { ...installed, lmdb: version }
const { store } = openLmdbStore({ dir, nodeId, membership: testMembership, lmdb })
// Without a buffer: the line is out before anything else happens, and a trace shows where.
const say = (line: string) => writeSync(1, `${line}\n`)

function append(index: number): void {
  const entries = [runOf(index, 1, 1, Number(size))]
  say(`writing ${index}`)
  store.write(persistOf({ hardState: { currentTerm: index, votedFor: 1 }, entries }), (error) => {
    if (error !== undefined) {
      say(`failed ${index}: ${error.message}`)
      store.write(persistOf({}), (again) => say(`again: ${again?.message}`))
    } else {
      say(`flushed ${index}`)
      if (index < Number(writes)) append(index + 1)
    }
  })
}

append(1)
