/** Votes, terms, elections and leases. */
import { bySimulator, byTests } from '../mutant.js'
import {
  clocksInDanger,
  leasesInDanger,
  lostDisks,
  restartsAndStrays,
  transfersUnderLeases,
} from './plans.js'

const elections = 'src/raft/elections.ts'
const roles = 'src/raft/roles.ts'
const log = 'src/raft/log.ts'
const raft = 'src/raft/raft.ts'
const quorum = 'src/raft/quorum.ts'
const lease = 'src/raft/lease.ts'
const replication = 'src/raft/replication.ts'
const appendEntries = 'src/raft/append-entries.ts'

export const votes = [
  ...bySimulator([
    {
      id: 'vote-for-two',
      breaks: 'EL1',
      what: 'a voter votes for each candidate that asks in a term',
      file: elections,
      find: "if (state.votedFor !== undefined) return 'votedForAnother'",
      replace: '',
    },
    {
      id: 'vote-by-length',
      breaks: 'EL11',
      what: 'a voter compares the lengths of the logs, and not their last terms',
      file: log,
      find: 'return last.term > ours.term || (last.term === ours.term && last.index >= ours.index)',
      replace: 'return last.index >= ours.index',
    },
    {
      id: 'vote-by-term',
      breaks: 'EL11',
      what: 'a voter compares the last terms of the logs, and not their lengths',
      file: log,
      find: 'return last.term > ours.term || (last.term === ours.term && last.index >= ours.index)',
      replace: 'return last.term >= ours.term',
    },
    {
      id: 'vote-before-flush',
      breaks: 'DU10',
      what: 'a vote leaves before it is on the disk',
      file: elections,
      find: 'sendOnceFlushed(state, answer, 0)',
      replace: 'send(state, answer)',
    },
    {
      id: 'candidacy-before-flush',
      breaks: 'DU9',
      what: 'a candidate asks for votes before its own vote is on the disk',
      file: elections,
      find: "sendOnceFlushed(state, { type: 'requestVote', from, to, term, lastLogIndex, lastLogTerm, ...asked }, 0)",
      replace: "send(state, { type: 'requestVote', from, to, term, lastLogIndex, lastLogTerm, ...asked })",
    },
    {
      id: 'vote-not-repeated',
      breaks: 'EL2',
      what: 'a voter refuses the candidate that it voted for when the candidate asks again',
      file: elections,
      find: "if (state.votedFor === message.from) return 'votedBefore'\n",
      replace: '',
    },
    {
      id: 'old-campaign-counts',
      breaks: 'PV8',
      what: 'a pre-vote that was granted to an earlier campaign counts in a later one',
      file: elections,
      find: "if (state.role !== 'preCandidate' || message.campaign !== state.campaign) return",
      replace: "if (state.role !== 'preCandidate') return",
    },
    {
      id: 'learner-campaigns',
      breaks: 'EL14',
      what: 'a learner campaigns',
      file: elections,
      find: "return role !== 'leader' && priority > 0 && isCandidate && hasCaughtUp(state)",
      replace: "return role !== 'leader' && priority > 0 && hasCaughtUp(state)",
    },
    {
      id: 'priority-ignored',
      breaks: 'TL9',
      what: 'a node of priority 0 campaigns',
      file: elections,
      find: "return role !== 'leader' && priority > 0 && isCandidate && hasCaughtUp(state)",
      replace: "return role !== 'leader' && isCandidate && hasCaughtUp(state)",
    },
    {
      id: 'vote-kept-in-next-term',
      breaks: 'TM2',
      what: 'a node that adopts a later term keeps the vote of the earlier one',
      file: roles,
      find: 'state.votedFor = undefined\n',
      replace: '',
    },
    {
      id: 'promise-not-renewed',
      breaks: 'EL20',
      what: 'a heartbeat does not renew the promise to vote for nobody',
      file: appendEntries,
      find: 'state.leaderElapsedTicks = 0\n',
      replace: '',
    },
    {
      id: 'no-opening-entry',
      breaks: 'CM7',
      what: 'a leader opens its term without an entry',
      file: roles,
      find: 'state.log.push(emptyRun(state.log.lastIndex + 1, state.currentTerm))\n',
      replace: '',
    },
    {
      id: 'majority-of-half',
      breaks: 'EL6',
      what: 'two of four are a majority',
      file: quorum,
      find: 'return Math.floor(voterCount / 2) + 1',
      replace: 'return Math.ceil(voterCount / 2)',
    },
    {
      id: 'joint-votes-by-new-half',
      breaks: 'EL6',
      what: 'the incoming half of a joint configuration elects a leader alone',
      file: quorum,
      find: 'if (incoming === outgoing) return incoming\n',
      replace: "if (incoming !== 'pending') return incoming\n",
    },
    {
      id: 'old-answers-count',
      breaks: 'TM5',
      what: 'an answer of an earlier term counts',
      file: raft,
      find: 'if (message.term < state.currentTerm && isAnswer(message)) return\n',
      replace: '',
    },
    {
      id: 'stale-leader-followed',
      breaks: 'LR3',
      what: 'a node follows the leader of an earlier term',
      file: appendEntries,
      find: 'if (message.term < state.currentTerm) return refuse(state, message, 0, 0)\n',
      replace: '',
    },
    {
      id: 'quorum-unchecked',
      breaks: 'CQ1',
      what: 'a leader that no majority answers leads on',
      file: replication,
      find: 'if (isQuorumActive) return\n',
      replace: 'return\n',
    },
    {
      id: 'lease-as-long-as-promise',
      breaks: 'RD13',
      what: 'a lease lasts as long as the promise of the voters, however their clocks run',
      file: lease,
      find: 'return promisedTicks(limits) * 0.75',
      replace: 'return limits.electionTimeoutTicks',
    },
    {
      id: 'lease-of-unanswered-round',
      breaks: 'RD13',
      what: 'a lease counts from the latest round, whether a majority answered it or not',
      file: lease,
      find: 'findLast(({ round }) => round <= answered)',
      replace: 'findLast(({ round }) => round > 0)',
    },
  ]),
  ...byTests(
    ['test/raft/elections.test.ts'],
    [
      {
        id: 'timeouts-alike',
        breaks: 'EL10',
        what: 'all nodes have the same election timeout',
        file: roles,
        find: 'return electionTimeoutTicks + 1 + random.below(electionTimeoutTicks)',
        replace: 'return electionTimeoutTicks + 1 + random.below(1)',
      },
    ],
  ),
  ...byTests(
    ['test/raft/reasons.test.ts', 'test/raft/pre-vote.test.ts'],
    [
      {
        id: 'lost-pre-vote-told-as-later-term',
        breaks: 'CQ7',
        what: 'a pre-vote that is lost is told as a later term',
        file: elections,
        find: "{ reason: 'electionLost', decidedBy }",
        replace: "{ reason: 'higherTerm', from: decidedBy[0] ?? 0, messageType: 'preVoteResponse' }",
      },
    ],
  ),
  ...byTests(
    ['test/raft/questions.test.ts'],
    [
      {
        id: 'vote-taken-back',
        breaks: 'EL22',
        what: 'a refusal that comes late takes a counted vote back',
        file: elections,
        find: 'if (state.votes.get(message.from) === true) return\n',
        replace: '',
      },
    ],
  ),
  ...bySimulator(
    [
      {
        id: 'campaigns-counted-anew',
        breaks: 'PV8',
        what: 'a node that restarts counts its campaigns anew',
        file: raft,
        find: 'campaign: firstNumber,',
        replace: 'campaign: 0,',
      },
    ],
    restartsAndStrays,
  ),
  ...bySimulator(
    [
      {
        id: 'vote-against-living-leader',
        breaks: 'EL18',
        what: 'a node that hears its leader answers requests for votes',
        file: elections,
        find: "return state.role === 'leader' || isPromised(state)",
        replace: 'return false',
      },
      {
        id: 'promise-ends-with-restart',
        breaks: 'EL20',
        what: 'a node that restarts votes at once, although it may have heard a leader just before',
        file: raft,
        find: 'leaderElapsedTicks: hardState.currentTerm === 0 ? limits.electionTimeoutTicks : 0,',
        replace: 'leaderElapsedTicks: limits.electionTimeoutTicks,',
      },
    ],
    leasesInDanger,
  ),
  ...bySimulator(
    [
      {
        id: 'vote-with-lost-disk',
        breaks: 'EL21',
        what: 'a node that lost its disk votes before it has caught up',
        file: elections,
        find: 'return log.last.term >= votesFromTerm',
        replace: 'return true',
      },
    ],
    lostDisks,
  ),
  ...byTests(
    ['test/raft/check-quorum.test.ts'],
    [
      {
        id: 'stalled-disk-leads-on',
        breaks: 'CQ4',
        what: 'a leader whose disk stands still leads on',
        file: raft,
        find: 'if (isDiskStalled(state)) {',
        replace: 'if (false) {',
      },
    ],
  ),
  // Two ticks matter only where clocks run as far apart as they may, and a tick is late at the same time.
  ...byTests(
    ['test/raft/lease.test.ts'],
    [
      {
        id: 'lease-without-margin',
        breaks: 'RD13',
        what: 'the two ticks are not taken off the time of a lease',
        file: lease,
        find: 'return electionTimeoutTicks - 2',
        replace: 'return electionTimeoutTicks',
      },
    ],
  ),
  ...bySimulator(
    [
      {
        id: 'lease-kept-in-transfer',
        breaks: 'TL3',
        what: 'a leader keeps its lease after it has told another to take over',
        file: lease,
        find: 'if (state.leadership.isLeaseGivenUp) return false\n',
        replace: '',
      },
    ],
    transfersUnderLeases,
  ),
  ...bySimulator(
    [
      {
        id: 'clock-set-too-far',
        breaks: 'RD13',
        what: 'a clock may be set as far as if a lease took nothing of the promise that it stands on',
        file: 'src/faults/clock-bounds.ts',
        find: '(promisedMs * (1 - apart)) / (1 + apart) - leaseMs)',
        replace: '(promisedMs * (1 - apart)) / (1 + apart))',
      },
    ],
    clocksInDanger,
  ),
]
