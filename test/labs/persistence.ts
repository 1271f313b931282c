/** Lab 3C: what survives crashes, also on links that lose, delay and reorder. */
import { electionMs, Lab, type Submission } from './lab.js'

export function basicPersistence(seed: number): Lab {
  const lab = new Lab(seed, 3)
  lab.one(3)
  lab.crashAndRestartAll()
  lab.one(3)
  const first = lab.oneLeader()
  lab.crash(first)
  lab.restart(first)
  lab.one(3)
  const second = lab.oneLeader()
  lab.crash(second)
  lab.one(2)
  lab.restart(second)
  const isJoined = lab.within(2 * electionMs, () => hasAllCommitted(lab, second))
  if (!isJoined) throw new Error(`node ${second} did not catch up after its restart`)
  const third = lab.after(lab.oneLeader(), 1)
  lab.crash(third)
  lab.one(2)
  lab.restart(third)
  lab.one(3)
  return lab
}

export function morePersistence(seed: number): Lab {
  const lab = new Lab(seed, 5)
  for (let round = 0; round < 5; round++) {
    lab.one(5)
    const leader = lab.oneLeader()
    const [first, second, third, fourth] = [1, 2, 3, 4].map((places) => lab.after(leader, places)) as [
      number,
      number,
      number,
      number,
    ]
    lab.crash(first, second)
    lab.one(3)
    lab.crash(leader, third, fourth)
    lab.restart(first, second)
    lab.sleep(electionMs)
    lab.restart(third)
    lab.one(3)
    lab.restart(fourth, leader)
  }
  lab.one(5)
  return lab
}

export function partitionedLeaderAndFollowerCrash(seed: number): Lab {
  const lab = new Lab(seed, 3)
  lab.one(3)
  const leader = lab.oneLeader()
  const [crashed, away] = [lab.after(leader, 1), lab.after(leader, 2)]
  lab.disconnect(away)
  lab.one(2)
  lab.crash(leader, crashed)
  lab.connect(away)
  lab.restart(leader)
  lab.one(2)
  lab.restart(crashed)
  lab.one(3)
  return lab
}

/** The time from one command to the next: mostly less than a message takes, now and then half an election. */
function pause(lab: Lab): void {
  lab.sleep(lab.dice.chance(0.1) ? lab.dice.below(electionMs / 2) : lab.dice.below(13))
}

/** Leaders crash before they commit, mostly, and just enough servers are up to elect the next (Figure 8). */
export function figure8(seed: number): Lab {
  const lab = new Lab(seed, 5)
  lab.one(1)
  for (let round = 0; round < 1000; round++) {
    const leaders = lab.ids.filter((id) => lab.claimsToLead(id))
    for (const leader of leaders) lab.start(leader)
    pause(lab)
    const last = leaders.at(-1)
    if (last !== undefined) lab.crash(last)
    const server = lab.anyServer()
    if (lab.ids.filter((id) => lab.isUp(id)).length < 3 && !lab.isUp(server)) lab.restart(server)
  }
  lab.restart(...lab.ids.filter((id) => !lab.isUp(id)))
  lab.one(5)
  return lab
}

export function unreliableAgreement(seed: number): Lab {
  const lab = new Lab(seed, 5, { isReliable: false })
  const submissions: Submission[] = []
  for (let round = 1; round < 50; round++) {
    const leader = lab.ids.find((id) => lab.claimsToLead(id))
    // Clients of the lab begin anew when their command is lost, which the next rounds do here.
    if (leader !== undefined) submissions.push(...lab.startMany(leader, 4))
    lab.one(1)
  }
  lab.makeReliable()
  lab.one(5)
  const isSettled = lab.within(2000, () => submissions.every(({ outcome }) => outcome !== undefined))
  if (!isSettled) throw new Error('a client was not told what became of its command')
  return lab
}

/** As Figure 8, by disconnections, and from round 200 on answers come up to 2.4 s late. */
export function figure8Unreliable(seed: number): Lab {
  const lab = new Lab(seed, 5, { isReliable: false })
  lab.one(1)
  for (let round = 0; round < 1000; round++) {
    if (round === 200) lab.reorderAnswers()
    const leaders = lab.ids.filter((id) => lab.claimsToLead(id))
    for (const leader of leaders) lab.start(leader)
    pause(lab)
    const leader = leaders.findLast((id) => lab.isConnected(id))
    if (leader !== undefined && lab.dice.chance(0.5)) lab.disconnect(leader)
    const server = lab.anyServer()
    if (lab.ids.filter((id) => lab.isConnected(id)).length < 3) lab.connect(server)
  }
  lab.connect(...lab.ids)
  lab.one(5)
  return lab
}

/** A client that submits one command after another to all that claim to lead, and remembers what was acknowledged. */
class Client {
  readonly acknowledged: Submission[] = []
  isStopped = false
  readonly #lab: Lab
  /** How long the client waits where nobody leads. */
  readonly #waitMs: number

  constructor(lab: Lab, number: number) {
    this.#lab = lab
    this.#waitMs = 79 + 17 * number
    this.#submit()
  }

  #submit(): void {
    if (this.isStopped) return
    const lab = this.#lab
    const submissions = lab.ids.filter((id) => lab.claimsToLead(id)).map((id) => lab.start(id))
    if (submissions.length === 0) return void lab.cluster.later(this.#waitMs, () => this.#submit())
    this.#await(submissions, [10, 20, 50, 100, 200])
  }

  #await(submissions: readonly Submission[], [waitMs, ...waitsMs]: readonly number[]): void {
    const agreed = submissions.filter((submission) => this.#lab.appliedBy(submission) > 0)
    this.acknowledged.push(...agreed)
    if (agreed.length > 0 || waitMs === undefined) return this.#submit()
    this.#lab.cluster.later(waitMs, () => this.#await(submissions, waitsMs))
  }
}

function churnOf(seed: number, isReliable: boolean): Lab {
  const lab = new Lab(seed, 5, { isReliable })
  const clients = [0, 1, 2].map((number) => new Client(lab, number))
  for (let round = 0; round < 20; round++) {
    if (lab.dice.chance(0.2)) lab.disconnect(lab.anyServer())
    if (lab.dice.chance(0.5)) {
      const server = lab.anyServer()
      if (lab.isUp(server)) lab.connect(server)
      else lab.restart(server)
    }
    if (lab.dice.chance(0.2)) lab.crash(...[lab.anyServer()].filter((id) => lab.isUp(id)))
    // Often enough that not all has settled, and not so often that nobody keeps up.
    lab.sleep(0.7 * electionMs)
  }
  lab.sleep(electionMs)
  lab.makeReliable()
  lab.connect(...lab.ids)
  lab.restart(...lab.ids.filter((id) => !lab.isUp(id)))
  for (const client of clients) client.isStopped = true
  lab.sleep(electionMs)
  lab.one(5)
  for (const submission of clients.flatMap(({ acknowledged }) => acknowledged))
    if (lab.appliedBy(submission) < 5) throw new Error('a command that was acknowledged is not in all logs')
  return lab
}

export function churn(seed: number): Lab {
  return churnOf(seed, true)
}

export function unreliableChurn(seed: number): Lab {
  return churnOf(seed, false)
}

function hasAllCommitted(lab: Lab, id: number): boolean {
  return lab.cluster.node(id).state?.log.lastApplied === lab.cluster.world.checker.ledger.last.index
}
