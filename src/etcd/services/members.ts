/** etcd's Cluster service. */
import type { NodeId } from '../../raft/index.js'
import type { Member } from '../member.js'
import type { Roster } from '../roster.js'
import { type Codec, codecOf, definitionOf, type Service, unary, undecoded } from './service.js'

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
  const changing = async <Request>(codec: Codec<Request>, request: Buffer): Promise<Request> => {
    const decoded = codec.decode(request)
    await member.read('figures', Buffer.alloc(0))
    return decoded
  }

  return {
    definition,
    implementation: {
      MemberList: unary(member, async () => told(lists, { members: roster.list(nodeId) })),
      MemberAdd: unary(member, async (request) => {
        const { peerURLs, isLearner } = await changing(additions, request)
        return told(additions, { member: await roster.add(nodeId, peerURLs, isLearner) })
      }),
      MemberRemove: unary(member, async (request) => {
        await roster.remove(nodeId, idOf(await changing(removals, request)))
        return told(removals)
      }),
      MemberUpdate: unary(member, async (request) => {
        const update = await changing(updates, request)
        roster.update(nodeId, idOf(update), update.peerURLs)
        return told(updates)
      }),
      MemberPromote: unary(member, async (request) => {
        await roster.promote(nodeId, idOf(await changing(promotions, request)))
        return told(promotions)
      }),
    },
  }
}

/** Members have small ids. A greater number is no member's. */
function idOf({ ID }: OfMember): NodeId {
  return Number(ID)
}
