/**
 * A program for the tests of the LMDB store: appends entry after entry to the log in a directory and prints
 * what it is told of each. Ends at the first failure, after one more try.
 *
 *     node lmdb-writer.js DIR BYTES-OF-AN-ENTRY WRITES
 */
import { writeSync } from 'node:fs'
import { openLmdbStore } from '../../src/storage/index.js'
import { persistOf, runOf, testMembership } from '../../src/testing/store-model.js'
import { nodeId } from './node-id.js'

const [dir = '', size = '100', writes = '10'] = process.argv.slice(2)
const { store } = openLmdbStore({ dir, nodeId, membership: testMembership })
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
