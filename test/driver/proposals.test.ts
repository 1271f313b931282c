/** What a node tells of proposals whose entries it lost: never that they did not happen, unless that is certain. */
import { expect, test } from 'vitest'
import { Proposals } from '../../src/driver/proposals.js'
import { entryKinds, packCommands, stampRun } from '../../src/raft/index.js'
import type { Settlement } from '../../src/transport/index.js'

function waiting() {
  const settled: Settlement[] = []
  const proposals = new Proposals(
    (settlement) => settled.push(settlement),
    () => undefined,
  )
  return { proposals, settled }
}

const runAt = (index: number, term: number) =>
  stampRun(packCommands([new Uint8Array(1)]), index, term, entryKinds.commands)

test('[PR5][RQ1] a proposal whose place another one takes on its node may be committed by another node: it is told as unknown', () => {
  const { proposals, settled } = waiting()
  proposals.add(1, { index: 5, term: 1 }, 1)
  proposals.add(2, { index: 5, term: 3 }, 1)
  expect(settled).toMatchObject([{ request: 1, outcome: 'unknown' }])
  proposals.applied(runAt(5, 3))
  expect(settled).toMatchObject([{ request: 1 }, { request: 2, outcome: 'applied', index: 5 }])
})

test('[PR5][RQ1] a proposal in the place of which a snapshot came may be in it: it is told as unknown', () => {
  const { proposals, settled } = waiting()
  proposals.add(1, { index: 5, term: 1 }, 1)
  proposals.skipped({ index: 6, term: 2 })
  expect(settled).toMatchObject([{ request: 1, outcome: 'unknown' }])
})

test('[PR5] a proposal of an earlier term behind a snapshot of a later one did not happen', () => {
  const { proposals, settled } = waiting()
  proposals.add(1, { index: 7, term: 1 }, 1)
  proposals.skipped({ index: 6, term: 2 })
  expect(settled).toMatchObject([{ request: 1, outcome: 'refused', code: 'replaced' }])
})

test('[PR5] a proposal did not happen once an entry of another term is applied in its place', () => {
  const { proposals, settled } = waiting()
  proposals.add(1, { index: 5, term: 1 }, 1)
  proposals.applied(runAt(5, 2))
  expect(settled).toMatchObject([{ request: 1, outcome: 'refused', code: 'replaced' }])
})
