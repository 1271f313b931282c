/**
 * Whole scenarios as stories: each file of `test/raft/transcripts` is compared with what the protocol does.
 * `npx vitest run test/raft/transcripts -u` writes the files anew.
 */
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { powerLoss, restart, stalledDisk } from './scenarios/disks.js'
import { checkQuorum, election, preVoteRefused, splitVote } from './scenarios/elections.js'
import {
  configurationTakenBack,
  jointInherited,
  leaderRemoved,
  memberAdded,
  transfer,
  transferGivenUp,
  transferRepeated,
} from './scenarios/members.js'
import { figure7, figure8d, figure8e, lossInPipeline } from './scenarios/replication.js'
import { lease, snapshot } from './scenarios/snapshots.js'
import type { Story } from './support/story.js'

const scenarios: Readonly<Record<string, () => Story>> = {
  election,
  'split-vote': splitVote,
  'pre-vote-refused': preVoteRefused,
  'check-quorum': checkQuorum,
  'figure-7': figure7,
  'figure-8-d': figure8d,
  'figure-8-e': figure8e,
  'loss-in-pipeline': lossInPipeline,
  snapshot,
  lease,
  'stalled-disk': stalledDisk,
  'power-loss': powerLoss,
  restart,
  'member-added': memberAdded,
  'joint-inherited': jointInherited,
  'leader-removed': leaderRemoved,
  'configuration-taken-back': configurationTakenBack,
  transfer,
  'transfer-given-up': transferGivenUp,
  'transfer-repeated': transferRepeated,
}

/** The tests run from dist, and the transcripts stay beside the sources. */
const folder = resolve('test/raft/transcripts')

// Stands first, since a file that is missing may be written by the test below.
test('each transcript has its scenario, and each scenario its transcript', () => {
  const names = Object.keys(scenarios).map((name) => `${name}.txt`)
  expect(
    readdirSync(folder)
      .filter((name) => name.endsWith('.txt'))
      .sort(),
  ).toEqual(names.sort())
})

test.each(Object.entries(scenarios))('%s', async (name, play) => {
  await expect(play().text).toMatchFileSnapshot(resolve(folder, `${name}.txt`))
})
