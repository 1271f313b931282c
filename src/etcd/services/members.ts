/** etcd's Cluster service. */
import type { NodeId } from '../../raft/index.js'
import type { Member } from '../member.js'
import type { Roster } from '../roster.js'
import { type Codec, codecOf, definitionOf, fromLeader, type Service, unary, undecoded } from './service.js'

interface OfMember {
  readonly ID: string
}
interface WithUrls {
  readonly peerURLs: readonly string[]
}

const cluster = definitionOf('etcdserverpb.Cluster')
const definition = undecoded(cluster)
const additions = codecOf<WithUrls & { readonly isLearner: boolean }>(cluster, 'MemberAdd')
const removals = codecOf<OfMember>(cluster, 'MemberRemove')
const updates = codecOf<OfMember & WithUrls>(cluster, 'MemberUpdate')
const lists = codecOf<object>(cluster, 'MemberList')
const promotions = codecOf<OfMember>(cluster, 'MemberPromote')

export function clusterService(member: Member, roster: Roster): Service {
  const { nodeId } = member
  /** The headers of this service have no revision. A member that was removed does not hear of it: the leader knows. */
  const told = (codec: Codec<unknown>, response: object = {}): Buffer =>
    Buffer.concat([member.header(0), codec.encode({ members: roster.list(), ...response })])

  /** etcd replicates each change through the member that is asked, so that the member has to hear a leader. */
  const heardLeader = (): Promise<unknown> => member.read('figures', Buffer.alloc(0))

  return {
    definition,
    implementation: {
      MemberList: unary(member, async () => told(lists, { members: roster.list(nodeId) })),
      MemberAdd: unary(member, async (request) => {
        const { peerURLs, isLearner } = additions.decode(request)
        // etcd refuses these before it looks for a leader. The roster looks again once there is one.
        roster.checkAddition(nodeId, peerURLs)
        await heardLeader()
        return told(additions, { member: await roster.add(nodeId, peerURLs, isLearner) })
      }),
      MemberRemove: unary(member, async (request) => {
        const removed = idOf(removals.decode(request))
        roster.checkRemoval(nodeId, removed)
        await heardLeader()
        await roster.remove(nodeId, removed)
        return told(removals)
      }),
      MemberUpdate: unary(member, async (request) => {
        const update = updates.decode(request)
        await heardLeader()
        roster.update(nodeId, idOf(update), update.peerURLs)
        return told(updates)
      }),
      MemberPromote: unary(member, async (request) => {
        const promoted = idOf(promotions.decode(request))
        await fromLeader(member, heardLeader())
        await roster.promote(nodeId, promoted)
        return told(promotions)
      }),
    },
  }
}

/** Members have small ids. A greater number is no member's. */
function idOf({ ID }: OfMember): NodeId {
  return Number(ID)
}
