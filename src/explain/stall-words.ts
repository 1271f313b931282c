/** A stall in words. */
import { causeInWords, moment, sentence, span } from './phrases.js'
import type { Stall, StallReason } from './stall.js'

const reasons: Record<StallReason, (stall: Stall) => string> = {
  noLeader: () => 'nobody led, so there was nobody to commit anything',
  noMajority: ({ leaderId }) =>
    `node ${leaderId} led, and too few nodes answered it in time to make a majority`,
  disk: () => 'what is not on the disks of a majority is not committed, and a disk was late',
  leaderStood: ({ leaderId }) => `node ${leaderId} led, and stood still`,
  hostBlocked: () =>
    'the program that holds the cluster and its clients stood still, and with it all requests',
  backPressure: ({ leaderId, refused }) =>
    `node ${leaderId} turned ${refused} requests away, since too much waited already`,
  noLoad: () => 'nobody asked for anything',
  unknown: () =>
    'nothing that is kept tells why: somebody led, no disk was late, and enough nodes could be reached',
}

export function stallInWords(stall: Stall, beganMs: number): string {
  const { forMs, sinceMs, isOver, reason, causes, election, refused } = stall
  const length = `${span(forMs)}, from ${moment(sinceMs, beganMs)} on`
  const part = stall.partMs === undefined ? '' : `, for ${span(stall.partMs)} of it`
  const lines = [
    sentence(
      isOver ? `The longest time without a commit was ${length}` : `Nothing has been committed for ${length}`,
    ),
    sentence(`What stood in the way${part}: ${reasons[reason](stall)}`),
    ...causes.map((cause) => sentence(causeInWords(cause, beganMs))),
  ]
  if (election?.winnerId !== undefined) {
    lines.push(
      sentence(
        `Node ${election.winnerId} led term ${election.term} after ${span(election.leaderlessMs)} without a leader`,
      ),
    )
  }
  if (refused > 0 && reason !== 'backPressure') {
    lines.push(sentence(`${refused} requests were turned away meanwhile`))
  }
  return lines.join('\n')
}
