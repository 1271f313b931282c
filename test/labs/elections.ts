/** Lab 3A: elections. */
import type { Role } from '../../src/raft/index.js'
import { electionMs, Lab } from './lab.js'

export function initialElection(seed: number): Lab {
  const lab = new Lab(seed, 3)
  lab.oneLeader()
  // Followers learn of the election a little later.
  lab.sleep(50)
  const term = lab.agreedTerm()
  if (term < 1) throw new Error('a leader leads term 0')
  lab.sleep(2 * electionMs)
  // The lab only warns of a later term; with pre-votes there is none without a failure.
  if (lab.agreedTerm() !== term) throw new Error('there was an election without a failure')
  lab.oneLeader()
  // Both other servers answer at once, so none is asked again [EL13].
  expectAsked(lab, 'preVote', 'preCandidate')
  expectAsked(lab, 'requestVote', 'candidate')
  return lab
}

function expectAsked(lab: Lab, kind: string, role: Role): void {
  const { events } = lab.cluster
  const campaigns = events.filter(({ event }) => event.type === 'role' && event.role === role).length
  const asked = lab.sent.of(kind)
  if (asked !== 2 * campaigns)
    throw new Error(`${campaigns} campaigns asked ${asked} times (${kind}), not two times each`)
}

export function reElection(seed: number): Lab {
  const lab = new Lab(seed, 3)
  const first = lab.oneLeader()
  lab.disconnect(first)
  lab.oneLeader()
  // The old leader follows the new one.
  lab.connect(first)
  const second = lab.oneLeader()
  lab.disconnect(second, lab.after(second, 1))
  lab.sleep(2 * electionMs)
  lab.noLeader()
  lab.connect(lab.after(second, 1))
  lab.oneLeader()
  lab.connect(second)
  lab.oneLeader()
  return lab
}

export function manyElections(seed: number): Lab {
  const lab = new Lab(seed, 7)
  lab.oneLeader()
  for (let round = 1; round < 10; round++) {
    // Three servers or fewer, since one may be drawn twice: four are left.
    const away = [lab.anyServer(), lab.anyServer(), lab.anyServer()]
    lab.disconnect(...away)
    lab.oneLeader()
    lab.connect(...away)
  }
  lab.oneLeader()
  return lab
}
