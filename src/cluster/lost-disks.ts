/** Disks that are lost: whether the others can still elect a leader, and how a cluster goes on without them. */
import { RaftError } from '../errors/index.js'
import { type Membership, majorityOf, type NodeId } from '../raft/index.js'
import { isCatchingUp, type Pledge, renewAtPrompt } from '../storage/index.js'

/** Voters of which too few may vote to elect a leader. */
interface Minority {
  readonly voters: number
  readonly notVoting: number
  readonly mostNotVoting: number
}

/** A cluster at its start or while it runs. */
export interface Pledged {
  readonly path: string
  readonly pledges: readonly Pledge[]
  /** The latest configuration that any node told. `undefined`: none told any, and each member counts as a voter. */
  readonly membership: Membership | undefined
}

export function isDiskLost(error: unknown): error is RaftError {
  return error instanceof RaftError && error.code === 'DISK_LOST'
}

/** The nodes that errors of lost disks are about. */
export function lostNodes(errors: readonly RaftError[]): NodeId[] {
  return errors.map(({ details }) => Number(details['nodeId']))
}

/** `undefined` while the nodes that may vote can elect a leader without the lost ones. */
function minorityWithout(lost: readonly NodeId[], { pledges, membership }: Pledged): Minority | undefined {
  const notVoting = pledges.flatMap((pledge) =>
    lost.includes(pledge.nodeId) || isCatchingUp(pledge) ? pledge.nodeId : [],
  )
  const all = pledges.map(({ nodeId }) => nodeId)
  const { voters, votersOutgoing } = membership ?? { voters: all, votersOutgoing: [] }
  return [voters, votersOutgoing]
    .filter((half) => half.length > 0)
    .map((half) => ({
      voters: half.length,
      notVoting: notVoting.filter((nodeId) => half.includes(nodeId)).length,
      mostNotVoting: half.length - majorityOf(half.length),
    }))
    .find(({ notVoting, mostNotVoting }) => notVoting > mostNotVoting)
}

/** The last resort of a cluster that has lost a majority. */
function recovery(lost: readonly NodeId[], { path, pledges }: Pledged): string {
  const [newest] = pledges
    .filter(({ nodeId, hasBegun }) => hasBegun && !lost.includes(nodeId))
    .sort(({ held: one }, { held: other }) => other.term - one.term || other.index - one.index)
  return newest === undefined
    ? 'begin in another directory'
    : `run raftbox recover ${path} --from ${newest.nodeId}, which makes a new cluster from the disk of node ${newest.nodeId} and loses the writes that this disk lacks`
}

/** The refusal of a start. It names all disks that are lost, so that their nodes can be named together. */
export function lostDisksError(errors: readonly RaftError[], pledged: Pledged): RaftError {
  const lost = lostNodes(errors)
  const hasMajority = minorityWithout(lost, pledged) === undefined
  const [first] = errors
  if (first !== undefined && errors.length === 1 && hasMajority) return first
  const [why, ...more] = errors.map(({ details }) => details['why'])
  const others = more.map((each, at) => `; node ${lost[at + 1]} has lost its disk: ${each}`).join('')
  const folders = lost.length === 1 ? 'copy of the folder' : 'copies of the folders'
  const waysOn = hasMajority
    ? `name the nodes in the option 'renew' (${renewAtPrompt(lost)}): they then begin anew, and vote for nobody until they have caught up, so that nothing acknowledged is lost`
    : `${recovery(lost, pledged)}: the disks that are left can elect no leader`
  const remedy = `put the newest ${folders} back, or ${waysOn}`
  return new RaftError('DISK_LOST', { nodeId: lost[0], why: `${why}${others}`, remedy })
}

/** Throws where the nodes that would begin anew leave too few that may vote: nobody could be elected any more. */
export function checkVotersLeft(renewed: readonly NodeId[], pledged: Pledged): void {
  const minority = minorityWithout(renewed, pledged)
  if (minority === undefined) return
  const { voters, notVoting, mostNotVoting } = minority
  const without = mostNotVoting === 0 ? 'none' : `at most ${mostNotVoting}`
  const waysOn = `put the folders of the others back, or ${recovery(renewed, pledged)}`
  throw new RaftError('INVALID_OPTION', {
    option: 'renew',
    expected: `${without} of ${voters} nodes without a vote until they have caught up (${waysOn})`,
    actual: `${notVoting}`,
  })
}
