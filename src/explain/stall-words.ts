/** A stall in words. */
import type { Story } from '../telemetry/index.js'
import { foiledIn } from './election-words.js'
import { causeInWords, moment, sentence, span } from './phrases.js'
import type { Stall, StallReason } from './stall.js'

const reasons: Record<Exclude<StallReason, 'ordinary'>, (stall: Stall, story: Story) => string> = {
  noLeader: () => 'nobody led, so there was nobody to commit anything',
  noMajority: ({ leaderId }) =>
    `node ${leaderId} led, and too few nodes answered it in time to make a majority`,
  disk: () => 'what is not on the disks of a majority is not committed, and a disk was late',
  leaderStood: ({ leaderId }) => `node ${leaderId} led, and stood still`,
  hostBlocked: () =>
    'the program that holds the cluster and its clients stood still, and with it all requests',
  handingOver: ({ leaderId }) =>
    `node ${leaderId} was handing over, and a leader that hands over takes no commands`,
  backPressure: ({ leaderId, refused }) =>
    `node ${leaderId} turned ${refused} requests away, since too much waited already`,
  noLoad: () => 'nobody asked for anything',
  // A node notes a write from half an election timeout on, and a standstill that lasts longer than a heartbeat interval.
  unknown: (_, { electionTimeoutMs, heartbeatIntervalMs }) =>
    `nothing that is kept accounts for it. Nodes note no write that takes less than ${span(electionTimeoutMs / 2)}, and no standstill of less than ${span(heartbeatIntervalMs)}`,
}

export function stallInWords(stall: Stall, story: Story, beganMs: number): string {
  const { reason, causes, election, refused } = stall
  const lines = [
    ...headOf(stall, story, beganMs),
    ...causes.map((cause) => sentence(causeInWords(cause, beganMs))),
    ...(election === undefined ? [] : foiledIn(election, beganMs)),
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

function headOf(stall: Stall, story: Story, beganMs: number): string[] {
  const { forMs, sinceMs, isOver, isAsked, reason, partMs } = stall
  const length = `${span(forMs)}, from ${moment(sinceMs, beganMs)} on`
  if (reason === 'noLeader' && !isAsked) {
    const led = isOver ? 'Nobody led' : 'Nobody has led'
    return [sentence(`${led} for ${length}`), sentence('What is kept tells of no call in that time')]
  }
  const head = isOver ? 'The longest time without a commit was' : 'Nothing has been committed for'
  if (reason === 'ordinary') {
    const interval = span(story.heartbeatIntervalMs)
    const why = `This is ordinary: it is no longer than the ${interval} from one heartbeat to the next`
    return [sentence(`${head} ${length}`), sentence(why)]
  }
  const part = partMs === undefined ? '' : `, for ${span(partMs)} of it`
  const why = `What stood in the way${part}: ${reasons[reason](stall, story)}`
  return [sentence(`${head} ${length}`), sentence(why)]
}
