/** Lab 3B: agreement on commands. */
import { electionMs, Lab, type Submission } from './lab.js'

export function basicAgreement(seed: number): Lab {
  const lab = new Lab(seed, 3)
  for (let number = 1; number <= 3; number++) expectNumber(lab.one(3, { mayRetry: false }), number)
  return lab
}

/** Each command goes to each server once, by the bytes that are sent. */
export function bytesSent(seed: number): Lab {
  const lab = new Lab(seed, 3)
  lab.one(3, { mayRetry: false })
  const { bytes } = lab.sent
  const valueBytes = 5000
  for (let number = 2; number < 12; number++) {
    expectNumber(lab.one(3, { mayRetry: false, valueBytes }), number)
  }
  const limit = 3 * 10 * valueBytes + 50_000
  const sent = lab.sent.bytes - bytes
  if (sent > limit) throw new Error(`${sent} bytes were sent, and ${limit} at most are allowed`)
  expectSentOnce(lab)
  return lab
}

export function followersFail(seed: number): Lab {
  const lab = new Lab(seed, 3)
  lab.one(3, { mayRetry: false })
  lab.disconnect(lab.after(lab.oneLeader(), 1))
  lab.one(2, { mayRetry: false })
  lab.sleep(electionMs)
  lab.one(2, { mayRetry: false })
  const leader = lab.oneLeader()
  lab.disconnect(lab.after(leader, 1), lab.after(leader, 2))
  const lost = lab.start(leader)
  lab.sleep(2 * electionMs)
  expectNoAgreement(lab, [lost])
  return lab
}

export function leadersFail(seed: number): Lab {
  const lab = new Lab(seed, 3)
  lab.one(3, { mayRetry: false })
  lab.disconnect(lab.oneLeader())
  lab.one(2, { mayRetry: false })
  lab.sleep(electionMs)
  lab.one(2, { mayRetry: false })
  lab.disconnect(lab.oneLeader())
  const lost = lab.ids.map((id) => lab.start(id))
  lab.sleep(2 * electionMs)
  expectNoAgreement(lab, lost)
  return lab
}

export function followerReconnects(seed: number): Lab {
  const lab = new Lab(seed, 3)
  lab.one(3, { mayRetry: false })
  const away = lab.after(lab.oneLeader(), 1)
  lab.disconnect(away)
  lab.one(2, { mayRetry: false })
  lab.one(2, { mayRetry: false })
  lab.sleep(electionMs)
  lab.one(2, { mayRetry: false })
  lab.one(2, { mayRetry: false })
  lab.connect(away)
  lab.one(3)
  lab.sleep(electionMs)
  lab.one(3)
  return lab
}

export function tooManyDisconnect(seed: number): Lab {
  const lab = new Lab(seed, 5)
  lab.one(5, { mayRetry: false })
  const leader = lab.oneLeader()
  const away = [1, 2, 3].map((places) => lab.after(leader, places))
  lab.disconnect(...away)
  const lost = lab.start(leader)
  lab.sleep(2 * electionMs)
  expectNoAgreement(lab, [lost])
  lab.connect(...away)
  // The majority may have elected another leader, which does not know the command.
  const next = lab.start(lab.oneLeader())
  if (!lab.within(2 * electionMs, () => lab.appliedBy(next) > 0)) throw new Error('the leader did not commit')
  const number = lab.numberOf(next)
  if (number < 2 || number > 3) throw new Error(`the command is number ${number}, and not 2 or 3`)
  lab.one(5)
  return lab
}

export function concurrentStarts(seed: number): Lab {
  const lab = new Lab(seed, 3)
  const leader = lab.oneLeader()
  const term = lab.agreedTerm()
  const submissions = lab.startMany(leader, 6)
  const isAgreed = lab.within(2000, () => submissions.every((submission) => lab.appliedBy(submission) === 3))
  // The lab tries five times, should the term change meanwhile; here no term changes without a failure.
  if (lab.agreedTerm() !== term) throw new Error('there was an election without a failure')
  if (!isAgreed) throw new Error('six commands at once were not agreed on in 2 s')
  expectNumber(Math.max(...submissions.map((submission) => lab.numberOf(submission))), 6)
  expectSentOnce(lab)
  return lab
}

export function leaderRejoins(seed: number): Lab {
  const lab = new Lab(seed, 3)
  lab.one(3)
  const first = lab.oneLeader()
  lab.disconnect(first)
  const lost = lab.startMany(first, 3)
  // Another leader commits at the same indexes.
  lab.one(2)
  const second = lab.oneLeader()
  lab.disconnect(second)
  lab.connect(first)
  lab.one(2)
  lab.connect(second)
  lab.one(3)
  expectNoAgreement(lab, lost)
  return lab
}

/** Fifty entries that no majority has, twice, in logs of several servers. */
export function backsUpQuickly(seed: number): Lab {
  const lab = new Lab(seed, 5)
  const agree = (): void => {
    for (let command = 0; command < 50; command++) lab.one(3)
  }
  lab.one(5)
  const first = lab.oneLeader()
  const [friend, ...others] = [1, 2, 3, 4].map((places) => lab.after(first, places)) as [number, ...number[]]
  lab.disconnect(...others)
  const lost = lab.startMany(first, 50)
  lab.sleep(electionMs / 2)
  lab.disconnect(first, friend)
  lab.connect(...others)
  agree()
  const second = lab.oneLeader()
  const away = others.find((id) => id !== second) ?? 0
  lab.disconnect(away)
  lost.push(...lab.startMany(second, 50))
  lab.sleep(electionMs / 2)
  lab.disconnect(...lab.ids)
  lab.connect(first, friend, away)
  agree()
  lab.connect(...lab.ids)
  lab.one(5)
  expectNoAgreement(lab, lost)
  // The tails of four servers are each of one term, so each costs one refusal, however long the tail is [LR10].
  const refusalsMax = 2 * lab.ids.length
  if (lab.sent.refusals > refusalsMax)
    throw new Error(
      `the leaders backed up ${lab.sent.refusals} times, and ${refusalsMax} at most are allowed`,
    )
  return lab
}

export function requestsSent(seed: number): Lab {
  const lab = new Lab(seed, 3)
  const leader = lab.oneLeader()
  expectRequests('the first election', lab.sent.requests, 1, 30)
  const term = lab.agreedTerm()
  const commands = 10
  const before = lab.sent.requests
  const submissions = lab.startMany(leader, commands + 2)
  const isAgreed = lab.within(2000, () => submissions.every((submission) => lab.appliedBy(submission) === 3))
  if (!isAgreed || lab.agreedTerm() !== term)
    throw new Error('twelve commands were not agreed on in one term')
  expectRequests('twelve commands', lab.sent.requests - before, 1, 3 * (commands + 1 + 3))
  const afterwards = lab.sent.requests
  lab.sleep(electionMs)
  expectRequests('an idle second', lab.sent.requests - afterwards, 1, 3 * 20)
  expectSentOnce(lab)
  return lab
}

function expectRequests(what: string, requests: number, least: number, most: number): void {
  if (requests < least || requests > most)
    throw new Error(`${what} took ${requests} requests, and not ${least} to ${most}`)
}

/**
 * Each entry goes to each follower once. A leader repeats its first one when a heartbeat, which is not written, is answered
 * before it [FC1].
 */
function expectSentOnce(lab: Lab): void {
  const followers = lab.ids.length - 1
  const entries = lab.cluster.world.checker.ledger.last.index
  if (lab.sent.entries > followers * (entries + 1))
    throw new Error(`${entries} entries were sent ${lab.sent.entries} times to ${followers} followers`)
}

function expectNumber(number: number, expected: number): void {
  if (number !== expected) throw new Error(`the command is number ${number}, and not ${expected}`)
}

function expectNoAgreement(lab: Lab, lost: readonly Submission[]): void {
  if (lost.some((submission) => lab.appliedBy(submission) > 0))
    throw new Error('a command without a majority is applied')
}
